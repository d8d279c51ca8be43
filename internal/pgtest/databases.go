//go:build unix

package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
)

// shared is the cluster of this test binary.
var shared struct {
	once    sync.Once
	cluster *Cluster
	dir     string
	err     error
	made    atomic.Int64

	mu        sync.Mutex
	elsewhere []string // statements that drop what was made on a server that was named
}

// Main runs a package's tests and then stops the cluster that they have used:
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
func Main(m *testing.M) int {
	code := m.Run()
	if err := stopShared(); err != nil {
		fmt.Fprintln(os.Stderr, "pgtest:", err)
		code = 1
	}
	return code
}

func stopShared() error {
	var err error
	for _, drop := range shared.elsewhere {
		err = errors.Join(err, execAt(context.Background(), os.Getenv("SIGNET_TEST_POSTGRES"), drop))
	}
	if shared.cluster != nil {
		err = shared.cluster.Stop()
	}
	if shared.dir != "" {
		err = errors.Join(err, os.RemoveAll(shared.dir))
	}
	return err
}

// Database makes an empty database and returns its URL. The package needs Main.
func Database(tb testing.TB) string {
	tb.Helper()
	return database(tb, "")
}

// CopyOf makes a database with what is in another one that Database has made.
func CopyOf(tb testing.TB, at string) string {
	tb.Helper()
	u, err := url.Parse(at)
	if err != nil {
		tb.Fatal(err)
	}
	return database(tb, strings.TrimPrefix(u.Path, "/"))
}

func database(tb testing.TB, of string) string {
	tb.Helper()
	if at := os.Getenv("SIGNET_TEST_POSTGRES"); at != "" {
		return databaseAt(tb, at, of)
	}
	shared.once.Do(startShared)
	if errors.Is(shared.err, ErrMissing) && os.Getenv("CI") != "true" {
		tb.Skip(shared.err)
	}
	if shared.err != nil {
		tb.Fatal(shared.err)
	}
	name := fmt.Sprint("test", shared.made.Add(1))
	if err := shared.cluster.CreateDatabase(name, of); err != nil {
		tb.Fatal(err)
	}
	return shared.cluster.URL(name)
}

// Durable starts a cluster that syncs to the disk, for this test alone: it may be killed.
func Durable(tb testing.TB) *Cluster {
	tb.Helper()
	dir, err := os.MkdirTemp("/tmp", "pgtest")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { os.RemoveAll(dir) })
	c, err := New(dir, true)
	if errors.Is(err, ErrMissing) && os.Getenv("CI") != "true" {
		tb.Skip(err)
	}
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Kill() }) // if it was not
	return c
}

func startShared() {
	if shared.dir, shared.err = os.MkdirTemp("/tmp", "pgtest"); shared.err != nil {
		return
	}
	c, err := New(shared.dir, false)
	if err == nil {
		err = c.Start()
	}
	shared.err = err
	if err == nil {
		shared.cluster = c
	}
}

// databaseAt makes a database on a server that was named; Main drops it.
func databaseAt(tb testing.TB, at, of string) string {
	tb.Helper()
	u, err := url.Parse(at)
	if err != nil {
		tb.Fatal("SIGNET_TEST_POSTGRES is not a URL")
	}
	name := fmt.Sprintf("signet_test_%d_%d", os.Getpid(), shared.made.Add(1))
	if err := execAt(tb.Context(), at, create(name, of)); err != nil {
		tb.Fatal(err)
	}
	shared.mu.Lock()
	defer shared.mu.Unlock()
	shared.elsewhere = append(shared.elsewhere, "DROP DATABASE "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)")
	u.Path = "/" + name
	return u.String()
}
