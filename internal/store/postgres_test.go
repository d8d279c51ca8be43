//go:build unix

package store_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/pgtest"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/store"
	"github.com/signet-id/signet/internal/store/storetest"
)

// TestPostgres runs the suite on one node of a PostgreSQL database.
func TestPostgres(t *testing.T) {
	t.Parallel()
	// Making the schema takes several times as long as copying it.
	made := pgtest.Database(t)
	db, err := store.Open(t.Context(), made, store.Options{RuleLifetime: storetest.RuleLifetime})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	storetest.Run(t, func(t *testing.T) *store.DB { return openDSN(t, pgtest.CopyOf(t, made), nil) })
}

// TestPostgres_TwoNodes runs the races with callers on two nodes. STO-04
func TestPostgres_TwoNodes(t *testing.T) {
	t.Parallel()
	storetest.RunNodes(t, func(t *testing.T) []*store.DB {
		a, b := openNodes(t)
		return []*store.DB{a, b}
	})
}

func openNodes(t *testing.T) (a, b *store.DB) {
	t.Helper()
	dsn := pgtest.Database(t)
	// They may start at the same moment: one of them makes the schema.
	var both sync.WaitGroup
	for _, db := range []**store.DB{&a, &b} {
		both.Go(func() {
			var err error
			if *db, err = store.Open(t.Context(), dsn, store.Options{RuleLifetime: storetest.RuleLifetime}); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if t.Failed() {
		t.FailNow()
	}
	t.Cleanup(func() {
		if err := errors.Join(a.Close(), b.Close()); err != nil {
			t.Error(err)
		}
	})
	return a, b
}

// eventually waits for something that another node does.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for !holds() {
		select {
		case <-deadline:
			t.Fatal("does not happen: " + what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// followed returns a directory over db that follows the log until the test ends.
func followed(t *testing.T, db *store.DB) *store.Directory {
	t.Helper()
	d := store.NewDirectory(db)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
	return d
}

func named(name string) idp.Client {
	return idp.Client{ID: "app", CreatedAt: when, ClientMetadata: idp.ClientMetadata{Name: name}}
}

// TestPostgres_NodesHearEachOther: what one node changes, the other one knows soon, and it
// is poked for rules as well.
func TestPostgres_NodesHearEachOther(t *testing.T) {
	t.Parallel()
	a, b := openNodes(t)
	d := followed(t, b)
	for _, name := range []string{"first", "second", "third"} {
		if err := a.PutClient(t.Context(), idp.Actor{}, named(name), when); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the client is "+name, func() bool {
			c, err := d.Client(t.Context(), "app")
			return err == nil && c.Name == name
		})
	}
	events, stopWatching := b.Watch()
	defer stopWatching()
	if err := a.RevokeJTI(t.Context(), idp.Actor{}, "j", when.Add(time.Hour), when); err != nil {
		t.Fatal(err)
	}
	select {
	case <-events:
	case <-time.After(10 * time.Second):
		t.Error("no poke for a rule of the other node")
	}
}

// TestPostgres_UnannouncedChange: a notification that is lost delays, and hides nothing.
func TestPostgres_UnannouncedChange(t *testing.T) {
	t.Parallel()
	a, b := openNodes(t)
	events, stop := b.Watch()
	defer stop()
	err := a.Verb(t.Context(), func(exec func(string, ...any) error) error { // says nothing to anybody
		return exec("UPDATE heads SET seq = seq + 1 WHERE name = 'changes'")
	})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-events:
	case <-time.After(10 * time.Second):
		t.Error("the other node has not looked")
	}
}

// TestPostgres_BehindAsksTheDatabase: a node that cannot see the log does not believe its
// memory.
func TestPostgres_BehindAsksTheDatabase(t *testing.T) {
	t.Parallel()
	a, b := openNodes(t)
	d := followed(t, b)
	if err := a.PutClient(t.Context(), idp.Actor{}, named("first"), when); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the directory holds the client", func() bool { return d.Holds("app") })
	sql := func(statement string, args ...any) {
		t.Helper()
		if err := a.Verb(t.Context(), func(exec func(string, ...any) error) error { return exec(statement, args...) }); err != nil {
			t.Fatal(err)
		}
	}
	sql("ALTER TABLE heads RENAME TO hidden")
	sql("UPDATE clients SET metadata = $1 WHERE id = 'app'", `{"client_name":"second"}`)
	eventually(t, "the node asks the database", func() bool {
		c, err := d.Client(t.Context(), "app")
		return err == nil && c.Name == "second"
	})
	sql("ALTER TABLE hidden RENAME TO heads")
	eventually(t, "the node believes its memory again", func() bool { return d.Holds("app") })
}

// TestPostgres_LostCommitAnswer: what has happened is acknowledged although the answer was
// lost, and what has not is refused. STO-03
func TestPostgres_LostCommitAnswer(t *testing.T) {
	t.Parallel()
	dsn, faults := pgtest.Database(t), &store.Faults{}
	db, other := openDSN(t, dsn, faults), openDSN(t, dsn, nil)
	ctx := t.Context()

	faults.Set(store.PointAfterCommit, func() error { return errors.New("connection reset") })
	if err := db.PutSetting(ctx, "happened", nil); err != nil {
		t.Errorf("committed, and answered by %v", err)
	}
	if _, err := db.Setting(ctx, "happened"); err != nil {
		t.Errorf("acknowledged and not there: %v", err)
	}
	faults.Set(store.PointAfterCommit, nil)

	faults.Set(store.PointBeforeCommit, func() error { // the server loses the connection, and with it the transaction
		_, err := other.Int(ctx, `SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE datname = current_database() AND state = 'idle in transaction'`)
		return err
	})
	if err := db.PutSetting(ctx, "lost", nil); !errors.Is(err, idp.ErrUnavailable) {
		t.Errorf("rolled back, and answered by %v", err)
	}
	faults.Set(store.PointBeforeCommit, nil)
	if _, err := db.Setting(ctx, "lost"); !errors.Is(err, idp.ErrNotFound) {
		t.Errorf("refused and there: %v", err)
	}

	faults.Set(store.PointBeforeCommit, func() error { return errors.New("disk on fire") })
	if err := db.PutSetting(ctx, "burnt", nil); !errors.Is(err, idp.ErrUnavailable) {
		t.Errorf("before the commit: %v", err)
	}
	faults.Set(store.PointBeforeCommit, nil)
	if _, err := db.Setting(ctx, "burnt"); !errors.Is(err, idp.ErrNotFound) {
		t.Errorf("refused and there: %v", err)
	}
	if err := db.PutSetting(ctx, "after", nil); err != nil {
		t.Errorf("when all is well again: %v", err)
	}
}

// TestPostgres_OutcomeElsewhere: on the timeline of a server that took over, a number may
// be another transaction's, so nothing follows from it. STO-03
func TestPostgres_OutcomeElsewhere(t *testing.T) {
	t.Parallel()
	db := openDSN(t, pgtest.Database(t), nil)
	number, timeline, err := db.CommittedTransaction(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if committed, err := db.Outcome(number, timeline); !committed || err != nil {
		t.Errorf("on its own timeline: %v, %v", committed, err)
	}
	if committed, err := db.Outcome(number, timeline+"x"); committed || err == nil {
		t.Errorf("on another timeline: %v, %v", committed, err)
	}
}

// TestPostgres_Deadlock: two verbs that wait for each other both happen.
func TestPostgres_Deadlock(t *testing.T) {
	t.Parallel()
	a, b := openNodes(t)
	for _, name := range []string{"x", "y"} {
		if err := a.PutSetting(t.Context(), name, []byte{0}); err != nil {
			t.Fatal(err)
		}
	}
	meet, tries := make(chan struct{}), make(chan struct{}, 100)
	swap := func(db *store.DB, first, second string, met func()) error {
		var once sync.Once
		return db.Verb(t.Context(), func(exec func(string, ...any) error) error {
			tries <- struct{}{}
			if err := exec("UPDATE settings SET value = $2 WHERE name = $1", first, []byte(first)); err != nil {
				return err
			}
			once.Do(met)
			return exec("UPDATE settings SET value = $2 WHERE name = $1", second, []byte(first))
		})
	}
	var both sync.WaitGroup
	both.Go(func() {
		if err := swap(a, "x", "y", func() { meet <- struct{}{} }); err != nil {
			t.Error(err)
		}
	})
	both.Go(func() {
		if err := swap(b, "y", "x", func() { <-meet }); err != nil {
			t.Error(err)
		}
	})
	both.Wait()
	if len(tries) < 3 { // more, if on a busy machine they meet again
		t.Errorf("%d tries, want 3: one verb is given up once and run again", len(tries))
	}
	x, err1 := a.Setting(t.Context(), "x")
	y, err2 := a.Setting(t.Context(), "y")
	if err := errors.Join(err1, err2); err != nil || string(x) != string(y) {
		t.Errorf("x is %s, y is %s, %v: half a verb", x, y, err)
	}
}

// TestPostgres_Restart: while the server is gone everything is refused; when it is back
// the first caller is served, on connections that were all lost.
func TestPostgres_Restart(t *testing.T) {
	t.Parallel()
	cluster := pgtest.Durable(t)
	db := openDSN(t, cluster.URL("postgres"), nil)
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if err := db.PutSetting(t.Context(), "x", nil); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if err := cluster.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := db.PutSetting(t.Context(), "y", nil); !errors.Is(err, idp.ErrUnavailable) {
		t.Errorf("write without a server: %v", err)
	}
	if _, err := db.Setting(t.Context(), "x"); !errors.Is(err, idp.ErrUnavailable) {
		t.Errorf("read without a server: %v", err)
	}
	if err := cluster.Start(); err != nil {
		t.Fatal(err)
	}
	for range 40 {
		if err := db.PutSetting(t.Context(), "y", nil); err != nil {
			t.Errorf("write when it is back: %v", err)
		}
		if _, err := db.Setting(t.Context(), "x"); err != nil {
			t.Errorf("read when it is back: %v", err)
		}
	}
}

// BenchmarkPostgres_Rotate and BenchmarkPostgres_Revoke run on a server that syncs. A
// rotation is alone with its row; revocations wait for each other at the head of the log,
// so that its numbers have no gap.
func BenchmarkPostgres_Rotate(b *testing.B) {
	w := bench{TB: b, DB: openDSN(b, pgtest.Durable(b).URL("postgres"), nil)}
	w.furnish()
	by := w.user(0)
	type family struct{ handle, current [32]byte }
	families := make(chan *family, 64)
	for range cap(families) {
		f := new(family)
		f.handle, f.current = w.family(by)
		families <- f
	}
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		f := <-families
		for now := when; pb.Next(); now = now.Add(31 * time.Second) {
			next := secret.Key()
			out, _, err := w.RotateRefreshToken(b.Context(), by, f.handle, f.current, next, make([]byte, 44), 30*time.Second, now)
			if err != nil || out != idp.Rotated {
				b.Error(out, err)
				return
			}
			f.current = next
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rotations/s")
}

func BenchmarkPostgres_Revoke(b *testing.B) {
	w := bench{TB: b, DB: openDSN(b, pgtest.Durable(b).URL("postgres"), nil)}
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := w.RevokeJTI(b.Context(), idp.Actor{Kind: "client"}, secret.ID(), when.Add(time.Hour), when); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rules/s")
}

// TestPostgres_ReadersCannotWrite: a query that changes something is refused by the server.
func TestPostgres_ReadersCannotWrite(t *testing.T) {
	t.Parallel()
	db := openDSN(t, pgtest.Database(t), nil)
	if err := db.TryWriteAsReader(t.Context(), "DELETE FROM heads"); err == nil {
		t.Error("a reading connection changed something")
	}
}

// TestPostgres_RowSizes: what a login and a rotation write, in tables and in the log that
// goes to the disk and to replicas. Rotating changes rows in place and no index.
func TestPostgres_RowSizes(t *testing.T) {
	t.Parallel()
	b := bench{TB: t, DB: openDSN(t, pgtest.Durable(t).URL("postgres"), nil)} // the log is the whole server's
	b.furnish()
	by := b.user(0)
	number := func(query string) int64 {
		t.Helper()
		n, err := b.Int(t.Context(), query)
		b.must(err)
		return n
	}
	tables := func() int64 {
		return number("SELECT CAST(SUM(pg_total_relation_size(oid)) AS BIGINT) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
	}
	log := func() int64 { return number("SELECT CAST(pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') AS BIGINT)") }
	const n = 400
	bytes, wal := tables(), log()
	for range n {
		b.login(by)
	}
	t.Logf("%d bytes a login in tables, passing rows included; %d in the log", (tables()-bytes)/n, (log()-wal)/n)

	handle, current := b.family(by)
	hot := func() int64 { // updates that touched no index; the server counts a second later
		return number("SELECT n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'grants'")
	}
	before := hot()
	bytes, wal = tables(), log()
	for i := range n {
		next := secret.Key()
		out, _, err := b.RotateRefreshToken(t.Context(), by, handle, current, next, make([]byte, 44), 30*time.Second, when.Add(time.Duration(i)*time.Minute))
		if err != nil || out != idp.Rotated {
			t.Fatal(out, err)
		}
		current = next
	}
	t.Logf("%d bytes a rotation in tables, %d in the log", (tables()-bytes)/n, (log()-wal)/n)
	if grown := tables() - bytes; grown > 64<<10 {
		t.Errorf("%d rotations took %d bytes", n, grown)
	}
	eventually(t, "nearly all rotations touch no index", func() bool { return hot()-before > n*9/10 })
}

// TestPostgres_PlansUseIndexes: a plan that was made while the tables were empty must not
// read them from end to end when they are full.
func TestPostgres_PlansUseIndexes(t *testing.T) {
	t.Parallel()
	db := openDSN(t, pgtest.Database(t), nil)
	ctx := t.Context()
	session := idp.Session{ID: "s", UserID: "u", CreatedAt: when, AuthTime: when, LastSeenAt: when, IdleExpiresAt: when.Add(time.Hour), ExpiresAt: when.Add(time.Hour)}
	if err := errors.Join(
		db.CreateUser(ctx, idp.Actor{}, idp.User{ID: "u", Username: "ann"}, "", when),
		db.PutClient(ctx, idp.Actor{}, named("app"), when),
		db.CreateSession(ctx, idp.Actor{}, session, [32]byte{1}),
	); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		g := idp.Grant{ID: secret.ID(), UserID: "u", ClientID: "app", SessionID: "s", ExpiresAt: when.Add(time.Hour)}
		code := idp.Code{Hash: [32]byte{byte(i), 1}, GrantID: g.ID, ClientID: "app", ExpiresAt: when.Add(time.Minute)}
		r := idp.RefreshToken{HandleHash: [32]byte{byte(i), 2}, CurrentHash: [32]byte{byte(i), 3}, GrantID: g.ID, ExpiresAt: when.Add(time.Hour)}
		if err := db.IssueCode(ctx, idp.Actor{}, idp.Approval{}, g, code, when); err != nil {
			t.Fatal(err)
		}
		_, _, err1 := db.Code(ctx, code.Hash, when)
		err2 := db.RedeemCode(ctx, idp.Actor{}, code.Hash, &r, when)
		_, _, err3 := db.Refresh(ctx, r.HandleHash, when)
		_, _, err4 := db.RotateRefreshToken(ctx, idp.Actor{}, r.HandleHash, r.CurrentHash, [32]byte{9}, nil, time.Second, when)
		_, _, err5 := db.Session(ctx, [32]byte{1}, when)
		if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
			t.Fatal(err)
		}
	}
	const watched = "relname IN ('users', 'clients', 'sessions', 'grants', 'codes')"
	eventually(t, "the server counts our look-ups", func() bool { // it does so a second later
		n, err := db.Int(ctx, "SELECT CAST(MIN(idx_scan) AS BIGINT) FROM pg_stat_user_tables WHERE "+watched)
		return err == nil && n > 0
	})
	// Each index was made by one scan of the empty table.
	tables, err := db.Text(ctx, "SELECT COALESCE(string_agg(relname || ' ' || seq_scan, ', '), '') FROM pg_stat_user_tables WHERE seq_scan > 10 AND "+watched)
	if err != nil || tables != "" {
		t.Errorf("read from end to end: %s, %v", tables, err)
	}
}

// TestOpen_PostgresAdvice: the errors of a first start say what to do.
func TestOpen_PostgresAdvice(t *testing.T) {
	t.Parallel()
	at := pgtest.Database(t)
	owner := openDSN(t, at, nil)
	if err := owner.Verb(t.Context(), func(exec func(string, ...any) error) error { return exec("CREATE ROLE stranger LOGIN") }); err != nil {
		t.Fatal(err)
	}
	for dsn, want := range map[string]string{
		"postgres://localhost:1/x?sslmode=disable":                               "is PostgreSQL running there",
		strings.Replace(at, "postgres:///test", "postgres:///none", 1):           "make it first: CREATE DATABASE",
		strings.Replace(at, "user=postgres", "user=nobody", 1):                   "database_password_file",
		strings.Replace(pgtest.Database(t), "user=postgres", "user=stranger", 1): "must belong to the user",
	} {
		_, err := store.Open(t.Context(), dsn, store.Options{RuleLifetime: time.Minute})
		if err == nil || !strings.Contains(err.Error(), want) || strings.ContainsAny(err.Error(), "\n\t") {
			t.Errorf("%s: %v, want %q", dsn, err, want)
		}
	}
}

// OPS-01: what is wrong with a name is said without the password in it.
func TestOpen_PostgresNameHasNoPassword(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{
		"postgres://ann:hunter2@localhost:1/x?connect_timeout=1", "postgres://ann:hunter2@localhost:99999/x", "postgres://ann:hunter2@localhost/x?sslmode=hunter",
		"postgres://ann:hunter2@%zz/x",
	} {
		_, err := store.Open(t.Context(), dsn, store.Options{RuleLifetime: time.Minute})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", dsn, err)
		}
	}
}
