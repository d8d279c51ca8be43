package oauth

import (
	"context"
	"slices"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/token"
)

// clientCredentialsGrant gives a client a token for itself (RFC 6749 §4.4).
type clientCredentialsGrant struct{ audiences audiences }

func (g *clientCredentialsGrant) authorize(ctx context.Context, c idp.Client, req tokenRequest) (decision, error) {
	if c.Public() { // §4.4: confidential clients only
		return decision{}, refuse(UnauthorizedClient, "a public client has no credentials")
	}
	scopes, err := ownScopes(c, req.scope)
	if err != nil {
		return decision{}, err
	}
	t, err := g.audiences.choose(ctx, req.resource, scopes)
	if err != nil {
		return decision{}, err
	}
	return decision{Authorization: token.Authorization{Client: c, Audience: t.audience, Resource: t.resource, Scopes: t.scopes}}, nil
}

// ownScopes are the scopes that a client asks for itself; all it has, if it names none.
// Those of the issuer tell about a person, and there is none.
func ownScopes(c idp.Client, asked string) ([]string, error) {
	own := slices.DeleteFunc(slices.Clone(c.Scopes), issuerScope)
	scopes, err := parseScope(asked)
	if err != nil {
		return nil, err
	}
	if len(scopes) == 0 {
		return own, nil
	}
	for _, s := range scopes {
		if !slices.Contains(own, s) {
			return nil, refuse(InvalidScope, "scope exceeds what the client is registered for")
		}
	}
	return scopes, nil
}
