package reader

import (
	"encoding/json"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/signet-id/signet/bench/issuer"
)

// GoJOSE is github.com/go-jose/go-jose/v4.
var GoJOSE = Library{"go-jose v4", openGoJOSE}

type goJOSEClaims struct {
	jwt.Claims
	extra
}

func openGoJOSE(i *issuer.Issuer, _ string) (*Reader, error) {
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(i.KeySet(), &set); err != nil {
		return nil, err
	}
	var algs []jose.SignatureAlgorithm
	for _, a := range i.Algorithms() {
		algs = append(algs, jose.SignatureAlgorithm(a))
	}
	want := jwt.Expected{Issuer: issuer.URL, AnyAudience: jwt.Audience{issuer.Audience}}
	parse := func(token string) (*goJOSEClaims, error) {
		t, err := jwt.ParseSigned(token, algs)
		if err != nil {
			return nil, err
		}
		if t.Headers[0].ExtraHeaders[jose.HeaderType] != accessToken {
			return nil, errType
		}
		c := &goJOSEClaims{}
		if err := t.Claims(set, c); err != nil { // finds the key by its kid
			return nil, err
		}
		if c.Expiry == nil {
			return nil, errNoExp
		}
		return c, c.ValidateWithLeeway(want, leeway*time.Second)
	}
	return &Reader{
		Verify: func(token string) error { _, err := parse(token); return err },
		Read: func(token string) (Facts, error) {
			c, err := parse(token)
			if err != nil {
				return Facts{}, err
			}
			date := func(d *jwt.NumericDate) int64 {
				if d == nil {
					return 0
				}
				return int64(*d)
			}
			return c.extra.addTo(Facts{
				Issuer: c.Issuer, Subject: c.Subject, ID: c.ID, Audience: c.Audience,
				IssuedAt: date(c.IssuedAt), ExpiresAt: date(c.Expiry), NotBefore: date(c.NotBefore),
			}), nil
		},
	}, nil
}
