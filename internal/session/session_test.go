package session_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/session"
	"github.com/signet-id/signet/internal/store"
)

const (
	sessionName = "__Host-signet"
	flowName    = "__Host-signet-flow"
)

// world is a database with two users, a clock, and the sessions on top.
type world struct {
	t        *testing.T
	db       *store.DB
	sessions *session.Manager
	now      time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "signet.db"), store.Options{RuleLifetime: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w := &world{t: t, db: db, now: time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)}
	w.sessions = session.New(db, session.Lifetimes{}, func() time.Time { return w.now })
	for _, name := range []string{"ann", "bob"} {
		if err := db.CreateUser(t.Context(), idp.Actor{Kind: "system"}, idp.User{ID: name + "-id", Username: name, CreatedAt: w.now}, "", w.now); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// browser keeps cookies as a browser does, and counts which ones it was sent.
type browser map[string]string

func (b browser) request() *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	for name, value := range b {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return r
}

// keep takes the answer's cookies over and checks their attributes.
func (b browser) keep(t *testing.T, rec *httptest.ResponseRecorder) {
	t.Helper()
	for _, c := range rec.Result().Cookies() {
		if !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || !strings.HasPrefix(c.Name, "__Host-") {
			t.Errorf("cookie attributes: %s", c.Raw)
		}
		if c.MaxAge < 0 {
			delete(b, c.Name)
		} else {
			b[c.Name] = c.Value
		}
	}
}

func (w *world) login(b browser, userID string) idp.Session {
	w.t.Helper()
	rec := httptest.NewRecorder()
	by := idp.Actor{Kind: "user", ID: userID, IP: "192.0.2.1", UserAgent: strings.Repeat("ä", 500)}
	s, err := w.sessions.Start(rec, b.request(), by, userID, idp.ACRPassword, []string{idp.AMRPassword})
	if err != nil {
		w.t.Fatal(err)
	}
	b.keep(w.t, rec)
	return s
}

func (w *world) who(b browser) string {
	w.t.Helper()
	s, u, err := w.sessions.FromRequest(b.request())
	if errors.Is(err, idp.ErrNotFound) {
		return "nobody"
	}
	if err != nil || s.UserID != u.ID {
		w.t.Fatal(s, u, err)
	}
	return u.Username
}

func TestSession_LoginAndLogout(t *testing.T) {
	t.Parallel()
	w, b := newWorld(t), browser{}
	if w.who(b) != "nobody" {
		t.Fatal("somebody without a cookie")
	}
	s := w.login(b, "ann-id")
	if w.who(b) != "ann" {
		t.Fatal("not ann")
	}
	if len(s.UserAgent) > 256 || s.IP != "192.0.2.1" || s.ACR != idp.ACRPassword || !s.AuthTime.Equal(w.now) {
		t.Errorf("%+v", s)
	}
	if err := w.db.EndSession(t.Context(), idp.Actor{}, "ann-id", s.ID, w.now); err != nil {
		t.Fatal(err)
	}
	if w.who(b) != "nobody" {
		t.Error("an ended session lives")
	}
	rec := httptest.NewRecorder()
	w.sessions.Clear(rec)
	b.keep(t, rec)
	if len(b) != 0 {
		t.Error("cookie kept")
	}
}

// SES-01: each login gives a new cookie, whatever the browser had; the old one is dead.
func TestStart_SES01_Fixation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	planted := secret.New(secret.Session).Reveal()
	b := browser{sessionName: planted}
	first := w.login(b, "ann-id")
	if b[sessionName] == planted {
		t.Fatal("the planted cookie became a login")
	}
	stolen := browser{sessionName: b[sessionName]}
	w.now = w.now.Add(time.Hour)
	again := w.login(b, "ann-id")
	if again.ID != first.ID || !again.CreatedAt.Equal(first.CreatedAt) {
		t.Errorf("sid changed: %s, %s", first.ID, again.ID)
	}
	if !again.AuthTime.Equal(w.now) || !again.ExpiresAt.Equal(w.now.Add(30*24*time.Hour)) {
		t.Errorf("not renewed: %+v", again)
	}
	if w.who(stolen) != "nobody" || w.who(b) != "ann" {
		t.Error("the old cookie outlived the new login")
	}
}

// Another user at the same browser: the first one's session ends.
func TestStart_OtherUser(t *testing.T) {
	t.Parallel()
	w, b := newWorld(t), browser{}
	first := w.login(b, "ann-id")
	stolen := browser{sessionName: b[sessionName]}
	second := w.login(b, "bob-id")
	if second.ID == first.ID || w.who(b) != "bob" || w.who(stolen) != "nobody" {
		t.Error("ann is still logged in")
	}
	if left, err := w.db.Sessions(t.Context(), "ann-id", w.now); err != nil || len(left) != 0 {
		t.Error(left, err)
	}
}

// Two requests authenticate at the same time in one browser: both get a session.
func TestStart_Race(t *testing.T) {
	t.Parallel()
	w, b := newWorld(t), browser{}
	w.login(b, "ann-id")
	late := browser{sessionName: b[sessionName]}
	w.login(b, "ann-id")
	w.login(late, "ann-id")
	if w.who(b) != "ann" || w.who(late) != "ann" {
		t.Error("an honest login was lost")
	}
}

// A disabled user gets no session and keeps none.
func TestSession_DisabledUser(t *testing.T) {
	t.Parallel()
	w, b := newWorld(t), browser{}
	w.login(b, "ann-id")
	if err := w.db.DisableUser(t.Context(), idp.Actor{}, "ann-id", w.now); err != nil {
		t.Fatal(err)
	}
	if w.who(b) != "nobody" {
		t.Error("disabled and logged in")
	}
	rec := httptest.NewRecorder()
	if _, err := w.sessions.Start(rec, browser{}.request(), idp.Actor{}, "ann-id", idp.ACRPassword, nil); err == nil || len(rec.Result().Cookies()) != 0 {
		t.Error("disabled and logging in", err)
	}
}

