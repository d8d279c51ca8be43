package session_test

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/session"
)

func (w *world) flow(b browser) [32]byte {
	w.t.Helper()
	rec := httptest.NewRecorder()
	hash := w.sessions.Flow(rec, b.request())
	b.keep(w.t, rec)
	return hash
}

// RFC 9700 §4.7: what a browser began, only that browser continues.
func TestFlow_RFC9700_4_7(t *testing.T) {
	t.Parallel()
	w, b := newWorld(t), browser{}
	if _, err := w.sessions.FlowHash(b.request()); !errors.Is(err, idp.ErrNotFound) {
		t.Fatal(err)
	}
	first := w.flow(b)
	if got, err := w.sessions.FlowHash(b.request()); err != nil || got != first || w.flow(b) != first {
		t.Error("not the same browser any more", err)
	}
	if first != secret.Hash("flow", secret.NewText(b[flowName])) || !strings.HasPrefix(b[flowName], "sgf_") {
		t.Error("not the cookie's hash")
	}
	if w.flow(browser{}) == first {
		t.Error("two browsers are one")
	}
	broken := browser{flowName: "x"}
	if w.flow(broken); broken[flowName] == "x" {
		t.Error("broken cookie kept")
	}
}

// SES-02: a planted flow cookie must not bind this browser to another one's login.
func TestFlow_SES02_Duplicates(t *testing.T) {
	t.Parallel()
	w, b := newWorld(t), browser{}
	w.flow(b)
	r := b.request()
	token := w.sessions.CSRF(r)
	r.Header.Add("Cookie", flowName+"="+secret.New(secret.Flow).Reveal())
	if _, err := w.sessions.FlowHash(r); !errors.Is(err, session.ErrDuplicate) {
		t.Error(err)
	}
	if w.sessions.CSRF(r) != "" || w.sessions.CheckCSRF(r, token) == nil || w.sessions.CheckCSRF(r, "") == nil {
		t.Error("a form passes with two flow cookies")
	}
	r = b.request()
	r.Header.Add("Cookie", sessionName+"="+secret.New(secret.Session).Reveal()+"; "+sessionName+"=x")
	if w.sessions.CSRF(r) != "" || w.sessions.CheckCSRF(r, token) == nil {
		t.Error("a form passes with two session cookies")
	}
}

// OAU-15: a form is taken only from the browser that it was made for.
func TestCSRF_OAU15(t *testing.T) {
	t.Parallel()
	w, ann, evil := newWorld(t), browser{}, browser{}
	w.flow(ann)
	w.flow(evil)
	token := w.sessions.CSRF(ann.request())
	if err := w.sessions.CheckCSRF(ann.request(), token); err != nil || len(token) != 43 {
		t.Fatal(token, err)
	}
	for name, tt := range map[string]struct {
		b     browser
		token string
	}{
		"none":              {ann, ""},
		"another browser's": {ann, w.sessions.CSRF(evil.request())},
		"cut":               {ann, token[:42]},
		"longer":            {ann, token + "A"},
		"first changed":     {ann, flip(token, 0)},
		"last changed":      {ann, flip(token, 42)},
		"no cookie":         {browser{}, token},
		"nothing at all":    {browser{}, ""},
	} {
		if err := w.sessions.CheckCSRF(tt.b.request(), tt.token); !errors.Is(err, idp.ErrDenied) || errors.Is(err, idp.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// OAU-15, SES-01: a login makes the values of before worthless, and so does another login.
func TestCSRF_OAU15_BoundToSession(t *testing.T) {
	t.Parallel()
	w, b := newWorld(t), browser{}
	w.flow(b)
	var tokens []string
	tokens = append(tokens, w.sessions.CSRF(b.request()))
	for range 2 {
		w.login(b, "ann-id")
		for _, old := range tokens {
			if err := w.sessions.CheckCSRF(b.request(), old); !errors.Is(err, idp.ErrDenied) {
				t.Errorf("value from before the login: %v", err)
			}
		}
		tokens = append(tokens, w.sessions.CSRF(b.request()))
		if err := w.sessions.CheckCSRF(b.request(), tokens[len(tokens)-1]); err != nil {
			t.Error(err)
		}
	}
	if strings.Contains(strings.Join(tokens, " "), b[flowName][4:20]) {
		t.Error("the value shows the cookie")
	}
}

// A page calls Flow first and CSRF next, in one request without any cookie.
func TestCSRF_FirstVisit(t *testing.T) {
	t.Parallel()
	w, b := newWorld(t), browser{}
	for _, planted := range []string{"", flowName + "=broken", flowName + "=a; " + flowName + "=b"} {
		r, rec := browser{}.request(), httptest.NewRecorder()
		if planted != "" {
			r.Header.Set("Cookie", planted+"; other=1")
		}
		hash := w.sessions.Flow(rec, r)
		token := w.sessions.CSRF(r)
		b.keep(t, rec)
		if got, err := w.sessions.FlowHash(b.request()); err != nil || got != hash {
			t.Error(planted, err)
		}
		if err := w.sessions.CheckCSRF(b.request(), token); err != nil {
			t.Error(planted, err)
		}
	}
}

func flip(s string, i int) string {
	b := []byte(s)
	if b[i] == 'A' {
		b[i] = 'E'
	} else {
		b[i] = 'A'
	}
	return string(b)
}
