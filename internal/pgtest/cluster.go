//go:build unix

// Package pgtest runs PostgreSQL for tests: a cluster of its own, made with the
// machine's own binaries in a temporary directory, reached through a socket there.
//
// Where there are no binaries, tests that need them are skipped, and with CI=true they
// fail. SIGNET_TEST_POSTGRES may name a server instead, as a URL whose user may create
// databases.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrMissing says that this machine has no PostgreSQL server.
var ErrMissing = errors.New("no PostgreSQL server on this machine (initdb and postgres, in PATH or /usr/lib/postgresql)")

// Cluster is a PostgreSQL server.
type Cluster struct {
	dir    string
	bin    string
	owner  *syscall.Credential // nil: this user
	port   int
	server *exec.Cmd
	log    *os.File
}

// New makes a cluster below dir, which must be short: the path of a socket is. It is
// durable (fsync) if it is to be killed.
func New(dir string, durable bool) (*Cluster, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	c := &Cluster{dir: dir, bin: bin, port: 5432}
	if c.owner, err = unprivileged(); err != nil {
		return nil, err
	}
	if c.owner != nil {
		if err := os.Chown(dir, int(c.owner.Uid), int(c.owner.Gid)); err != nil {
			return nil, err
		}
	}
	initdb := c.command("initdb", "-D", c.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	settings := "listen_addresses = ''\nunix_socket_directories = '" + dir + "'\nmax_connections = 300\nshared_buffers = 64MB\n" +
		"max_wal_size = 512MB\nlog_min_messages = panic\n"
	if !durable {
		settings += "fsync = off\nfull_page_writes = off\n"
	}
	return c, c.configure(settings)
}

func (c *Cluster) configure(settings string) error {
	conf, err := os.OpenFile(filepath.Join(c.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = conf.WriteString(settings)
	return errors.Join(err, conf.Close())
}

// ListenTLS makes the server speak TLS on a port of the loopback interface as well, from
// its next start on, with a certificate and its key in PEM.
func (c *Cluster) ListenTLS(cert, key []byte, port int) error {
	for name, text := range map[string][]byte{"server.crt": cert, "server.key": key} {
		path := filepath.Join(c.data(), name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return err
		}
		if c.owner != nil {
			if err := os.Chown(path, int(c.owner.Uid), int(c.owner.Gid)); err != nil {
				return err
			}
		}
	}
	c.port = port
	return c.configure(fmt.Sprintf("ssl = on\nlisten_addresses = '127.0.0.1'\nport = %d\n", port))
}

// binaries finds the directory of the newest server programs.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		return "", err
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		found = append(found, path)
	}
	slices.Sort(found)
	for _, path := range slices.Backward(found) {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			if _, err := os.Stat(filepath.Join(filepath.Dir(real), "initdb")); err == nil {
				return filepath.Dir(real), nil
			}
		}
	}
	return "", ErrMissing
}

// unprivileged: PostgreSQL does not run as root.
func unprivileged() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, errors.Join(err1, err2)
	}
	return nil, errors.New("running as root, and there is neither a user postgres nor nobody to run PostgreSQL as")
}

func (c *Cluster) data() string { return filepath.Join(c.dir, "data") }

func (c *Cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.bin, name), args...)
	cmd.Dir = c.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	// A signal for the tests' process group, such as Ctrl-C, is not for the server.
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.owner, Setpgid: true}
	return cmd
}

// Start starts the server and returns when it answers.
func (c *Cluster) Start() error {
	log, err := os.OpenFile(filepath.Join(c.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	c.log = log
	c.server = c.command("postgres", "-D", c.data())
	c.server.Stdout, c.server.Stderr = log, log
	if err := c.server.Start(); err != nil {
		return errors.Join(err, log.Close())
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		err := c.exec(ctx, "SELECT 1")
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return errors.Join(fmt.Errorf("PostgreSQL does not answer: %w", err), c.Kill())
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// Stop ends the server without waiting for its clients.
func (c *Cluster) Stop() error { return c.end(syscall.SIGINT) }

// Kill ends the server and all its processes at once, as a failing machine would.
func (c *Cluster) Kill() error {
	if c.server == nil {
		return nil
	}
	// Its processes are sessions of their own: there is no process group to signal.
	for _, pid := range children(c.server.Process.Pid) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	return c.end(syscall.SIGKILL)
}

// Freeze stops all the server's processes as they are: connections stay open and nobody
// answers. Thaw lets them go on.
func (c *Cluster) Freeze() error { return c.signalAll(syscall.SIGSTOP) }

// Thaw ends a Freeze.
func (c *Cluster) Thaw() error { return c.signalAll(syscall.SIGCONT) }

func (c *Cluster) signalAll(sig syscall.Signal) error {
	err := syscall.Kill(c.server.Process.Pid, sig)
	for _, pid := range children(c.server.Process.Pid) {
		_ = syscall.Kill(pid, sig)
	}
	return err
}

func (c *Cluster) end(sig syscall.Signal) error {
	if c.server == nil {
		return nil
	}
	err := syscall.Kill(c.server.Process.Pid, sig)
	_ = c.server.Wait() // its exit code says only which signal it got
	c.server = nil
	return errors.Join(err, c.log.Close())
}

// children lists the processes that a process has started.
func children(parent int) (pids []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is well-formed
	for _, name := range stats {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		var pid, ppid int
		var command, state string
		if _, err := fmt.Sscan(string(text), &pid, &command, &state, &ppid); err == nil && ppid == parent {
			pids = append(pids, pid)
		}
	}
	return pids
}

// CPU returns the processor time that all the server's processes have used so far, at the
// kernel's resolution of 10 ms each.
func (c *Cluster) CPU() time.Duration {
	ticks := 0
	for _, pid := range append(children(c.server.Process.Pid), c.server.Process.Pid) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue // it has ended, and is in its parent's sum
		}
		// The name of a program may hold spaces; what follows it is proc(5)'s third field.
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		mine := fields[11:13] // utime, stime
		if pid == c.server.Process.Pid {
			mine = fields[11:15] // and those of processes that have ended
		}
		for _, field := range mine {
			n, _ := strconv.Atoi(field) // the kernel writes numbers
			ticks += n
		}
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// URL names a database of the cluster.
func (c *Cluster) URL(database string) string {
	return fmt.Sprintf("postgres:///%s?user=postgres&host=%s&port=%d", url.PathEscape(database), url.QueryEscape(c.dir), c.port)
}

// CreateDatabase makes a database: a copy of another one, to which nobody may be connected
// at that moment, or an empty one if that name is empty.
func (c *Cluster) CreateDatabase(name, of string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return c.exec(ctx, create(name, of))
}

func create(name, of string) string {
	statement := "CREATE DATABASE " + pgx.Identifier{name}.Sanitize()
	if of != "" {
		statement += " TEMPLATE " + pgx.Identifier{of}.Sanitize()
	}
	return statement
}

func (c *Cluster) exec(ctx context.Context, statement string) error {
	return execAt(ctx, c.URL("postgres"), statement)
}

func execAt(ctx context.Context, at, statement string) error {
	conn, err := pgx.Connect(ctx, at)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}
