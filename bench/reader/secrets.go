package reader

import (
	"time"

	"github.com/signet-id/signet/bench/issuer"
	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/jose"
)

func init() { openSecrets = openSecretSet }

// openSecretSet is what a service does by itself that shares a secret with its issuer:
// package verify takes published keys only. Revocations are not asked.
func openSecretSet(i *issuer.Issuer) (*Reader, error) {
	set, err := jose.ParseSecretSet(i.KeySet())
	if err != nil {
		return nil, err
	}
	parse := func(token string) (*verify.Claims, error) {
		payload, secret, err := set.Verify(token, accessToken)
		if err != nil {
			return nil, err
		}
		c, err := verify.ParseClaims(payload)
		if err != nil {
			return nil, err
		}
		c.KeyID = secret.ID()
		now := time.Now()
		switch {
		case c.Confirmation != verify.Confirmation{}:
			return nil, verify.ErrBound
		case c.Issuer != issuer.URL:
			return nil, verify.ErrIssuer
		case c.Audience != issuer.Audience:
			return nil, verify.ErrAudience
		case !now.Before(c.ExpiresAt.Add(leeway * time.Second)):
			return nil, verify.ErrExpired
		case c.IssuedAt.After(now.Add(leeway*time.Second)) || c.NotBefore.After(now.Add(leeway*time.Second)):
			return nil, verify.ErrNotYetValid
		}
		return c, nil
	}
	return &Reader{
		Verify: func(token string) error { _, err := parse(token); return err },
		Read: func(token string) (Facts, error) {
			c, err := parse(token)
			if err != nil {
				return Facts{}, err
			}
			return FactsOf(c), nil
		},
	}, nil
}
