package token

import (
	"fmt"
	"slices"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/verify/jose"
)

// typeUserinfo: none. OpenID Connect Core §5.3.2 gives the signed answer no type, and
// clients know none; without one it is never taken for an ID token of ours.
const typeUserinfo = ""

// Userinfo makes the answer of the userinfo endpoint (OpenID Connect Core §5.3.2): what
// the scopes cover and what was asked for by name. It is signed, and says by whom and for
// whom, if the client is registered for that. It has no time of expiry, so nobody takes
// it for an ID token.
func (i *Issuer) Userinfo(client idp.Client, u idp.User, scopes, names []string) (body []byte, signed bool, err error) {
	c := newClaims()
	if client.UserinfoAlg != "" {
		c.text("iss", i.cfg.Issuer)
		c.text("aud", client.ID)
	}
	c.text("sub", u.ID)
	c.person(u, func(claim string) bool {
		return slices.Contains(scopes, idp.ClaimScope(claim)) || slices.Contains(names, claim)
	})
	if client.UserinfoAlg == "" {
		body, err = c.end()
	} else {
		body, err = i.signedUserinfo(client, c)
	}
	if err != nil {
		return nil, false, fmt.Errorf("userinfo: %w", err)
	}
	return body, client.UserinfoAlg != "", nil
}

func (i *Issuer) signedUserinfo(client idp.Client, c claims) ([]byte, error) {
	signer, err := i.cfg.Keys.Signer(jose.Algorithm(client.UserinfoAlg))
	if err != nil {
		return nil, err
	}
	tok, err := sign(signer, typeUserinfo, c)
	return []byte(tok), err
}
