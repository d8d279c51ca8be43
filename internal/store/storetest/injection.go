package storetest

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/signet-id/signet/internal/idp"
)

// STO-07: whatever text comes in is a value, never a part of a statement or a pattern.
var injectionTests = []test{
	{"STO-07 hostile texts in every parameter", injection},
	{"STO-07 hostile texts are read back as they were", injectionRoundTrip},
}

var hostile = []string{
	"'; DROP TABLE users; --", "' OR '1'='1", `" OR 1=1 --`, "1; DELETE FROM grants", "%", "_", "*", "\\", "$1", "?1", ":a", "@a",
	"'||(SELECT password_hash FROM users)||'", "a\nb", "/* */", "x' UNION SELECT password_hash FROM users --", "\u202egnp", "🔑", "\x00", "a\x00b", "\xff\xfe",
	strings.Repeat("A", 10_000), "", " ", "NULL", "0", "-1", "1e999", "{}", "null",
}

// injection puts every text where a verb takes one. Whatever the verb answers, it is an
// answer to that value: nobody else's rows have changed, and no statement has failed.
func injection(w *world) {
	ann := w.user("ann")
	client := w.client("app")
	s, cookie := w.session(ann)
	g, token := w.grant(ann, "app", s.ID)
	w.must(w.PutResource(w.ctx, operator, calendar(), w.now))
	w.must(w.PutSetting(w.ctx, "setting", []byte("value")))

	for _, x := range hostile {
		w.throughVerbs(x)
	}

	got, user, err := w.Session(w.ctx, cookie, w.now)
	w.must(err)
	w.equal("session", got, s)
	w.equal("user", user, ann)
	r, st, err := w.Refresh(w.ctx, token.HandleHash, w.now)
	w.must(err)
	w.equal("refresh token", r, token)
	w.equal("standing", st, idp.Standing{Grant: g, User: ann, Client: client, Session: s, SessionLive: true})
	_, phc, err := w.UserByLogin(w.ctx, "ann")
	w.must(err)
	w.equal("hash", phc, "hash of ann")
	res, err := w.ResourceByScope(w.ctx, "calendar.read")
	w.must(err)
	w.equal("resource", res, calendar())
	value, err := w.Setting(w.ctx, "setting")
	w.must(err)
	w.equal("setting", value, []byte("value"))
}

