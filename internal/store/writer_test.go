package store_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/store"
)

type execFunc = func(string, ...any) error

func put(name string) func(execFunc) error {
	return func(exec execFunc) error {
		return exec("INSERT INTO settings (name, value) VALUES ($1, $2)", name, []byte(name))
	}
}

// hold keeps the writer busy until release is called, so that verbs gather behind it.
func hold(t *testing.T, db *store.DB) (release func() error) {
	t.Helper()
	begun, end := make(chan struct{}), make(chan struct{})
	held := make(chan error, 1)
	go func() {
		held <- db.Verb(context.Background(), func(execFunc) error {
			close(begun)
			<-end
			return nil
		})
	}()
	<-begun
	return func() error {
		close(end)
		return <-held
	}
}

// queued runs the verbs so that they wait together behind the one that holds the
// writer, and returns their answers.
func queued(t *testing.T, db *store.DB, verbs ...func(execFunc) error) []error {
	t.Helper()
	release := hold(t, db)
	answers := make([]error, len(verbs))
	var waiting atomic.Int64
	var wg sync.WaitGroup
	for i, v := range verbs {
		wg.Go(func() {
			waiting.Add(1)
			answers[i] = db.Verb(t.Context(), v)
		})
	}
	for db.Queued() < len(verbs) {
		runtime.Gosched() // nothing else tells that they wait
	}
	if err := release(); err != nil && !errors.Is(err, idp.ErrUnavailable) {
		t.Error(err)
	}
	wg.Wait()
	return answers
}

func TestWriter_GathersVerbsIntoOneCommit(t *testing.T) {
	t.Parallel()
	db := openTemp(t)
	const n = 200
	verbs := make([]func(execFunc) error, n)
	for i := range verbs {
		verbs[i] = put(fmt.Sprint(i))
	}
	before := db.Commits()
	for i, err := range queued(t, db, verbs...) {
		if err != nil {
			t.Errorf("verb %d: %v", i, err)
		}
	}
	if commits := db.Commits() - before; commits > 2 {
		t.Errorf("%d verbs took %d commits", n, commits)
	}
	if rows, err := db.Int(t.Context(), "SELECT COUNT(*) FROM settings"); err != nil || rows != n {
		t.Errorf("%d rows, %v", rows, err)
	}
}

func TestWriter_BatchIsBounded(t *testing.T) {
	t.Parallel()
	db := openTemp(t)
	verbs := make([]func(execFunc) error, store.BatchLen+50)
	for i := range verbs {
		verbs[i] = put(fmt.Sprint(i))
	}
	before := db.Commits()
	queued(t, db, verbs...)
	if commits := db.Commits() - before; commits != 2 {
		t.Errorf("%d verbs took %d commits, want 2", len(verbs), commits)
	}
}

func TestWriter_VerbsFailAlone(t *testing.T) {
	t.Parallel()
	db := openTemp(t)
	refused := errors.New("refused")
	fails := func(name string, then func() error) func(execFunc) error {
		return func(exec execFunc) error {
			if err := put(name)(exec); err != nil {
				return err
			}
			return then()
		}
	}
	answers := queued(t, db,
		put("a"),
		fails("refused", func() error { return refused }),
		put("b"),
		fails("panicked", func() error { panic("boom") }),
		put("c"),
		fails("kept", func() error { return store.Keep(refused) }),
		func(exec execFunc) error { // an error that the verb overlooks
			_ = exec("INSERT INTO no_such_table (x) VALUES (1)")
			return put("overlooked")(exec)
		},
		put("d"),
	)
	for _, i := range []int{0, 2, 4, 7} {
		if answers[i] != nil {
			t.Errorf("verb %d: %v", i, answers[i])
		}
	}
	for _, i := range []int{1, 5} {
		if !errors.Is(answers[i], refused) {
			t.Errorf("verb %d: %v, want its own refusal", i, answers[i])
		}
	}
	if answers[3] == nil || !strings.Contains(answers[3].Error(), "panic") {
		t.Errorf("panicking verb: %v", answers[3])
	}
	if answers[6] == nil {
		t.Error("a verb that overlooked an error was acknowledged")
	}
	names, err := db.Text(t.Context(), "SELECT group_concat(name, ' ') FROM (SELECT name FROM settings ORDER BY name)")
	if err != nil || names != "a b c d kept" {
		t.Errorf("stored: %q, %v", names, err)
	}
}

