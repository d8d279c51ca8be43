package reader

import (
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/signet-id/signet/bench/issuer"
)

// GolangJWT is github.com/golang-jwt/jwt/v5.
var GolangJWT = Library{"golang-jwt v5", openGolangJWT}

type golangClaims struct {
	jwt.RegisteredClaims
	extra
}

func openGolangJWT(i *issuer.Issuer, _ string) (*Reader, error) {
	keys := map[string]any{}
	for _, k := range i.Keys {
		keys[k.ID] = k.Public
	}
	find := func(t *jwt.Token) (any, error) {
		if t.Header["typ"] != accessToken {
			return nil, errType
		}
		kid, _ := t.Header["kid"].(string)
		key, ok := keys[kid]
		if !ok {
			return nil, errKey
		}
		return key, nil
	}
	parser := jwt.NewParser(jwt.WithValidMethods(i.Algorithms()), jwt.WithIssuer(issuer.URL), jwt.WithAudience(issuer.Audience),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(leeway*time.Second))
	parse := func(token string) (*golangClaims, error) {
		c := &golangClaims{}
		_, err := parser.ParseWithClaims(token, c, find)
		return c, err
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
				return d.Unix()
			}
			return c.extra.addTo(Facts{
				Issuer: c.Issuer, Subject: c.Subject, ID: c.ID, Audience: c.Audience,
				IssuedAt: date(c.IssuedAt), ExpiresAt: date(c.ExpiresAt), NotBefore: date(c.NotBefore),
			}), nil
		},
	}, nil
}