func (w *world) throughVerbs(x string) {
	w.Helper()
	actor := idp.Actor{Kind: x, ID: x, IP: x, UserAgent: x}
	h := hash(x)
	user := idp.User{ID: x, Username: x, Email: x, Profile: idp.Profile{Name: x}, Groups: []string{x}}
	session := idp.Session{ID: x, UserID: x, ACR: x, AMR: []string{x}, IP: x, UserAgent: x, ExpiresAt: w.now.Add(time.Hour), IdleExpiresAt: w.now.Add(time.Hour)}
	client := idp.Client{ID: x, ClientMetadata: idp.ClientMetadata{Name: x, RedirectURIs: []string{x}}}
	grant := idp.Grant{ID: x, UserID: x, ClientID: x, SessionID: x, Resource: x, Scopes: []string{x}, Nonce: x, ACR: x, AMR: []string{x}, ExpiresAt: w.now.Add(time.Hour)}
	code := idp.Code{Hash: h, GrantID: x, ClientID: x, RedirectURI: x, CodeChallenge: x, JKT: x, ExpiresAt: w.now.Add(time.Hour)}
	request := idp.AuthRequest{ID: x, BrowserHash: h, ClientID: x, RedirectURI: x, State: x, Nonce: x, Scopes: []string{x}, Resource: x, JKT: x, ExpiresAt: w.now.Add(time.Hour)}
	consent := idp.Consent{UserID: x, ClientID: x, Resource: x, Scopes: []string{x}}
	sealed := []byte(x)[:min(len(x), 100)]

	verbs := map[string]func() error{
		"CreateUser":      func() error { return w.CreateUser(w.ctx, actor, user, x, w.now) },
		"UpdateUser":      func() error { return w.UpdateUser(w.ctx, actor, user, w.now) },
		"User":            func() error { _, err := w.User(w.ctx, x); return err },
		"UserByLogin":     func() error { _, _, err := w.UserByLogin(w.ctx, x); return err },
		"PasswordHash":    func() error { _, err := w.PasswordHash(w.ctx, x); return err },
		"UpgradePassword": func() error { return w.UpgradePassword(w.ctx, x, x, x, w.now) },
		"SetPassword":     func() error { return w.SetPassword(w.ctx, actor, x, x, w.now) },
		"EnableUser":      func() error { return w.EnableUser(w.ctx, actor, x, w.now) },
		"Users":           func() error { _, err := w.Users(w.ctx, x, 10); return err },
		"PutClient":       func() error { return w.PutClient(w.ctx, actor, client, w.now) },
		"Client":          func() error { _, err := w.Client(w.ctx, x); return err },
		"DisableClient":   func() error { return w.DisableClient(w.ctx, actor, x, w.now) },
		"EnableClient":    func() error { return w.EnableClient(w.ctx, actor, x, w.now) },
		"PutResource": func() error {
			return w.PutResource(w.ctx, actor, idp.Resource{ID: x, Name: x, Scopes: []idp.Scope{{Name: x}}}, w.now)
		},
		"Resource":        func() error { _, err := w.Resource(w.ctx, x); return err },
		"ResourceByScope": func() error { _, err := w.ResourceByScope(w.ctx, x); return err },
		"AddSigningKey":   func() error { return w.AddSigningKey(w.ctx, actor, idp.SigningKey{ID: x, Alg: x}, true, w.now) },
		"StageKey": func() error {
			return w.StageKey(w.ctx, actor, idp.SigningKey{ID: x + "2", Alg: x, ActiveAt: w.now}, x, w.now)
		},
		"HandOverKey": func() error { return w.HandOverKey(w.ctx, actor, x, x, w.now) },
		"RedateKey": func() error {
			return w.RedateKey(w.ctx, actor, idp.SigningKey{ID: x, StagedAt: w.now, ActiveAt: w.now}, w.now, w.now, w.now)
		},
		"FinishKey":          func() error { return w.FinishKey(w.ctx, actor, x, []byte(x), w.now) },
		"ForgetKey":          func() error { return w.ForgetKey(w.ctx, actor, x, w.now, w.now) },
		"ResealKey":          func() error { return w.ResealKey(w.ctx, actor, x, []byte(x), []byte(x), w.now) },
		"CreateSession":      func() error { return w.CreateSession(w.ctx, actor, session, h) },
		"RenewSession":       func() error { return w.RenewSession(w.ctx, actor, session, h, h, w.now) },
		"TouchSession":       func() error { return w.TouchSession(w.ctx, x, w.now, w.now) },
		"Sessions":           func() error { _, err := w.Sessions(w.ctx, x, w.now); return err },
		"CreateAuthRequest":  func() error { return w.CreateAuthRequest(w.ctx, request, x, 10, 1000, w.now) },
		"AuthRequest":        func() error { _, err := w.AuthRequest(w.ctx, x, h, w.now); return err },
		"LoginAuthRequest":   func() error { return w.LoginAuthRequest(w.ctx, x, h, x, w.now) },
		"SelectAuthRequest":  func() error { return w.SelectAuthRequest(w.ctx, x, h, x, w.now) },
		"DenyAuthRequest":    func() error { return w.DenyAuthRequest(w.ctx, actor, x, h, x, w.now) },
		"ConsentAuthRequest": func() error { return w.ConsentAuthRequest(w.ctx, actor, x, h, x, consent, w.now) },
		"FinishAuthRequest":  func() error { return w.FinishAuthRequest(w.ctx, actor, x, h, idp.Approval{}, grant, code, w.now) },
		"IssueCode":          func() error { return w.IssueCode(w.ctx, actor, idp.Approval{}, grant, code, w.now) },
		"RedeemCode":         func() error { return w.RedeemCode(w.ctx, actor, h, nil, w.now) },
		"RotateRefreshToken": func() error {
			_, _, err := w.RotateRefreshToken(w.ctx, actor, h, h, h, sealed, window, w.now)
			return err
		},
		"BindRefreshToken": func() error { return w.BindRefreshToken(w.ctx, h, h, x, w.now) },
		"UseRefreshToken":  func() error { return w.UseRefreshToken(w.ctx, h, h, w.now) },
		"Consent":          func() error { _, err := w.Consent(w.ctx, x, x, x); return err },
		"Consents":         func() error { _, err := w.Consents(w.ctx, x); return err },
		"Standing":         func() error { _, err := w.Standing(w.ctx, x, w.now); return err },
		"Grants":           func() error { _, err := w.Grants(w.ctx, x, w.now); return err },
		"RevokeJTI":        func() error { return w.RevokeJTI(w.ctx, actor, x, w.now.Add(time.Hour), w.now) },
		"AppendRule":       func() error { return w.AppendRule(w.ctx, actor, idp.Rule{Kind: idp.RuleKind(x), ID: x}, w.now) },
		"CountAttempt": func() error {
			_, err := w.CountAttempt(w.ctx, []idp.Limit{{Key: x, Max: 2, Window: time.Hour}}, w.now)
			return err
		},
		"ForgetAttempts": func() error { return w.ForgetAttempts(w.ctx, x) },
		"Audit": func() error {
			return w.Audit(w.ctx, idp.Event{At: w.now, Actor: actor, Action: x, Target: x, ClientID: x, Result: x, Reason: x})
		},
		"Events":     func() error { _, err := w.Events(w.ctx, x, 0, 10); return err },
		"PutSetting": func() error { return w.PutSetting(w.ctx, x, []byte(x)) },
		"Setting":    func() error { _, err := w.Setting(w.ctx, x); return err },
	}
	last := map[string]func() error{ // those that end something come after those that need it
		"EndSession":       func() error { return w.EndSession(w.ctx, actor, x, x, w.now) },
		"EndOtherSessions": func() error { _, err := w.EndOtherSessions(w.ctx, actor, x, x, w.now); return err },
		"RevokeGrant":      func() error { return w.RevokeGrant(w.ctx, actor, x, x, w.now) },
		"RevokeApp":        func() error { _, err := w.RevokeApp(w.ctx, actor, x, x, w.now); return err },
		"DisableUser":      func() error { return w.DisableUser(w.ctx, actor, x, w.now) },
		"DeleteUser":       func() error { return w.DeleteUser(w.ctx, actor, x, w.now) },
		"DeleteClient":     func() error { return w.DeleteClient(w.ctx, actor, x, w.now) },
		"DeleteResource":   func() error { return w.DeleteResource(w.ctx, actor, x, w.now) },
		"RetireKey":        func() error { return w.RetireKey(w.ctx, actor, x, w.now) },
	}
	for _, group := range []map[string]func() error{verbs, last} {
		for name, verb := range group {
			if err := verb(); err != nil && !sentinel(err) {
				w.Errorf("%s(%.40q): %v", name, x, err)
			}
		}
	}
}

