//go:build unix

package main

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/signet-id/signet/internal/store"
)

// The ways in which a process ends.
const (
	byKill       = "killed"
	beforeCommit = "crash before commit"
	afterCommit  = "crash after commit, before the answer"
)

// kill ends a node while people act, starts it again, and compares.
func (w *world) kill(how string, afterWrites int) error {
	n := w.nodes[w.rng.IntN(len(w.nodes))]
	stop := w.crowd()
	defer stop()
	if err := w.more(afterWrites); err != nil {
		return err
	}
	if err := w.end(n, how); err != nil {
		return err
	}
	w.mu.Lock()
	w.kills++
	w.mu.Unlock()
	if len(w.nodes) > 1 { // the others go on
		if err := w.more(10); err != nil {
			return err
		}
	}
	stop()
	if err := w.checkFile(n); err != nil {
		return err
	}
	if err := w.revive(n, n.ready); err != nil {
		return err
	}
	return w.check(false)
}

func (w *world) end(n *node, how string) error {
	point := map[string]store.Point{beforeCommit: store.PointBeforeCommit, afterCommit: store.PointAfterCommit}[how]
	if point == "" {
		return n.kill()
	}
	if err := n.tell(order{Fault: &faultOrder{At: point, After: 1 + w.rng.IntN(50)}}); err != nil {
		return err
	}
	select {
	case <-n.exited:
		return nil
	case <-time.After(readyWithin):
		return fmt.Errorf("nothing was committed for %s", readyWithin)
	}
}

// revive starts a node's process again and notes how long that takes.
func (w *world) revive(n *node, ready func() error) error {
	n.set.Clock = *w.clock.Load()
	begun := time.Now()
	if err := errors.Join(n.start(), ready()); err != nil {
		return err
	}
	w.took("after a start", time.Since(begun))
	return nil
}

// checkFile asks SQLite whether a copy of the file, as the dead process has left it, is whole.
func (w *world) checkFile(n *node) error {
	path, ok := strings.CutPrefix(n.set.Database, "sqlite:")
	if !ok {
		return nil
	}
	dir, err := os.MkdirTemp(w.dir, "copy")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, suffix := range []string{"", "-wal"} {
		text, err := os.ReadFile(path + suffix)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, "signet.db"+suffix), text, 0o600); err != nil {
			return err
		}
	}
	db, err := sql.Open("sqlite", "file:"+url.PathEscape(filepath.Join(dir, "signet.db")))
	if err != nil {
		return err
	}
	defer db.Close()
	var result string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&result); err != nil {
		return err
	}
	w.checked.Add(1)
	if result != "ok" {
		w.find(lost, "the file's integrity: %s", result)
	}
	return nil
}

// outage makes writing impossible while people act, ends that, and compares: services go
// on meanwhile, and everything recovers by itself. With strict, no write may be
// acknowledged once one was refused.
func (w *world) outage(begin, end func() error, strict bool) error {
	stop := w.crowd()
	defer stop()
	if err := w.more(20 * len(w.people)); err != nil {
		return err
	}
	if err := begin(); err != nil {
		return err
	}
	refused := w.refused.Load()
	enough := func() bool { return w.refused.Load() >= refused+int64(2*len(w.people)) }
	if err := until("refused", readyWithin, enough); err != nil {
		return err
	}
	if strict {
		w.fault.Store(time.Now().UnixNano())
	}
	refused = w.refused.Load()
	err := until("refused", readyWithin, enough)
	w.fault.Store(0)
	if err != nil {
		return err
	}
	stop()
	w.verifyLive()
	if err := end(); err != nil {
		return err
	}
	begun, acked := time.Now(), w.acked.Load()
	stop = w.crowd()
	err = until("a write after the outage", readyWithin, func() bool { return w.acked.Load() > acked })
	w.took("after an outage", time.Since(begun))
	stop()
	return errors.Join(err, w.check(false))
}

// databaseGone kills PostgreSQL with all its processes, and starts it again.
func (w *world) databaseGone() error { return w.outage(w.pg.cluster.Kill, w.pg.cluster.Start, true) }

// fullDisk lets no file of the server grow.
func (w *world) fullDisk() error {
	limit := func(bytes uint64) func() error {
		return func() error { return w.nodes[0].tell(order{FileLimit: &bytes}) }
	}
	return w.outage(limit(1), limit(1<<62), true)
}

// frozenDatabase stops PostgreSQL as it is for a while: whoever waits is answered later.
func (w *world) frozenDatabase(d time.Duration) error {
	stop := w.crowd()
	defer stop()
	if err := w.more(5 * len(w.people)); err != nil {
		return err
	}
	if err := w.pg.cluster.Freeze(); err != nil {
		return err
	}
	time.Sleep(d)
	begun, acked := time.Now(), w.acked.Load()
	if err := w.pg.cluster.Thaw(); err != nil {
		return err
	}
	err := until("a write after the pause", readyWithin, func() bool { return w.acked.Load() > acked })
	w.took("after a pause of the database", time.Since(begun))
	stop()
	return errors.Join(err, w.check(false))
}

// lostCommits loses COMMITs, or the answers to them: servers find out which.
func (w *world) lostCommits(n int, which func(*proxy) interface{ Store(int64) }) error {
	stop := w.crowd()
	defer stop()
	if err := w.more(5 * len(w.people)); err != nil {
		return err
	}
	before := w.pg.proxy.lost.Load()
	which(w.pg.proxy).Store(int64(n))
	err := until("lost", readyWithin, func() bool { return w.pg.proxy.lost.Load() >= before+int64(n) })
	if err == nil {
		err = w.more(len(w.people))
	}
	stop()
	return errors.Join(err, w.check(false))
}

func answersToCommit(p *proxy) interface{ Store(int64) } { return &p.swallow }
func commits(p *proxy) interface{ Store(int64) }         { return &p.cut }

// races has every person redeem codes and refresh tokens twice at the same moment.
func (w *world) races(rounds int) error {
	var all sync.WaitGroup
	errs := make([]error, len(w.people))
	for i, p := range w.people {
		all.Go(func() {
			left := rounds
			errs[i] = until("through with the races", readyWithin, func() bool {
				n := w.any(p.rng)
				switch {
				case n == nil || !p.settle(n):
				case p.user != nil && p.signed && p.fam == nil && p.code != "":
					if p.redeem(n) && p.fam != nil {
						p.raceRefresh(n)
						p.raceRefresh(n)
						p.revoke(n)
					}
					if p.authorize(n) && p.raceCode(n) {
						left--
					}
				default:
					p.act(n)
				}
				return left <= 0 || len(w.broken()) >= maxFindings
			})
		})
	}
	all.Wait()
	return errors.Join(errs...)
}
