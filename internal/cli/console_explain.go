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
	if !e.ofClient() {
		t.UserID = e.claim("sub")
	}
	if s := e.Server; s != nil {
		t.UserID, t.ClientID, t.Audience, t.Scopes, t.GrantID, t.SessionID = s.UserID, s.ClientID, s.Resource, s.Scopes, s.GrantID, s.SessionID
		t.IssuedAt, t.ExpiresAt = s.CreatedAt, s.ExpiresAt
	}
	return t
}
