package store_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/store"
	"github.com/signet-id/signet/internal/store/storetest"
)

func TestOpen_RefusesNames(t *testing.T) {
	t.Parallel()
	o := store.Options{RuleLifetime: time.Minute}
	for _, dsn := range []string{"", "sqlite:", "sqlite::memory:", "mysql://x", "postgres:x", "/tmp/x.db", "postgres://u:hunter2@localhost:99999/x", "postgres://localhost/x?pool_max_conns=1"} {
		if _, err := store.Open(t.Context(), dsn, o); !errors.Is(err, idp.ErrInvalid) {
			t.Errorf("Open(%q): %v", dsn, err)
		}
	}
	if _, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "x.db"), store.Options{}); !errors.Is(err, idp.ErrInvalid) {
		t.Errorf("no rule lifetime: %v", err)
	}
	if _, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "no", "such", "dir", "x.db"), o); err == nil {
		t.Error("opened in a directory that does not exist")
	}
	notADatabase := filepath.Join(t.TempDir(), "x.db")
	if err := os.WriteFile(notADatabase, []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), "sqlite:"+notADatabase, o); err == nil {
		t.Error("opened a file that is not a database")
	}
}

// A name is a name, not a URI with parameters.
func TestOpen_OddPaths(t *testing.T) {
	t.Parallel()
	names := []string{"plain.db", "with space.db", "50%25.db", "a#b.db", "ünï.db", "a&mode=memory.db"}
	if runtime.GOOS != "windows" {
		names = append(names, "a?mode=memory&_query_only=1.db")
	}
	for _, name := range names {
		path := filepath.Join(t.TempDir(), name)
		db := openAt(t, path)
		if err := db.PutSetting(t.Context(), "x", nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Size() == 0 {
			t.Errorf("%s: not stored under its name: %v", name, err)
		}
	}
}

// STO-09: only the owner reads the file and its side files, also when it was there before.
func TestOpen_FilesArePrivate(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("modes are a matter of unix")
	}
	path := filepath.Join(t.TempDir(), "signet.db")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	db := openAt(t, path)
	if err := db.PutSetting(t.Context(), "x", nil); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) < 4 {
		t.Fatalf("files: %v, %v", files, err)
	}
	for _, f := range files {
		if info, err := os.Stat(f); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f, info.Mode(), err)
		}
	}
}