// STO-02: when the disk does not take the transaction, nobody is told that it did.
func TestWriter_LostCommitAcknowledgesNobody(t *testing.T) {
	t.Parallel()
	faults := &store.Faults{}
	db := openWith(t, faults)
	ctx := t.Context()
	events, stop := db.Watch()
	defer stop()
	faults.Set(store.PointBeforeCommit, func() error { return errors.New("disk on fire") })
	answers := queuedLost(t, db,
		put("a"),
		func(execFunc) error { return idp.ErrNotFound }, // decided by what is lost, perhaps
		put("b"),
	)
	for i, err := range answers {
		if !errors.Is(err, idp.ErrUnavailable) || errors.Is(err, idp.ErrNotFound) {
			t.Errorf("verb %d: %v, want ErrUnavailable", i, err)
		}
	}
	if err := db.DisableClient(ctx, idp.Actor{}, "nobody", time.Now()); !errors.Is(err, idp.ErrUnavailable) {
		t.Errorf("refusal: %v", err)
	}
	if err := db.RevokeJTI(ctx, idp.Actor{}, "j", time.Now(), time.Now()); !errors.Is(err, idp.ErrUnavailable) {
		t.Errorf("revocation: %v", err)
	}
	select {
	case <-events:
		t.Error("watchers were told of a rule that is lost")
	default:
	}
	faults.Set(store.PointBeforeCommit, nil) // the disk is back
	if rows, err := db.Int(ctx, "SELECT COUNT(*) FROM settings"); err != nil || rows != 0 {
		t.Errorf("%d rows of lost transactions, %v", rows, err)
	}
	if err := db.Verb(ctx, put("a")); err != nil {
		t.Error("after the disk came back:", err)
	}
	if _, seq, err := db.RevocationHead(ctx); err != nil || seq != 0 {
		t.Errorf("head of the log is %d, %v", seq, err)
	}
}

// queuedLost is queued for a database whose commits fail.
func queuedLost(t *testing.T, db *store.DB, verbs ...func(execFunc) error) []error {
	t.Helper()
	answers := make([]error, len(verbs))
	var wg sync.WaitGroup
	for i, v := range verbs {
		wg.Go(func() { answers[i] = db.Verb(t.Context(), v) })
	}
	wg.Wait()
	return answers
}

func TestWriter_ContextEnds(t *testing.T) {
	t.Parallel()
	db := openTemp(t)
	release := hold(t, db)
	ctx, cancel := context.WithCancel(t.Context())
	answer := make(chan error, 1)
	go func() { answer <- db.Verb(ctx, put("cancelled")) }()
	for db.Queued() < 1 {
		runtime.Gosched()
	}
	cancel()
	if err := <-answer; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled while queued: %v", err)
	}
	if err := db.Verb(ctx, put("late")); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: %v", err)
	}
	if _, err := db.User(ctx, "u"); !errors.Is(err, context.Canceled) {
		t.Errorf("read: %v", err)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
	if err := db.Verb(t.Context(), put("next")); err != nil {
		t.Error(err)
	}
	// Its caller had gone before it was begun, so it was not.
	if names, err := db.Text(t.Context(), "SELECT group_concat(name) FROM settings"); err != nil || names != "next" {
		t.Errorf("stored: %q, %v", names, err)
	}
}

// DOS-04: what does not fit into the queue is refused at once.
func TestWriter_QueueIsBounded(t *testing.T) {
	t.Parallel()
	db := openTemp(t)
	release := hold(t, db)
	var refused atomic.Int64
	var wg sync.WaitGroup
	for range store.QueueLen + 100 {
		wg.Go(func() {
			if err := db.Verb(t.Context(), func(execFunc) error { return nil }); errors.Is(err, idp.ErrUnavailable) {
				refused.Add(1)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	for refused.Load() < 100 {
		runtime.Gosched()
	}
	if err := release(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if n := refused.Load(); n != 100 {
		t.Errorf("%d verbs refused, want 100", n)
	}
}

func TestWriter_CloseAnswersEverybody(t *testing.T) {
	t.Parallel()
	db := openTemp(t)
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			if err := db.Verb(t.Context(), put(fmt.Sprint(i))); err != nil && !errors.Is(err, idp.ErrUnavailable) {
				t.Error(err)
			}
			if _, err := db.User(t.Context(), "u"); !errors.Is(err, idp.ErrUnavailable) && !errors.Is(err, idp.ErrNotFound) {
				t.Error(err)
			}
		})
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if err := db.Close(); err != nil {
		t.Error("second Close:", err)
	}
	if err := db.Ping(t.Context()); !errors.Is(err, idp.ErrUnavailable) {
		t.Error("Ping after Close:", err)
	}
}

// A sweep is many small transactions: a verb that comes meanwhile is answered before the
// sweep is over.
func TestSweep_OthersGetTheirTurn(t *testing.T) {
	t.Parallel()
	faults := &store.Faults{}
	db := openWith(t, faults)
	now := time.Now()
	for i := range 50 {
		err := db.Verb(t.Context(), func(exec execFunc) error {
			for j := range 100 {
				if err := exec("INSERT INTO codes (hash, grant_id, client_id, redirect_uri, code_challenge, expires_at) VALUES ($1, 'g', 'c', '', '', 1)",
					fmt.Appendf(nil, "%d %d", i, j)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	commits, answered := 0, make(chan error, 1)
	faults.Set(store.PointBeforeCommit, func() error {
		if commits++; commits == 1 { // the sweep's first batch
			go func() { answered <- db.PutSetting(t.Context(), "turn", nil) }()
			for db.Queued() == 0 {
				runtime.Gosched()
			}
		}
		return nil
	})
	if n, err := db.Sweep(t.Context(), now); err != nil || n != 500 {
		t.Fatalf("swept %d, %v", n, err)
	}
	if _, err := db.Setting(t.Context(), "turn"); err != nil {
		t.Errorf("a verb waited for a whole sweep: %v", err)
	}
	if err := <-answered; err != nil {
		t.Error(err)
	}
}
