package cli

import (
	"context"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/web"
)

// explainPatience is short: somebody waits for a page.
const explainPatience = 5 * time.Second

// explainer says of a token what "signet verify" says. It asks the server and the issuer that
// the server is, never another that the token names.
func (c *api) explainer(now func() time.Time) web.Explainer {
	a := &app{socket: c.socket, now: now}
	return func(ctx context.Context, token secret.Text, issuer string) (web.TokenExplanation, error) {
		e, err := a.explain(ctx, token.Reveal(), question{timeout: explainPatience, issuer: issuer})
		if err != nil {
			return web.TokenExplanation{}, err
		}
		return e.forConsole(), nil
	}
}

func (e *explanation) forConsole() web.TokenExplanation {
	t := web.TokenExplanation{
		Kind: e.Kind, Verdict: e.Verdict, Reason: e.Reason, Issuer: e.claim("iss"), ClientID: e.claim("client_id"), Audience: e.claim("aud"),
		Scopes: strings.Fields(e.claim("scope")), GrantID: e.claim("grant_id"), SessionID: e.claim("sid"),
		IssuedAt: e.IssuedAt, ExpiresAt: e.ExpiresAt, RevokedAt: e.RevokedAt,
	}
	if e.Kind == kindID {
		t.ClientID, t.Audience = t.Audience, ""
	}
	if e.Reason == isBound { // whoever has the key can use it
		t.Verdict, t.Bound = isUnknown, true
	}
	switch t.Why = e.why(); t.Why {
	case web.TokenFits, web.TokenProof: // the catalogue says all of it
		t.Reason = ""
	case web.TokenForged:
		t.Reason = strings.TrimPrefix(t.Reason, "it was changed on its way, or somebody else made it: ") // said already
	}
	if !e.ofClient() {
		t.UserID = e.claim("sub")
	}
	if s := e.Server; s != nil {
		t.UserID, t.ClientID, t.Audience, t.Scopes, t.GrantID, t.SessionID = s.UserID, s.ClientID, s.Resource, s.Scopes, s.GrantID, s.SessionID
		t.IssuedAt, t.ExpiresAt = s.CreatedAt, s.ExpiresAt
	}
	return t
}

// why is the sort of a reason. Where the reason has fixed words, those say more.
func (e *explanation) why() web.TokenTrouble {
	switch {
	case e.Header == nil: // only the server knows it
		return web.TokenUnreached
	case e.Verdict == accepted:
		return web.TokenFits
	case e.Verdict == isUnknown && e.Kind == jwtKinds["dpop+jwt"]:
		return web.TokenProof
	case e.Verdict == isUnknown:
		return web.TokenUnreached
	case e.Signature == notAsked:
		return web.TokenMalformed
	case e.Signature == "bad":
		return web.TokenForged
	}
	return web.TokenUnsuited
}
