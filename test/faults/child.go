//go:build unix

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/signet-id/signet/internal/config"
	"github.com/signet-id/signet/internal/server"
	"github.com/signet-id/signet/internal/store"
)

// childEnv holds the settings of a process that is to be a server instead of the harness.
const childEnv = "SIGNET_FAULTS_CHILD"

// settings are what a server is started with.
type settings struct {
	Issuer, KeyFile, DataDir, Database string
	Clock                              clockSetting
}

// clockSetting is what a server takes for the time.
type clockSetting struct {
	Offset time.Duration
	Frozen time.Time // zero: it runs
}

// order is what the harness tells a server that runs; one member is set.
type order struct {
	Clock     *clockSetting
	Fault     *faultOrder
	FileLimit *uint64 // bytes that a file may have
}

// faultOrder has a point of transactions do something once it was reached a number of times.
type faultOrder struct {
	At    store.Point
	After int
	Fail  bool // the transaction fails; else the process ends there
}

// child is a real server, of which only the clock, the cost of passwords and the moment
// of its death are not its own.
type child struct {
	clock  atomic.Pointer[clockSetting]
	faults store.Faults
}

// runChild serves until its standard input ends. Its first line is its address; after
// that it answers each order with a line.
func runChild(given string) error {
	var set settings
	if err := json.Unmarshal([]byte(given), &set); err != nil {
		return err
	}
	signal.Ignore(syscall.SIGXFSZ) // a file that must not grow is an error of the write
	c := &child{}
	c.clock.Store(&set.Clock)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	cfg := config.Config{
		PublicURL: set.Issuer, KeyFile: set.KeyFile, DataDir: set.DataDir, Database: set.Database,
		TrustedProxies: []string{"127.0.0.1"}, // the harness speaks for people in many networks
	}.WithDefaults()
	s, err := server.New(ctx, cfg, server.Options{
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Now: c.now, Heartbeat: 200 * time.Millisecond, InsecureCheapPasswords: true, Faults: &c.faults,
	})
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return errors.Join(err, s.Close())
	}
	var served sync.WaitGroup
	served.Go(func() {
		if err := s.Run(ctx, ln); err != nil {
			fmt.Fprintln(os.Stderr, "serve:", err)
			os.Exit(1)
		}
	})
	fmt.Println(ln.Addr())
	err = c.obey(os.Stdin)
	stop()
	served.Wait()
	return errors.Join(err, s.Close())
}

// now never has a monotonic part: a clock that is set is set everywhere.
func (c *child) now() time.Time {
	set := c.clock.Load()
	if !set.Frozen.IsZero() {
		return set.Frozen
	}
	return time.Now().Add(set.Offset).Round(0)
}

func (c *child) obey(orders io.Reader) error {
	lines := bufio.NewScanner(orders)
	for lines.Scan() {
		var o order
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			return err
		}
		if err := c.do(o); err != nil {
			return err
		}
		fmt.Println("done")
	}
	return lines.Err()
}

func (c *child) do(o order) error {
	switch {
	case o.Clock != nil:
		c.clock.Store(o.Clock)
	case o.Fault != nil:
		c.plan(*o.Fault)
	case o.FileLimit != nil:
		var limit syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			return err
		}
		limit.Cur = min(*o.FileLimit, limit.Max)
		return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)
	}
	return nil
}

// errPlanned is what a transaction fails with.
var errPlanned = errors.New("a fault of the harness")

func (c *child) plan(f faultOrder) {
	if f.After == 0 {
		c.faults.Set(f.At, nil)
		return
	}
	var seen atomic.Int64
	c.faults.Set(f.At, func() error {
		if seen.Add(1) < int64(f.After) {
			return nil
		}
		if f.Fail {
			return errPlanned
		}
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // nothing more is done here
	})
}
