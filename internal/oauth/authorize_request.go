package oauth

import (
	"context"
	"net/url"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/token"
)

// requestChecks is what every authorization request is held to, whether a browser brings
// it or the client pushes it.
type requestChecks struct {
	issuer    string
	audiences audiences
	tokens    *token.Issuer
	objects   requestObjects
	lifetime  time.Duration
}

// run finds out what counts, proves the redirect URI, and then runs the table of checks.
// The first ends in a page, the second in an answer to the client. asked says who asks, and
// how.
func (c *requestChecks) run(ctx context.Context, asked asking, form url.Values, now time.Time) (*asking, error) {
	asked.checks, asked.form = c, form
	client := asked.client
	if object := form.Get("request"); object != "" {
		inside, err := c.objects.open(ctx, client, object, form, now)
		if err != nil {
			asked.objectErr = err
		} else { // RFC 9101 §6.3: what stands outside counts for nothing
			asked.form, asked.signed = inside, true
		}
	}
	uri := asked.form.Get("redirect_uri")
	if !registeredRedirect(client, uri) {
		if asked.objectErr != nil {
			return nil, badRequest("The request object does not count, and there is no other redirect_uri that is registered. "+
				asError(asked.objectErr).Error(), asked.objectErr)
		}
		return nil, badRedirect(client, uri)
	}
	asked.req = idp.AuthRequest{
		ClientID: client.ID, RedirectURI: uri, MaxAge: -1, CreatedAt: now, ExpiresAt: now.Add(c.lifetime),
	}
	for _, check := range authorizeChecks {
		if err := check.check(ctx, &asked); err != nil {
			return nil, asked.answer(err)
		}
	}
	return &asked, nil
}
