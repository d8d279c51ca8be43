package token_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/token"
	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/jose"
)

const thumbprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"

// RFC 9449 §6.1: cnf.jkt, and nothing else in cnf; a bound token is no bearer token (TOK-14).
func TestAccess_RFC9449_6_1_Confirmation(t *testing.T) {
	t.Parallel()
	i := newIssuer()
	a := issuerAuthorization()
	bearer := mustAccess(t, i, a).Token
	a.JKT = thumbprint
	bound := mustAccess(t, i, a).Token
	for name, tc := range map[string]struct {
		ask   func() (*verify.Claims, error)
		want  error
		bound bool
	}{
		"bound, as bound":   {func() (*verify.Claims, error) { return i.VerifyBound(bound, issuer, start) }, nil, true},
		"bound, as bearer":  {func() (*verify.Claims, error) { return i.Verify(bound, issuer, start) }, verify.ErrBound, false},
		"bearer, as bearer": {func() (*verify.Claims, error) { return i.Verify(bearer, issuer, start) }, nil, false},
		"bearer, as bound":  {func() (*verify.Claims, error) { return i.VerifyBound(bearer, issuer, start) }, verify.ErrUnbound, false},
		"bound, elsewhere":  {func() (*verify.Claims, error) { return i.VerifyBound(bound, calendar, start) }, verify.ErrAudience, false},
		"bound, inspected":  {func() (*verify.Claims, error) { return i.Inspect(bound, start) }, nil, true},
	} {
		c, err := tc.ask()
		if !errors.Is(err, tc.want) || err != nil && c != nil || tc.bound && c.Confirmation != (verify.Confirmation{JKT: thumbprint}) {
			t.Errorf("%s: %v %v", name, c, err)
		}
	}
	mtls := strings.Replace(claimsText(`"`+issuer+`"`, start.Unix(), start.Unix()+300), `"jti"`, fmt.Sprintf(`"cnf":{"jkt":%q,"x5t#S256":%q},"jti"`, thumbprint, thumbprint), 1)
	if _, err := i.Inspect(resign(t, jose.EdDSA, "at+jwt", mtls), start); err == nil {
		t.Error("a token that is bound to a certificate, too")
	}
}

// RFC 9449 §5.2: whatever a grant decides, a client of bound tokens gets no other.
func TestAccess_RFC9449_5_2_NoBearerToken(t *testing.T) {
	t.Parallel()
	i := newIssuer()
	for name, change := range map[string]func(*idp.Client){
		"dpop_bound_access_tokens": func(c *idp.Client) { c.DPoPBound = true }, "fapi2": func(c *idp.Client) { c.Profile = idp.FAPI2 },
	} {
		a := issuerAuthorization()
		change(&a.Client)
		if _, err := i.Access(a, start); err == nil {
			t.Errorf("%s: a bearer token", name)
		}
		a.JKT = thumbprint
		mustAccess(t, i, a)
	}
}

// OAU-11: what a token was replaced by is told to who proves the same key.
func TestOpenSuccessor_RFC9449_5_SameKey(t *testing.T) {
	t.Parallel()
	presented, _, _ := token.NewRefresh()
	for _, jkt := range []string{"", thumbprint} {
		next, _, sealed := token.NextRefresh(presented, jkt)
		if got, err := token.OpenSuccessor(presented, jkt, sealed); err != nil || got.Reveal() != next.Reveal() {
			t.Errorf("%q: %v", jkt, err)
		}
		for _, other := range []string{"", thumbprint, thumbprint[1:]} {
			if _, err := token.OpenSuccessor(presented, other, sealed); other != jkt && !errors.Is(err, secret.ErrSealed) {
				t.Errorf("sealed for %q, opened by %q: %v", jkt, other, err)
			}
		}
	}
}