func TestOpen_RefusesASecondProcess(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "signet.db")
	db := openAt(t, path)
	_, err := store.Open(t.Context(), "sqlite:"+path, store.Options{RuleLifetime: time.Minute})
	if !errors.Is(err, store.ErrInUse) || !strings.Contains(err.Error(), "database is in use by another process") {
		t.Errorf("second Open: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	openAt(t, path)
}

func TestOpen_RefusesOldLibraries(t *testing.T) {
	t.Parallel()
	for version, safe := range map[string]bool{
		"3.51.3": true, "3.51.10": true, "3.52.0": true, "4.0.0": true, "3.51.3.1": true,
		"3.51.2": false, "3.9.9": false, "3.50.4": false, "2.99.99": false, "3.51": false, "": false, "x": false,
	} {
		if err := store.CheckVersion(version); (err == nil) != safe {
			t.Errorf("version %q: %v", version, err)
		}
	}
}

func TestSettings_OfConnections(t *testing.T) {
	t.Parallel()
	db := openTemp(t)
	if err := db.TryWriteAsReader(t.Context(), "DELETE FROM settings"); err == nil {
		t.Error("a reading connection writes")
	}
	for pragma, want := range map[string]int64{"synchronous": 2, "wal_autocheckpoint": 0, "trusted_schema": 0, "query_only": 1} {
		if got, err := db.Int(t.Context(), "PRAGMA "+pragma); err != nil || got != want {
			t.Errorf("%s = %d, %v; want %d", pragma, got, err, want)
		}
	}
	loose, err := db.Text(t.Context(), "SELECT COALESCE(group_concat(name), '') FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite%' AND strict = 0")
	if err != nil || loose != "" {
		t.Errorf("tables that are not strict: %q, %v", loose, err)
	}
}

func TestMigrate_Again(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "signet.db")
	db := openAt(t, path)
	before, err := db.Text(t.Context(), "SELECT group_concat(sql) FROM sqlite_schema")
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Migrate(db); err != nil {
		t.Error(err)
	}
	if err := db.Verb(t.Context(), func(exec execFunc) error {
		return exec("INSERT INTO migrations (version, name) VALUES (9999, 'of a later release')")
	}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = openAt(t, path) // STO-10: the release before runs on the newer schema
	after, err := db.Text(t.Context(), "SELECT group_concat(sql) FROM sqlite_schema")
	if err != nil || before != after {
		t.Errorf("schema changed: %v", err)
	}
}

// Close leaves one file that has everything, so that an operator may move it.
func TestClose_LeavesOneFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "signet.db")
	db := openAt(t, path)
	if err := db.PutSetting(t.Context(), "x", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Setting(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(path + "*")
	if err != nil || strings.Join(files, " ") != path+" "+path+".lock" {
		t.Errorf("files: %v, %v", files, err)
	}
}

// STO-01: what was acknowledged is there after the file was closed and opened again.
func TestReopen_ShowsWhatWasAcknowledged(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "signet.db")
	db := openAt(t, path)
	now := time.Now()
	epoch, _, err := db.RevocationHead(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		if err := db.PutSetting(t.Context(), strconv.Itoa(i), []byte("v")); err != nil {
			t.Fatal(err)
		}
		if err := db.RevokeJTI(t.Context(), idp.Actor{}, strconv.Itoa(i), now.Add(time.Hour), now); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.PutClient(t.Context(), idp.Actor{}, idp.Client{ID: "app"}, now); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = openAt(t, path)
	again, seq, err := db.RevocationHead(t.Context())
	if err != nil || again != epoch || seq != 50 {
		t.Errorf("head after reopening: %q %d %v, want %q 50", again, seq, err, epoch)
	}
	for i := range 50 {
		if v, err := db.Setting(t.Context(), strconv.Itoa(i)); err != nil || string(v) != "v" {
			t.Errorf("setting %d: %q, %v", i, v, err)
		}
	}
	d := store.NewDirectory(db)
	if _, err := d.Client(t.Context(), "app"); err != nil {
		t.Error(err)
	}
}

// STO-02: a full disk is a refusal, not a loss, and the file is whole afterwards.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	db := openTemp(t)
	ctx := t.Context()
	if err := db.PutSetting(ctx, "before", []byte("v")); err != nil {
		t.Fatal(err)
	}
	limit := func(pages int64) {
		t.Helper()
		if err := db.Verb(ctx, func(exec execFunc) error { return exec(fmt.Sprintf("PRAGMA max_page_count = %d", pages)) }); err != nil {
			t.Fatal(err)
		}
	}
	pages, err := db.Int(ctx, "PRAGMA page_count")
	if err != nil {
		t.Fatal(err)
	}
	limit(pages + 5)
	stored := map[string]bool{}
	for i := range 30 {
		name := fmt.Sprint("big ", i)
		err := db.PutSetting(ctx, name, make([]byte, 3000))
		if stored[name] = err == nil; err != nil && !errors.Is(err, idp.ErrUnavailable) {
			t.Errorf("on a full disk: %v", err)
		}
	}
	if stored["big 29"] || !stored["big 0"] {
		t.Fatalf("the disk was not full: %v", stored)
	}
	if err := db.Ping(ctx); !errors.Is(err, idp.ErrUnavailable) {
		t.Errorf("ping on a full disk: %v", err)
	}
	// Neighbours of a verb that fills the disk are refused with it or stored without it.
	answers := queued(t, db, put("small"), func(exec execFunc) error {
		return exec("INSERT INTO settings (name, value) VALUES ('huge', $1)", make([]byte, 1<<20))
	}, put("small too"))
	if answers[1] == nil {
		t.Error("a row larger than the disk was acknowledged")
	}
	stored["small"], stored["small too"], stored["huge"] = answers[0] == nil, answers[2] == nil, false
	limit(1 << 30)
	if err := db.Ping(ctx); err != nil {
		t.Errorf("ping when there is room again: %v", err)
	}
	for name, want := range stored {
		if _, err := db.Setting(ctx, name); (err == nil) != want {
			t.Errorf("%s: acknowledged %v, stored %v", name, want, err == nil)
		}
	}
	if err := db.PutSetting(ctx, "after", nil); err != nil {
		t.Error(err)
	}
	if result, err := db.Text(ctx, "PRAGMA integrity_check"); err != nil || result != "ok" {
		t.Errorf("integrity: %s, %v", result, err)
	}
}