// storable says which texts every engine takes. The others may be refused, but come back
// as they were if they are not.
func storable(x string) bool { return utf8.ValidString(x) && !strings.Contains(x, "\x00") }

// sentinel reports whether an error is an answer, not an accident.
func sentinel(err error) bool {
	for _, s := range []error{idp.ErrNotFound, idp.ErrExists, idp.ErrInvalid, idp.ErrDenied, idp.ErrConsumed, idp.ErrLimited} {
		if errors.Is(err, s) {
			return true
		}
	}
	return false
}

func injectionRoundTrip(w *world) {
	ann := w.user("ann")
	w.client("app")
	for i, x := range hostile {
		s := idp.Session{
			ID: fmt.Sprint("s", i), UserID: ann.ID, CreatedAt: w.now, AuthTime: w.now, ACR: x, LastSeenAt: w.now,
			IdleExpiresAt: w.now.Add(time.Hour), ExpiresAt: w.now.Add(time.Hour),
		}
		if err := w.CreateSession(w.ctx, person(ann), s, hash(s.ID)); errors.Is(err, idp.ErrInvalid) && !storable(x) {
			continue
		} else {
			w.must(err)
		}
		got, _, err := w.Session(w.ctx, hash(s.ID), w.now)
		w.must(err)
		w.equal("acr", got, s)
		g, code := w.newGrant(ann, "app", "")
		g.Nonce, g.Resource, code.RedirectURI, code.CodeChallenge = x, x, x, x
		w.must(w.IssueCode(w.ctx, person(ann), idp.Approval{}, g, code, w.now))
		gotCode, st, err := w.Code(w.ctx, code.Hash, w.now)
		w.must(err)
		w.equal("code", gotCode, code)
		w.equal("grant", st.Grant, g)
		w.must(w.PutSetting(w.ctx, "k"+x, []byte(x)))
		value, err := w.Setting(w.ctx, "k"+x)
		w.must(err)
		w.equal("setting", string(value), x)
		_, err = w.Consent(w.ctx, ann.ID, "app", x)
		w.want("no pattern matches", err, idp.ErrNotFound)
	}
}
