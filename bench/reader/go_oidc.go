package reader

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/signet-id/signet/bench/issuer"
)

// GoOIDC is github.com/coreos/go-oidc/v3. It reads ID tokens, so "typ" is not looked at,
// and it gives "exp" no leeway.
var GoOIDC = Library{"go-oidc v3", openGoOIDC}

// keySet answers every request with one document.
type keySet []byte

// RoundTrip implements http.RoundTripper.
func (k keySet) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader(k)), Request: r,
	}, nil
}

type oidcClaims struct {
	ID        string `json:"jti"`
	NotBefore int64  `json:"nbf"`
	extra
}

func openGoOIDC(i *issuer.Issuer, alg string) (*Reader, error) {
	if strings.HasPrefix(alg, "HS") {
		return nil, ErrNotAvailable
	}
	ctx := oidc.ClientContext(context.Background(), &http.Client{Transport: keySet(i.KeySet())})
	keys := oidc.NewRemoteKeySet(ctx, issuer.URL+"/jwks.json") // fetched once, found by kid
	verifier := oidc.NewVerifier(issuer.URL, keys, &oidc.Config{ClientID: issuer.Audience, SupportedSigningAlgs: i.Algorithms()})
	parse := func(token string) (*oidc.IDToken, *oidcClaims, error) {
		t, err := verifier.Verify(ctx, token)
		if err != nil {
			return nil, nil, err
		}
		c := &oidcClaims{}
		return t, c, t.Claims(c)
	}
	return &Reader{
		Verify: func(token string) error { _, _, err := parse(token); return err },
		Read: func(token string) (Facts, error) {
			t, c, err := parse(token)
			if err != nil {
				return Facts{}, err
			}
			return c.extra.addTo(Facts{
				Issuer: t.Issuer, Subject: t.Subject, ID: c.ID, Audience: t.Audience,
				IssuedAt: t.IssuedAt.Unix(), ExpiresAt: t.Expiry.Unix(), NotBefore: c.NotBefore,
			}), nil
		},
	}, nil
}
