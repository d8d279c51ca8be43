//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/pgtest"
)

// TestMain: the servers that these tests kill are this program, started again.
func TestMain(m *testing.M) {
	if given := os.Getenv(childEnv); given != "" {
		if err := runChild(given); err != nil {
			fmt.Fprintln(os.Stderr, "server:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(pgtest.Main(m))
}

// postgres starts a server that may be killed.
func postgres(t *testing.T) *database {
	t.Helper()
	d, err := newDatabase()
	if errors.Is(err, pgtest.ErrMissing) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// begin starts servers and people; at the end everything that has ever ended is looked at.
func begin(t *testing.T, pl plan) *world {
	t.Helper()
	pl.seed, pl.people = uint64(time.Now().UnixNano()), 6
	t.Logf("seed %d", pl.seed)
	pl.nodes = 1
	if pl.pg != nil || pl.url != "" {
		pl.nodes = 2
	}
	w, err := newWorld(pl)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !t.Failed() {
			if err := w.check(true); err != nil {
				t.Error(err)
			}
		}
		for _, f := range w.broken() {
			t.Error(f)
		}
		t.Log(w)
		if t.Failed() {
			for _, n := range w.nodes {
				t.Log(n.lastWords())
			}
		}
		if err := w.close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// engines runs a test on both.
func engines(t *testing.T, f func(t *testing.T, pl plan)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		f(t, plan{})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		f(t, plan{url: pgtest.Database(t)})
	})
}

// STO-01: a server that ends at any moment loses nothing that it has acknowledged, and
// what has ended stays so.
func TestKill_STO01(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, pl plan) {
		w := begin(t, pl)
		for _, how := range []string{byKill, beforeCommit, afterCommit, byKill} {
			if err := w.kill(how, 60+w.rng.IntN(60)); err != nil {
				t.Fatal(how, err)
			}
		}
	})
}

// STO-02: a file that cannot grow is a refusal, and no restart is needed when it can again.
func TestFullDisk_STO02(t *testing.T) {
	t.Parallel()
	w := begin(t, plan{})
	if err := w.fullDisk(); err != nil {
		t.Fatal(err)
	}
	if err := w.kill(byKill, 20); err != nil { // what it wrote since can be read by the next one
		t.Fatal(err)
	}
}

// STO-02: the same on a file system that is really full.
func TestFullFileSystem_STO02(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("/tmp", "full")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(dir) })
	if err := mount(dir); err != nil {
		t.Skipf("a file system of our own needs root: %v", err)
	}
	t.Cleanup(func() {
		if err := unmount(dir); err != nil {
			t.Error(err)
		}
	})
	w := begin(t, plan{data: dir})
	filler := filepath.Join(dir, "filler")
	fill := func() error {
		err := os.WriteFile(filler, make([]byte, fileSystemBytes), 0o600)
		if !errors.Is(err, syscall.ENOSPC) {
			return fmt.Errorf("it is not full: %w", err)
		}
		return nil
	}
	// Commits that fit into what the write-ahead log has already are acknowledged.
	if err := w.outage(fill, func() error { return os.Remove(filler) }, false); err != nil {
		t.Fatal(err)
	}
	if err := w.kill(byKill, 20); err != nil {
		t.Fatal(err)
	}
}

const fileSystemBytes = 32 << 20

// STO-03: the database dies and comes back, or stands still for a while; the servers go
// on without a restart.
func TestDatabaseGone_STO03(t *testing.T) {
	t.Parallel()
	w := begin(t, plan{pg: postgres(t)})
	if err := w.databaseGone(); err != nil {
		t.Fatal(err)
	}
	if err := w.frozenDatabase(500 * time.Millisecond); err != nil {
		t.Fatal(err)
	}
}

// STO-03: the answer to a COMMIT is lost, or the COMMIT itself. The server finds out
// which: the first has happened and is acknowledged, the second has not and is refused.
func TestLostCommit_STO03(t *testing.T) {
	t.Parallel()
	w := begin(t, plan{pg: postgres(t)})
	if err := w.lostCommits(10, answersToCommit); err != nil {
		t.Fatal(err)
	}
	if n := w.refused.Load(); n != 0 {
		t.Errorf("%d callers were refused what has happened", n)
	}
	if err := w.lostCommits(10, commits); err != nil {
		t.Fatal(err)
	}
	if n := w.refused.Load(); n == 0 {
		t.Error("nobody was refused what has not happened")
	}
}

// STO-04: two nodes are asked for the same thing at the same moment.
func TestTwoNodes_STO04(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, pl plan) {
		w := begin(t, pl)
		if err := w.races(8); err != nil {
			t.Fatal(err)
		}
	})
}

// STO-05: clocks that stand still or are set by minutes, and a restart in between.
func TestClock_STO05(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, pl plan) {
		w := begin(t, pl)
		if err := w.clocks(); err != nil {
			t.Fatal(err)
		}
	})
}
