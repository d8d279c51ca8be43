//go:build unix

package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"
	"time"
)

// measureStart runs the given signet binary and prints how long it takes from exec to
// the first answer, first with an empty data directory, then with a used one, what it
// keeps in memory when nothing happens (Linux), and the size of the file.
func measureStart(binary string, runs int) error {
	dir, err := os.MkdirTemp("", "signet-start")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := ln.Addr().String()
	if err := ln.Close(); err != nil {
		return err
	}
	key := filepath.Join(dir, "key")
	if out, err := exec.Command(binary, "key", "new", key).CombinedOutput(); err != nil {
		return fmt.Errorf("key new: %w: %s", err, out)
	}
	start := func() (time.Duration, string, error) {
		return startOnce(binary, address, []string{
			"SIGNET_PUBLIC_URL=http://" + address, "SIGNET_LISTEN=" + address, "SIGNET_DATA_DIR=" + dir, "SIGNET_KEY_FILE=" + key,
			"SIGNET_LOG_LEVEL=error", "PATH=" + os.Getenv("PATH"), "HOME=" + dir,
		})
	}
	first, _, err := start()
	if err != nil {
		return err
	}
	// The first start fits password hashing to the machine in the background; later ones do not.
	var took []time.Duration
	memory := ""
	for range runs {
		d, m, err := start()
		if err != nil {
			return err
		}
		took, memory = append(took, d), m
	}
	slices.Sort(took)
	info, err := os.Stat(binary)
	if err != nil {
		return err
	}
	fmt.Printf("first start, keys made: %v\nlater starts, median of %d: %v (min %v, max %v)\nidle memory: %s\nbinary: %.1f MB\n",
		first.Round(time.Millisecond), runs, took[runs/2].Round(time.Millisecond), took[0].Round(time.Millisecond),
		took[runs-1].Round(time.Millisecond), memory, float64(info.Size())/1e6)
	return nil
}

var resident = regexp.MustCompile(`VmRSS:\s*(\d+ kB)`)

func startOnce(binary, address string, env []string) (took time.Duration, memory string, err error) {
	cmd := exec.Command(binary, "serve")
	cmd.Env, cmd.Stderr = env, os.Stderr
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, "", err
	}
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if waitErr := cmd.Wait(); err == nil {
			err = waitErr
		}
	}()
	for {
		answer, err := http.Get("http://" + address + "/.well-known/openid-configuration")
		if err == nil {
			_, _ = io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				break
			}
		}
		if time.Since(begin) > 10*time.Second {
			return 0, "", fmt.Errorf("no answer after 10 s: %w", err)
		}
		time.Sleep(time.Millisecond)
	}
	took = time.Since(begin)
	time.Sleep(time.Second) // idle
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	if err != nil {
		return took, "not known here", nil
	}
	return took, string(resident.FindSubmatch(status)[1]), nil
}