// SES-03: idle and absolute ends; visits move the idle end, at most one write a minute.
func TestSession_SES03_Timeouts(t *testing.T) {
	t.Parallel()
	w, b := newWorld(t), browser{}
	s := w.login(b, "ann-id")
	stored := func() idp.Session {
		t.Helper()
		list, err := w.db.Sessions(t.Context(), "ann-id", w.now)
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		return list[0]
	}
	start := w.now
	w.now = start.Add(59 * time.Second)
	w.who(b)
	if !stored().LastSeenAt.Equal(start) {
		t.Error("written more than once a minute")
	}
	w.now = start.Add(time.Minute)
	w.who(b)
	if got := stored(); !got.LastSeenAt.Equal(w.now) || !got.IdleExpiresAt.Equal(w.now.Add(12*time.Hour)) {
		t.Errorf("not touched: %+v", got)
	}
	for w.now.Before(s.ExpiresAt) { // a visit each 11 hours keeps it alive until the absolute end
		if w.who(b) != "ann" {
			t.Fatalf("ended after %v", w.now.Sub(start))
		}
		w.now = w.now.Add(11 * time.Hour)
	}
	if w.who(b) != "nobody" || w.now.Sub(start) > 31*24*time.Hour {
		t.Error("outlived its absolute end")
	}
	w.login(b, "ann-id")
	w.now = w.now.Add(12 * time.Hour)
	if w.who(b) != "nobody" {
		t.Error("outlived its idle end")
	}
}

// SES-03: the database holds no cookie, and its hash is bound to the purpose.
func TestSession_SES03_HashedAtRest(t *testing.T) {
	t.Parallel()
	w, b := newWorld(t), browser{}
	w.login(b, "ann-id")
	cookie := secret.NewText(b[sessionName])
	if _, _, err := w.db.Session(t.Context(), secret.Hash("session", cookie), w.now); err != nil {
		t.Error(err)
	}
	if _, _, err := w.db.Session(t.Context(), secret.Hash("flow", cookie), w.now); !errors.Is(err, idp.ErrNotFound) {
		t.Error(err)
	}
}

// SES-02: two cookies of one name mean that somebody planted one. Nobody is logged in.
func TestCookies_SES02_Duplicates(t *testing.T) {
	t.Parallel()
	w, b := newWorld(t), browser{}
	w.login(b, "ann-id")
	good := sessionName + "=" + b[sessionName]
	for name, lines := range map[string][]string{
		"same twice":      {good + "; " + good},
		"planted after":   {good + "; " + sessionName + "=" + secret.New(secret.Session).Reveal()},
		"planted before":  {sessionName + "=" + secret.New(secret.Session).Reveal() + "; " + good},
		"garbage after":   {good + "; " + sessionName + "=x"},
		"unparsable":      {good + "; " + sessionName + `="` + "\x01" + `"`},
		"empty":           {sessionName + "=; " + good},
		"without a value": {good + "; " + sessionName},
		"two lines":       {good, good},
		"no blank":        {good + ";" + good},
		"tab":             {good + ";\t" + good},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.Header["Cookie"] = lines
			_, _, err := w.sessions.FromRequest(r)
			if !errors.Is(err, session.ErrDuplicate) || !errors.Is(err, idp.ErrNotFound) {
				t.Errorf("FromRequest: %v", err)
			}
			if _, err := w.sessions.FlowHash(r); errors.Is(err, session.ErrDuplicate) {
				t.Error("the flow cookie is another one")
			}
		})
	}
	for name, line := range map[string]string{
		"another name":     good + "; signet=x; __Host-signet2=y",
		"other case":       good + "; __host-signet=x",
		"among others":     "a=b; " + good + "; c=d",
		"name in a value":  good + "; x=" + sessionName + "=y",
		"flow is separate": good + "; " + flowName + "=x",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Cookie"] = []string{line}
		if _, u, err := w.sessions.FromRequest(r); err != nil || u.Username != "ann" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TOK-09: a value of another kind is no login.
func TestCookies_TOK09_Malformed(t *testing.T) {
	t.Parallel()
	w, b := newWorld(t), browser{}
	w.login(b, "ann-id")
	good := b[sessionName]
	for name, value := range map[string]string{
		"empty": "", "cut": good[:len(good)-1], "longer": good + "0", "quoted": `"` + good + `"`,
		"flow cookie": secret.New(secret.Flow).Reveal(), "refresh token": secret.New(secret.Refresh).Reveal(),
		"upper case": strings.ToUpper(good), "unknown": secret.New(secret.Session).Reveal(),
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Cookie"] = []string{sessionName + "=" + value}
		if _, _, err := w.sessions.FromRequest(r); !errors.Is(err, idp.ErrNotFound) || errors.Is(err, session.ErrDuplicate) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// After Start the same request is that of the person who logged in.
func TestStart_RequestSeesNewCookie(t *testing.T) {
	t.Parallel()
	w, b := newWorld(t), browser{}
	w.login(b, "ann-id")
	r := b.request()
	r.Header.Add("Cookie", "other=1; "+flowName+"="+secret.New(secret.Flow).Reveal())
	if _, err := w.sessions.Start(httptest.NewRecorder(), r, idp.Actor{}, "bob-id", idp.ACRPassword, nil); err != nil {
		t.Fatal(err)
	}
	if _, u, err := w.sessions.FromRequest(r); err != nil || u.Username != "bob" {
		t.Error(u, err)
	}
	if _, err := r.Cookie("other"); err != nil {
		t.Error("lost a cookie that is not ours")
	}
}
