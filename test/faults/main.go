//go:build unix

// Command faults ends a real server in all the ways that machines know, and compares what
// its callers were told with what is true afterwards: nothing acknowledged is lost, nothing
// that has ended comes back, nothing single-use is used twice, and nobody is told of
// success while nothing can be written.
//
//	go run ./test/faults -database sqlite -kills 50 -ops 20000
//	go run ./test/faults -database postgres -kills 50 -ops 20000
//
// The server is this program, started again as a child: two on PostgreSQL, one on SQLite.
// It is reached over HTTP and its administration socket only. Every choice comes from a
// seed, which is printed; what many callers do at the same moment is up to the machine.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	if given := os.Getenv(childEnv); given != "" {
		if err := runChild(given); err != nil {
			fmt.Fprintln(os.Stderr, "server:", err)
			os.Exit(1)
		}
		return
	}
	engine := flag.String("database", "sqlite", "sqlite or postgres")
	kills := flag.Int("kills", 50, "how often a server is killed")
	ops := flag.Int("ops", 20_000, "how many writes are acknowledged at least")
	people := flag.Int("people", 24, "how many people act at the same time")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "where every random choice comes from")
	flag.Parse()
	if err := long(*engine, *kills, *ops, *people, *seed); err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
}

// readyGoal is how soon a server must be ready again.
const readyGoal = 2 * time.Second

func long(engine string, kills, ops, people int, seed uint64) (err error) {
	fmt.Printf("seed %d\n", seed)
	pl := plan{seed: seed, people: people, nodes: 1}
	switch engine {
	case "sqlite":
	case "postgres":
		if pl.pg, err = newDatabase(); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, pl.pg.close()) }()
		pl.nodes = 2
	default:
		return fmt.Errorf("-database is sqlite or postgres, not %s", engine)
	}
	w, err := newWorld(pl)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	begun := time.Now()
	for round := 1; w.kills < kills || w.acked.Load() < int64(ops); round++ {
		writes := max(20, (ops-int(w.acked.Load()))/max(1, kills-w.kills))
		what, err := w.round(round, writes)
		if err != nil {
			return errors.Join(fmt.Errorf("%s: %w", what, err), w.verdict(engine, begun))
		}
		fmt.Printf("%6.1fs %7d writes  %s\n", time.Since(begun).Seconds(), w.acked.Load(), what)
		if len(w.broken()) >= maxFindings {
			return w.verdict(engine, begun)
		}
		select {
		case <-interrupted:
			return errors.New("interrupted")
		default:
		}
	}
	err = w.clocks()
	fmt.Printf("%6.1fs %7d writes  clocks frozen and set\n", time.Since(begun).Seconds(), w.acked.Load())
	return errors.Join(err, w.check(true), w.verdict(engine, begun))
}

// round does one fault, chosen by the seed; every fifth is one of the database's.
func (w *world) round(number, writes int) (what string, err error) {
	if number%5 != 0 {
		how := []string{byKill, byKill, beforeCommit, afterCommit}[w.rng.IntN(4)]
		return how, w.kill(how, writes/2+w.rng.IntN(writes+1))
	}
	if w.pg == nil {
		return "full disk", w.fullDisk()
	}
	switch number / 5 % 4 {
	case 0:
		return "frozen database", w.frozenDatabase(time.Duration(1+w.rng.IntN(2)) * time.Second)
	case 1:
		return "answers to COMMIT lost", w.lostCommits(20, answersToCommit)
	case 2:
		return "COMMITs lost", w.lostCommits(20, commits)
	}
	return "database killed", w.databaseGone()
}

func (w *world) verdict(engine string, begun time.Time) error {
	fmt.Printf("%s, seed %d, %s:\n%s\n", engine, w.seed, time.Since(begun).Round(time.Second), w)
	findings := w.broken()
	for _, f := range findings {
		fmt.Println("  " + f)
	}
	switch {
	case len(findings) > 0:
		return errors.New("a promise was broken")
	case w.slowest > readyGoal:
		return fmt.Errorf("ready again after %s; the goal is %s", w.slowest.Round(time.Millisecond), readyGoal)
	}
	return nil
}
