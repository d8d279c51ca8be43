package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/signet-id/signet/internal/idp"
)

const (
	queueLen = 4096 // verbs that may wait; more are refused at once
	batchLen = 256  // verbs of one commit
)

// writer is the one goroutine that changes the database. It gathers the verbs that wait
// into one transaction, so that they share one sync of the disk, and answers them when
// that is over. A verb is a savepoint: it fails alone.
type writer struct {
	conn      *conn
	begin     string // statement that begins a transaction which holds the write lock
	committed func(ends)
	afterward func(verbs int) // called between transactions
	log       *slog.Logger
	queue     chan *job
	stopped   chan struct{}

	mu     sync.RWMutex // guards closed; held while sending to queue
	closed bool

	commits atomic.Int64
	working atomic.Bool // a transaction is under way
	observe func(verbs int) (over func())
	faults  *Faults
}

// job is a verb that waits. done has room for the answer, so the writer never waits.
// It belongs to whoever claims it first: the writer, which then runs it, or a caller
// that gives up, after which it never runs.
type job struct {
	ctx     context.Context
	verb    func(*tx) error
	claimed atomic.Bool
	done    chan error
	answer  error
}

func (j *job) claim() bool { return j.claimed.CompareAndSwap(false, true) }

func newWriter(w *writer) *writer {
	w.queue = make(chan *job, queueLen)
	w.stopped = make(chan struct{})
	go w.run()
	return w
}

// write queues the verb and waits for its answer. When ctx ends, a verb that was not
// begun never will be; one that was is waited for, for its results are written into
// variables of the caller.
func (w *writer) write(ctx context.Context, verb func(*tx) error) error {
	j := &job{ctx: ctx, verb: verb, done: make(chan error, 1)}
	if err := w.enqueue(j); err != nil {
		return err
	}
	select {
	case err := <-j.done:
		return err
	case <-ctx.Done():
	}
	if j.claim() {
		return ctx.Err()
	}
	return <-j.done
}

// writeAtLength: no verb has a limit.
func (w *writer) writeAtLength(ctx context.Context, verb func(*tx) error) error {
	return w.write(ctx, verb)
}

func (w *writer) enqueue(j *job) error {
	if err := j.ctx.Err(); err != nil {
		return err
	}
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return fmt.Errorf("database is closed: %w", idp.ErrUnavailable)
	}
	select {
	case w.queue <- j:
		return nil
	default:
		return fmt.Errorf("too many changes wait: %w", idp.ErrUnavailable)
	}
}

// close refuses new verbs and returns when the queued ones are answered.
func (w *writer) close() {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
	w.mu.Unlock()
	<-w.stopped
}

func (w *writer) run() {
	defer close(w.stopped)
	for j := range w.queue {
		w.working.Store(true)
		w.afterward(w.batch(j))
		w.working.Store(false)
	}
}

// batch runs j, and the verbs that wait by then, as one transaction.
func (w *writer) batch(j *job) int {
	if err := w.beginTransaction(); err != nil {
		_, _ = w.conn.exec("ROLLBACK") // should one be open: never stay in it
		j.done <- unavailable(err)
		return 0
	}
	var b batch
	for ; j != nil; j = w.next(len(b.jobs)) {
		if !j.claim() {
			continue // its caller has gone
		}
		if err := j.ctx.Err(); err != nil {
			j.done <- err
			continue
		}
		b.jobs = append(b.jobs, j)
		if err := b.run(w.conn, j); err != nil {
			w.abandon(b, err)
			return len(b.jobs)
		}
		logPanic(w.log, j.answer)
	}
	if err := w.commit(len(b.jobs)); err != nil {
		w.abandon(b, err)
		return len(b.jobs)
	}
	w.committed(b.grown)
	lost := w.faults.hit(PointAfterCommit)
	for _, j := range b.jobs {
		if lost != nil {
			j.answer = unavailable(lost)
		}
		j.done <- j.answer
	}
	return len(b.jobs)
}

func (w *writer) beginTransaction() error {
	if err := w.faults.hit(PointBegin); err != nil {
		return err
	}
	_, err := w.conn.exec(w.begin)
	return err
}

// batch is what one transaction did.
type batch struct {
	jobs  []*job
	grown ends
}

func (b *batch) run(c *conn, j *job) (broken error) {
	t := &tx{conn: c, shared: true}
	j.answer, broken = t.run(j.verb)
	b.grown = ends{max(b.grown.changes, t.grown.changes), max(b.grown.rules, t.grown.rules)}
	return broken
}

// next returns a verb that already waits, or nil.
func (w *writer) next(n int) *job {
	if n >= batchLen {
		return nil
	}
	select {
	case j := <-w.queue: // nil when closed and empty
		return j
	default:
		return nil
	}
}

func (w *writer) commit(verbs int) error {
	if err := w.faults.hit(PointBeforeCommit); err != nil {
		return err
	}
	w.commits.Add(1)
	if w.observe != nil {
		defer w.observe(verbs)()
	}
	_, err := w.conn.exec("COMMIT")
	return err
}

// abandon ends a transaction that did not reach the disk: nobody's verb has happened,
// not even a refusal, which may have been decided by a verb of the same transaction.
func (w *writer) abandon(b batch, err error) {
	w.log.Error("database transaction lost", "verbs", len(b.jobs), "error", err)
	_, _ = w.conn.exec("ROLLBACK") // there may be nothing left to roll back
	for _, j := range b.jobs {
		j.done <- unavailable(err)
	}
}

func logPanic(log *slog.Logger, answer error) {
	if p, ok := errors.AsType[panicked](answer); ok {
		log.Error("panic in a database verb", "value", p.value)
	}
}

func unavailable(err error) error {
	if errors.Is(err, idp.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", idp.ErrUnavailable, err)
}
