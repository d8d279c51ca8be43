package verify_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signet-id/signet/verify"
)

// TestMain keeps the troubles that tests make out of their output.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	m.Run()
}

// logged is a log that a test reads while others write.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// take returns the lines since the last call.
func (l *logged) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.text.Reset()
	return strings.Split(strings.TrimSuffix(l.text.String(), "\n"), "\n")
}

func (l *logged) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// Not parallel: the default logger is everybody's.
func TestReport_DefaultLogger(t *testing.T) {
	defer slog.SetDefault(slog.Default())
	var l logged
	slog.SetDefault(l.logger())
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.set(func() {
			w.metadata = func(*http.Request) reply {
				return reply{200, "application/json", `{"issuer":"https://signet.example.com","jwks_uri":"` + issuer + `/jwks.json"}`, nil}
			}
		})
		v, err := verify.New(issuer, audience, verify.HTTPClient(&http.Client{Transport: w}))
		if err != nil {
			t.Fatal(err)
		}
		w.run(v)
		synctest.Wait()
		got := l.take()
		for _, part := range []string{"level=WARN", "part=keys", "another issuer", `\"https://signet.example.com\"`, `\"` + issuer + `\"`, "accepting=false"} {
			if len(got) != 1 || !strings.Contains(got[0], part) {
				t.Errorf("no %s in one line: %q", part, got)
			}
		}
	})
}

// A log of hours of one trouble can be read; another trouble is not missed in it, and the
// end of Run is none.
func TestReport_SeldomTheSame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l logged
		w := newWorld(t)
		up := w.goDown()
		v, err := verify.New(issuer, audience, verify.HTTPClient(&http.Client{Transport: w}), verify.Logger(l.logger()))
		if err != nil {
			t.Fatal(err)
		}
		stop := w.run(v)
		time.Sleep(10*time.Minute + time.Second)
		if tries, got := w.count("/.well-known/openid-configuration"), l.take(); len(got) < 9 || len(got) > 11 || tries < 100 {
			t.Errorf("ten minutes: %d lines of %d failures", len(got), tries)
		}
		up()
		w.set(func() { w.keys = func(*http.Request) reply { return reply{200, "text/html", "", nil} } })
		time.Sleep(15 * time.Second)
		if got := l.take(); len(got) != 1 || !strings.Contains(got[0], "wrong content type") {
			t.Errorf("another trouble: %q", got)
		}
		stop()
		if got := l.take(); len(got) != 1 || got[0] != "" {
			t.Errorf("the end: %q", got)
		}
	})
}

// Two troubles that alternate, as errors with port numbers do, do not fill the log.
func TestReport_Alternating(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l logged
		w := newWorld(t)
		n := 0
		w.set(func() {
			w.metadata = func(*http.Request) reply { n++; return reply{400 + n, "text/html", "", nil} }
		})
		v, err := verify.New(issuer, audience, verify.HTTPClient(&http.Client{Transport: w}), verify.Logger(l.logger()))
		if err != nil {
			t.Fatal(err)
		}
		w.run(v)
		time.Sleep(10 * time.Minute)
		if got := l.take(); len(got) < 60 || len(got) > 121 {
			t.Errorf("ten minutes: %d lines", len(got))
		}
	})
}

func TestReport_RunWasNotCalled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l logged
		w := newWorld(t)
		v, err := verify.New(issuer, audience, verify.HTTPClient(&http.Client{Transport: w}), verify.Logger(l.logger()))
		if err != nil {
			t.Fatal(err)
		}
		protected := v.Require()(http.NotFoundHandler())
		ask := func(want int) {
			t.Helper()
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("Authorization", "Bearer "+w.token(nil))
			a := httptest.NewRecorder()
			if protected.ServeHTTP(a, r); a.Code != want {
				t.Errorf("%d, want %d", a.Code, want)
			}
		}
		if _, err := v.Verify(background, w.token(nil)); !errors.Is(err, verify.ErrNotReady) {
			t.Errorf("Verify: %v", err)
		}
		if got := l.take(); got[0] != "" {
			t.Errorf("Verify itself has written: %q", got)
		}
		ask(503)
		ask(503)
		if got := l.take(); len(got) != 1 || !strings.Contains(got[0], "verify: Run was not called") || !strings.Contains(got[0], issuer) {
			t.Errorf("twice 503: %q", got)
		}
		w.run(v)
		synctest.Wait()
		ask(404)
	})
}

// Who waits for the issuer with Run active has not forgotten it.
func TestReport_RunIsActive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l logged
		w := newWorld(t)
		w.set(func() { w.feed = (*conn).hold })
		v := w.start(verify.Logger(l.logger()))
		synctest.Wait()
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "Bearer "+w.token(nil))
		a := httptest.NewRecorder()
		v.Require()(http.NotFoundHandler()).ServeHTTP(a, r)
		if got := l.take(); a.Code != 503 || got[0] != "" {
			t.Errorf("%d %q", a.Code, got)
		}
	})
}

func TestRevokedError_Text(t *testing.T) {
	t.Parallel()
	for kind, want := range map[verify.RuleKind]string{
		verify.RuleJTI:     "revoked token: its token id was revoked (rule 7)",
		verify.RuleGrant:   "revoked token: its grant was revoked (rule 7)",
		verify.RuleSession: "revoked token: its session was revoked (rule 7)",
		verify.RuleClient:  "revoked token: its client was revoked (rule 7)",
		verify.RuleKey:     "revoked token: its key was revoked (rule 7)",
		verify.RuleAll:     "revoked token: all tokens were revoked (rule 7)",
	} {
		if got := (&verify.RevokedError{Rule: verify.Rule{Kind: kind, Seq: 7}}).Error(); got != want {
			t.Errorf("%s: %s", kind, got)
		}
	}
}
