//go:build unix

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/signet-id/signet/internal/admin"
)

// readyWithin is how long anybody waits for a server before the run is given up.
const readyWithin = 60 * time.Second

// node is a server process, started again after each death.
type node struct {
	set    settings
	http   *http.Client // the public side; goes to this node whatever host is named
	admin  *http.Client
	up     atomic.Bool
	addr   atomic.Pointer[string]
	exited chan struct{} // closed when the process has ended

	mu      sync.Mutex // guards orders
	process *exec.Cmd
	stdin   io.WriteCloser
	stdout  *bufio.Scanner
}

func newNode(set settings) *node {
	n := &node{set: set}
	n.http = client(func(ctx context.Context) (net.Conn, error) {
		addr := n.addr.Load()
		if addr == nil {
			return nil, errors.New("not started")
		}
		return new(net.Dialer).DialContext(ctx, "tcp", *addr)
	})
	n.admin = client(func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(set.DataDir, "admin.sock"))
	})
	return n
}

// client waits longer than any server works on a request: an answer that comes late is
// an answer.
func client(dial func(context.Context) (net.Conn, error)) *http.Client {
	return &http.Client{
		Timeout: 40 * time.Second,
		Transport: &http.Transport{
			DialContext:         func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
			MaxIdleConnsPerHost: 256,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// start returns when the process has told its address.
func (n *node) start() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	set, err := json.Marshal(n.set)
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(n.set.DataDir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childEnv+"="+string(set))
	cmd.Stderr = log
	if n.stdin, err = cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	n.process, n.stdout, n.exited = cmd, bufio.NewScanner(out), make(chan struct{})
	if !n.stdout.Scan() {
		n.process = nil
		return errors.Join(fmt.Errorf("a server does not start: %s", n.lastWords()), cmd.Wait())
	}
	addr := n.stdout.Text()
	n.addr.Store(&addr)
	go func() {
		_ = cmd.Wait() // how it ended was our doing
		n.up.Store(false)
		n.http.CloseIdleConnections()
		n.admin.CloseIdleConnections()
		close(n.exited)
	}()
	return nil
}

// ready waits until the server calls itself ready.
func (n *node) ready() error { return n.answers("/readyz") }

// alive is for a server whose clock is wrong: it need not call itself ready.
func (n *node) alive() error { return n.answers("/livez") }

func (n *node) answers(path string) error {
	deadline := time.Now().Add(readyWithin)
	for {
		answer, err := n.http.Get(n.set.Issuer + path)
		if err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				n.up.Store(true)
				return nil
			}
		}
		select {
		case <-n.exited:
			return fmt.Errorf("a server ended by itself: %s", n.lastWords())
		default:
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s is not ok after %s: %s", path, readyWithin, n.lastWords())
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (n *node) lastWords() string {
	text, _ := os.ReadFile(filepath.Join(n.set.DataDir, "log"))
	return string(text[max(0, len(text)-2000):])
}

// kill ends the process without warning and waits until it is gone.
func (n *node) kill() error {
	err := n.process.Process.Kill()
	<-n.exited
	return err
}

// stop asks the process to end.
func (n *node) stop() error {
	if n.process == nil {
		return nil
	}
	err := n.stdin.Close()
	select {
	case <-n.exited:
		return err
	case <-time.After(20 * time.Second):
		return errors.Join(errors.New("a server does not stop"), n.kill())
	}
}

// tell gives an order and waits until it is obeyed.
func (n *node) tell(o order) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := json.NewEncoder(n.stdin).Encode(o); err != nil {
		return err
	}
	if !n.stdout.Scan() {
		return fmt.Errorf("a server does not obey: %w", cmpErr(n.stdout.Err(), io.ErrUnexpectedEOF))
	}
	return nil
}

func cmpErr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// manage speaks to the administration socket.
func (n *node) manage(method, path string, body any) answer {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return answer{err: err}
		}
	}
	r, err := http.NewRequest(method, "http://"+admin.Host+path, strings.NewReader(string(text)))
	if err != nil {
		return answer{err: err}
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	return send(n.admin, r)
}

// answer is what came back, if anything did.
type answer struct {
	status int
	header http.Header
	body   []byte
	err    error
}

func send(c *http.Client, r *http.Request) answer {
	response, err := c.Do(r)
	if err != nil {
		return answer{err: err}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return answer{status: response.StatusCode, header: response.Header, body: body, err: err}
}

func (a answer) ok() bool { return a.err == nil && a.status >= 200 && a.status < 400 }

// unknown reports that nobody knows whether it has happened: there was no answer, or one
// that says that the server is in trouble.
func (a answer) unknown() bool { return a.err != nil || a.status >= 500 }

func (a answer) String() string {
	if a.err != nil {
		return a.err.Error()
	}
	return fmt.Sprintf("%d %.200s", a.status, a.body)
}

func (a answer) json(into any) error { return json.Unmarshal(a.body, into) }
