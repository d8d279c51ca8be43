package server_test

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signet-id/signet/internal/server"
)

// TestReadyz_TellsTheTruth: a database that refuses to be written makes a node not ready,
// and it recovers without a restart; each part has its name.
func TestReadyz_TellsTheTruth(t *testing.T) {
	t.Parallel()
	s := start(t, false, nil)
	ready := func() bool {
		code, _ := s.get(t, "/readyz")
		return code == http.StatusOK
	}
	until(t, "ready", ready)
	code, text := s.get(t, "/readyz?verbose")
	if code != http.StatusOK || text != "accepting requests: ok\ndatabase: ok\nclock: ok\nkeys: ok\nrevocations: ok\n" {
		t.Errorf("%d: %s", code, text)
	}
	// Another connection makes the database refuse what the server writes, as a full disk would.
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.dir, "signet.db")+"?_busy_timeout=5000")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "CREATE TRIGGER full BEFORE INSERT ON settings BEGIN SELECT RAISE(ABORT, 'no room'); END"); err != nil {
		t.Fatal(err)
	}
	until(t, "not ready", func() bool { return !ready() })
	if code, text := s.get(t, "/readyz?verbose"); code != http.StatusServiceUnavailable || !strings.Contains(text, "database: not ready\nclock: ok\n") || strings.Contains(text, "room") {
		t.Errorf("%d: %s", code, text)
	}
	if code, _ := s.get(t, "/livez"); code != http.StatusOK {
		t.Errorf("alive: %d", code) // a restart would not help
	}
	until(t, "a line in the log", func() bool {
		return !ready() && strings.Contains(s.log.String(), `says what to do" part=database cause="ping: `)
	})
	if _, err := db.ExecContext(t.Context(), "DROP TRIGGER full"); err != nil {
		t.Fatal(err)
	}
	until(t, "ready again", ready)
	if !strings.Contains(s.log.String(), `msg="ready again" part=database`) {
		t.Error("the log does not say that it is ready again")
	}
}

// TestHealth_DOS01_OneLookForAll: strangers who ask do not make the database write more
// than once a second, and a look that hangs holds nobody up.
func TestHealth_DOS01_OneLookForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var h server.Health
		looks, broken := 0, errors.New("broken")
		slow := func(ctx context.Context) error {
			looks++
			time.Sleep(500 * time.Millisecond) // time is not real here
			return broken
		}
		var all sync.WaitGroup
		for range 1000 {
			all.Go(func() {
				if err := h.Of(t.Context(), time.Now(), slow); !errors.Is(err, broken) {
					t.Errorf("got %v", err)
				}
			})
		}
		all.Wait()
		well := func(context.Context) error { looks++; return nil }
		if err := h.Of(t.Context(), time.Now(), well); !errors.Is(err, broken) || looks != 1 {
			t.Errorf("within the second: %v, %d looks", err, looks)
		}
		time.Sleep(time.Second)
		if err := h.Of(t.Context(), time.Now(), well); err != nil || looks != 2 {
			t.Errorf("a second later: %v, %d looks", err, looks)
		}
		if err := h.Of(t.Context(), time.Now().Add(-time.Hour), well); err != nil || looks != 3 {
			t.Errorf("a clock that was set back: %v, %d looks", err, looks)
		}
		time.Sleep(time.Second)

		// A database that hangs.
		hang := func(ctx context.Context) error { time.Sleep(time.Minute); return nil }
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		begun := time.Now()
		if err := h.Of(ctx, begun, hang); err == nil || time.Since(begun) != 2*time.Second {
			t.Errorf("hanging: %v after %v", err, time.Since(begun))
		}
		time.Sleep(time.Minute)
		if err := h.Of(t.Context(), time.Now(), well); err != nil {
			t.Errorf("when it answers again: %v", err)
		}
	})
}