// The write-ahead log begins anew under load instead of growing with it.
func TestCheckpoint_BoundsTheLog(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("writes 200 MB")
	}
	path := filepath.Join(t.TempDir(), "signet.db")
	db := openAt(t, path)
	done := make(chan error, 4)
	for worker := range 4 {
		go func() {
			for i := range 3000 {
				value := bytes.Repeat([]byte{byte(i), byte(i >> 8)}, 8000) // equal pages are not written again
				if err := db.PutSetting(t.Context(), fmt.Sprint(worker, i%50), value); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(path + "-wal")
	if err != nil || info.Size() > 120<<20 {
		t.Errorf("write-ahead log: %d MB, %v", info.Size()>>20, err)
	}
}

// TestKill ends a process without warning while it writes, again and again: nothing that
// it acknowledged is lost, and the log of revocations has no gap (STO-01).
func TestKill(t *testing.T) {
	t.Parallel()
	kills := 10
	if testing.Short() {
		kills = 2
	}
	path := filepath.Join(t.TempDir(), "signet.db")
	acknowledged := map[string]bool{}
	for range kills {
		writeUntilKilled(t, path, 300, acknowledged)
		begun := time.Now()
		db := openAt(t, path)
		if d := time.Since(begun); d > 2*time.Second {
			t.Errorf("ready after %s", d)
		}
		rules, err := db.Rules(t.Context(), 0, 1<<30, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		stored := map[string]bool{}
		for i, r := range rules {
			if r.Seq != int64(i+1) {
				t.Fatalf("rule %d has number %d", i+1, r.Seq)
			}
			stored[r.ID] = true
			if _, err := db.Setting(t.Context(), r.ID); err != nil { // written before by the same caller
				t.Fatalf("rule %s without its setting: %v", r.ID, err)
			}
		}
		if _, head, err := db.RevocationHead(t.Context()); err != nil || head != int64(len(rules)) {
			t.Fatalf("head %d, %d rules, %v", head, len(rules), err)
		}
		for id := range acknowledged {
			if !stored[id] {
				t.Fatalf("%s was acknowledged and is lost (%d of %d)", id, len(stored), len(acknowledged))
			}
		}
		if result, err := db.Text(t.Context(), "PRAGMA integrity_check"); err != nil || result != "ok" {
			t.Fatalf("integrity: %s, %v", result, err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d kills, %d acknowledged writes", kills, len(acknowledged))
}

const childEnv = "SIGNET_STORETEST_CHILD"

// writeUntilKilled starts this test as a process that writes and says what was
// acknowledged, and kills it after n of its lines.
func writeUntilKilled(t *testing.T, path string, n int, acknowledged map[string]bool) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(self, "-test.run=^TestKill_Child$", "-test.v=false")
	child.Env = append(os.Environ(), childEnv+"="+path)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	read := 0
	for lines.Scan() {
		id, ok := strings.CutPrefix(lines.Text(), "stored ")
		if !ok {
			continue
		}
		acknowledged[id] = true
		if read++; read == n {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil || read < n {
		t.Fatalf("child: %v after %d lines", err, read)
	}
}

// TestKill_Child is the process that TestKill kills.
func TestKill_Child(t *testing.T) {
	path := os.Getenv(childEnv)
	if path == "" {
		t.Skip("runs as a child of TestKill")
	}
	db, err := store.Open(context.Background(), "sqlite:"+path, store.Options{RuleLifetime: storetest.RuleLifetime})
	if err != nil {
		t.Fatal(err)
	}
	failed := make(chan error)
	for range 8 {
		go func() {
			for {
				id := secret.ID()
				err := db.PutSetting(context.Background(), id, nil)
				if err == nil {
					err = db.RevokeJTI(context.Background(), idp.Actor{Kind: "system"}, id, time.Now().Add(time.Hour), time.Now())
				}
				if err != nil {
					failed <- err
					return
				}
				fmt.Printf("stored %s\n", id)
			}
		}()
	}
	t.Fatal(<-failed)
}

// TestDestroyedKeyIsInNoFile: what a retired key's row held is in no file of a server that
// runs, neither in the database nor in its log. STO-09
func TestDestroyedKeyIsInNoFile(t *testing.T) {
	t.Parallel()
	dir, ctx, now := t.TempDir(), t.Context(), time.Now()
	db := openAt(t, filepath.Join(dir, "signet.db"))
	by := idp.Actor{Kind: "system"}
	private := func(n string) []byte { return []byte("canary " + n + strings.Repeat(n, 1200)) } // as long as an RSA key
	held := func(n string) bool {
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(files) < 3 {
			t.Fatal(files, err)
		}
		for _, name := range files {
			content, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(content, private(n)) {
				return true
			}
		}
		return false
	}
	for _, n := range []string{"1", "2", "3"} {
		k := idp.SigningKey{ID: "k" + n, Alg: "A" + n, Sealed: private(n), StagedAt: now, ActiveAt: now, RetiringAt: now}
		if err := db.AddSigningKey(ctx, by, k, false, now); err != nil {
			t.Fatal(err)
		}
		if !held(n) {
			t.Fatal("the test does not see what it looks for")
		}
	}
	for n, destroy := range map[string]func() error{
		"1": func() error { return db.RetireKey(ctx, by, "k1", now) },
		"2": func() error { return db.FinishKey(ctx, by, "k2", []byte("public"), now) },
		"3": func() error { return db.ResealKey(ctx, by, "k3", private("3"), []byte("anew"), now) },
	} {
		if err := destroy(); err != nil {
			t.Fatal(err)
		}
		if held(n) {
			t.Errorf("k%s is still in a file", n)
		}
	}
}
