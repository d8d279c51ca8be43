package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

// consoleTokenSearch tells what a token is that was pasted. The token is not shown again.
type consoleTokenSearch struct{ *Console }

// A consoleToken is a token in words.
type consoleToken struct {
	Kind   string
	Good   bool   // a service would take it
	Bad    bool   // none would
	Reason string // why
	Facts  TokenExplanation

	User, UserAt     string // whose it is, and where that person is shown; empty: not known here
	App, AppAt       string
	Issued, Expires  *instant
	EndGrant, EndAll bool   // it can be made worthless: with what was allowed, or with the login
	EndApp, EndOld   bool   // only on its app's page: by disabling the app, or by a new secret
	Detail           string // what exactly is wrong, in English; empty: Reason says all
}

func (p consoleTokenSearch) serve(w http.ResponseWriter, r *http.Request, form url.Values) error {
	page := consoleTokenPage{view: p.consoleView(r, "tokens", p.words(r, nil).T("console.nav.tokens"))}
	page.words = page.once() // links to another language would ask without the token
	var about struct {
		Issuer string `json:"issuer"`
	}
	if err := p.ask(r.Context(), http.MethodGet, "/about", nil, &about); err != nil {
		return err
	}
	told, err := p.explain(r.Context(), secret.NewText(strings.TrimSpace(form.Get("token"))), about.Issuer)
	if err != nil {
		page.Error = "console.tokens.error" // why is not for the log: it might say what was pasted
		return p.tokenPage(w, http.StatusUnprocessableEntity, page)
	}
	if page.Found, err = p.inWords(r.Context(), page.words, told, about.Issuer); err != nil {
		return err
	}
	return p.tokenPage(w, http.StatusOK, page)
}

func (p consoleTokenSearch) inWords(ctx context.Context, words words, t TokenExplanation, issuer string) (*consoleToken, error) {
	f := &consoleToken{
		Kind: beginning(words.translate(t.Kind)), Good: t.Verdict == "accepted", Bad: t.Verdict == "refused",
		Facts: t,
	}
	fixed, known := words.known(t.Reason)
	switch {
	case known:
		f.Reason = beginning(fixed) + "."
	case t.Why != "":
		f.Reason, f.Detail = words.T("console.token.why."+string(t.Why)), oneLine(t.Reason, maxDetail)
	case t.Reason != "":
		f.Reason = beginning(t.Reason) + "."
	}
	now := p.now()
	switch {
	case !t.RevokedAt.IsZero():
		f.Reason, f.Detail = words.T("console.token.revoked", words.instant(t.RevokedAt, now).Exact), ""
	case t.Issuer != "" && t.Issuer != issuer:
		f.Reason, f.Detail = words.T("console.token.foreign"), ""
	case f.Bad && !t.ExpiresAt.IsZero() && now.After(t.ExpiresAt):
		f.Reason, f.Detail = words.T("console.token.expired"), ""
	}
	if !t.IssuedAt.IsZero() {
		at := words.instant(t.IssuedAt, now)
		f.Issued = &at
	}
	if !t.ExpiresAt.IsZero() {
		at := words.instant(t.ExpiresAt, now)
		at.Words = at.Exact // "just now" is all that is said of times to come
		f.Expires = &at
	}
	if t.Issuer != "" && t.Issuer != issuer {
		return f, nil // its names are none of ours
	}
	return f, p.find(ctx, f)
}

// maxDetail is how much is shown of what is wrong with a token.
const maxDetail = 200

// beginning writes a text as a line begins: those that commands say do not.
func beginning(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	if size == 0 {
		return ""
	}
	return string(unicode.ToUpper(first)) + text[size:]
}

// find looks for the person and the app that the token names.
func (p consoleTokenSearch) find(ctx context.Context, f *consoleToken) error {
	if id := f.Facts.UserID; secret.IsID(id) {
		u, err := p.person(ctx, id)
		switch {
		case err == nil:
			f.User, f.UserAt = u.Name(), p.base+apiPath("users", id)
			ends := f.Good || f.Facts.Bound // of another, anybody could have written what it names
			f.EndGrant, f.EndAll = ends && f.Facts.GrantID != "", ends && f.Facts.SessionID != ""
		case !errors.Is(err, idp.ErrNotFound):
			return err
		}
	}
	if id := f.Facts.ClientID; id != "" {
		app, err := p.client(ctx, id)
		switch {
		case err == nil:
			f.App, f.AppAt = app.Called(), p.appAddress(id)
			f.EndOld = f.Good && f.Facts.Kind == english["console.token.kind.secret"]
			f.EndApp = (f.Good || f.Facts.Bound) && !f.EndOld && !f.EndGrant && !f.EndAll
		case !errors.Is(err, idp.ErrNotFound):
			return err
		}
	}
	return nil
}

// consoleTokenRevoke ends what a token comes from: what a person allowed an app, or a login.
type consoleTokenRevoke struct{ *Console }

func (p consoleTokenRevoke) serve(w http.ResponseWriter, r *http.Request, form url.Values) error {
	part, id, notice := "grants", form.Get("grant"), "token_grant_ended"
	if form.Get("action") == "session" {
		part, id, notice = "sessions", form.Get("session"), "token_session_ended"
	}
	user := form.Get("user")
	if id == "" || !secret.IsID(user) {
		return badChoice("user")
	}
	if err := p.ask(r.Context(), http.MethodDelete, apiPath("users", user, part, id), nil, nil); err != nil {
		return err
	}
	return p.done(w, notice, "/tokens")
}
