package reader

import (
	"context"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"
	"github.com/lestrrat-go/jwx/v3/jwt"

	"github.com/signet-id/signet/bench/issuer"
)

// JWX is github.com/lestrrat-go/jwx/v3.
var JWX = Library{"jwx v3", openJWX}

// jwxKeys finds the key as the library's own WithKeySet does, and looks at "typ", which
// only a key provider gets to see.
type jwxKeys struct{ set jwk.Set }

// FetchKeys implements jws.KeyProvider.
func (p jwxKeys) FetchKeys(_ context.Context, sink jws.KeySink, sig *jws.Signature, _ *jws.Message) error {
	h := sig.ProtectedHeaders()
	if typ, ok := h.Type(); !ok || typ != accessToken {
		return errType
	}
	kid, _ := h.KeyID()
	key, ok := p.set.LookupKeyID(kid)
	if !ok {
		return errKey
	}
	name, _ := key.Algorithm()
	alg, ok := jwa.LookupSignatureAlgorithm(name.String())
	if !ok {
		return errKey
	}
	sink.Key(alg, key)
	return nil
}

func openJWX(i *issuer.Issuer, _ string) (*Reader, error) {
	set, err := jwk.Parse(i.KeySet())
	if err != nil {
		return nil, err
	}
	options := []jwt.ParseOption{
		jwt.WithKeyProvider(jwxKeys{set}), jwt.WithIssuer(issuer.URL), jwt.WithAudience(issuer.Audience),
		jwt.WithRequiredClaim(jwt.ExpirationKey), jwt.WithAcceptableSkew(leeway * time.Second),
	}
	parse := func(token string) (t jwt.Token, e extra, err error) {
		if t, err = jwt.ParseString(token, options...); err != nil {
			return nil, e, err
		}
		err = e.fromJWX(t)
		return t, e, err
	}
	return &Reader{
		Verify: func(token string) error { _, _, err := parse(token); return err },
		Read: func(token string) (Facts, error) {
			t, e, err := parse(token)
			if err != nil {
				return Facts{}, err
			}
			date := func(d time.Time, ok bool) int64 {
				if !ok {
					return 0
				}
				return d.Unix()
			}
			var f Facts
			f.Issuer, _ = t.Issuer()
			f.Subject, _ = t.Subject()
			f.ID, _ = t.JwtID()
			f.Audience, _ = t.Audience()
			f.IssuedAt, f.ExpiresAt, f.NotBefore = date(t.IssuedAt()), date(t.Expiration()), date(t.NotBefore())
			return e.addTo(f), nil
		},
	}, nil
}

// fromJWX takes the claims that the library has no names for, each with its type.
func (e *extra) fromJWX(t jwt.Token) error {
	var auth float64
	for _, c := range [...]struct {
		name string
		dst  any
	}{
		{"client_id", &e.ClientID},
		{"sid", &e.SessionID},
		{"grant_id", &e.GrantID},
		{"scope", &e.Scope},
		{"acr", &e.ACR},
		{"auth_time", &auth},
		{"cnf", &e.Cnf},
	} {
		if t.Has(c.name) {
			if err := t.Get(c.name, c.dst); err != nil {
				return err
			}
		}
	}
	e.AuthTime = int64(auth)
	for name, dst := range map[string]*[]string{"amr": &e.AMR, "groups": &e.Groups, "roles": &e.Roles} {
		if !t.Has(name) {
			continue
		}
		var list []any
		if err := t.Get(name, &list); err != nil {
			return err
		}
		for _, v := range list {
			s, ok := v.(string)
			if !ok {
				return errForm
			}
			*dst = append(*dst, s)
		}
	}
	return nil
}
