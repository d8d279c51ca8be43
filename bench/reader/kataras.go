package reader

import (
	"encoding/json"

	"github.com/kataras/jwt"

	"github.com/signet-id/signet/bench/issuer"
)

// Kataras is github.com/kataras/jwt. It has no leeway.
var Kataras = Library{"kataras/jwt", openKataras}

var katarasAlgorithms = map[string]jwt.Alg{
	"EdDSA": jwt.EdDSA,
	"ES256": jwt.ES256, "ES384": jwt.ES384, "ES512": jwt.ES512,
	"RS256": jwt.RS256, "RS384": jwt.RS384, "RS512": jwt.RS512,
	"PS256": jwt.PS256, "PS384": jwt.PS384, "PS512": jwt.PS512,
	"HS256": jwt.HS256, "HS384": jwt.HS384, "HS512": jwt.HS512,
}

func openKataras(i *issuer.Issuer, _ string) (*Reader, error) {
	keys := jwt.Keys{}
	for _, k := range i.Keys {
		keys.Register(katarasAlgorithms[k.Alg], k.ID, k.Public, nil)
	}
	// As Keys.ValidateHeader, and looks at "typ".
	header := func(_ string, doc []byte) (jwt.Alg, jwt.PublicKey, jwt.InjectFunc, error) {
		var h struct{ Alg, Typ, Kid string }
		if err := json.Unmarshal(doc, &h); err != nil {
			return nil, nil, nil, err
		}
		if h.Typ != accessToken {
			return nil, nil, nil, errType
		}
		key, ok := keys.Get(h.Kid)
		if !ok {
			return nil, nil, nil, jwt.ErrUnknownKid
		}
		if h.Alg != key.Alg.Name() {
			return nil, nil, nil, jwt.ErrTokenAlg
		}
		return key.Alg, key.Public, nil, nil
	}
	want := jwt.Expected{Issuer: issuer.URL, Audience: jwt.Audience{issuer.Audience}}
	parse := func(token string) (*jwt.VerifiedToken, *extra, error) {
		t, err := jwt.VerifyWithHeaderValidator(nil, nil, []byte(token), header, want)
		if err != nil {
			return nil, nil, err
		}
		if t.StandardClaims.Expiry == 0 {
			return nil, nil, errNoExp
		}
		c := &extra{}
		return t, c, t.Claims(c)
	}
	return &Reader{
		Verify: func(token string) error { _, _, err := parse(token); return err },
		Read: func(token string) (Facts, error) {
			t, c, err := parse(token)
			if err != nil {
				return Facts{}, err
			}
			s := t.StandardClaims
			return c.addTo(Facts{
				Issuer: s.Issuer, Subject: s.Subject, ID: s.ID, Audience: s.Audience,
				IssuedAt: s.IssuedAt, ExpiresAt: s.Expiry, NotBefore: s.NotBefore,
			}), nil
		},
	}, nil
}
