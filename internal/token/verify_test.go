package token_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/token"
	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/jose"
)

// claimsText is a complete payload for the audience, with times around start.
func claimsText(aud string, iat, exp int64) string {
	return fmt.Sprintf(`{"iss":"%s","sub":"%s","aud":%s,"exp":%d,"iat":%d,"jti":"j","client_id":"c","scope":"openid"}`,
		issuer, userID, aud, exp, iat)
}

// TestVerify_AudienceExactly: a token for one service is none for another, nor for us. TOK-02
func TestVerify_AudienceExactly(t *testing.T) {
	t.Parallel()
	i := newIssuer()
	now := start.Unix()
	rejected := map[string]string{
		"another service":  `"https://calendar.example.com"`,
		"slash":            `"https://id.example.com/"`,
		"prefix":           `"https://id.example.co"`,
		"suffix":           `"https://id.example.com.evil.example"`,
		"upper case":       `"https://ID.example.com"`,
		"port":             `"https://id.example.com:443"`,
		"list of ours":     `["https://id.example.com"]`,
		"list of two":      `["https://id.example.com","https://calendar.example.com"]`,
		"empty":            `""`,
		"null":             `null`,
		"with NUL":         `"https://id.example.com\u0000"`,
		"with space":       `" https://id.example.com"`,
		"our path":         `"https://id.example.com/userinfo"`,
		"revocations feed": `"https://id.example.com/revocations"`,
	}
	for name, aud := range rejected {
		tok := resign(t, jose.EdDSA, "at+jwt", claimsText(aud, now, now+300))
		if c, err := i.Verify(tok, issuer, start); err == nil || c != nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := i.Verify(mustAccess(t, i, authorization()).Token, issuer, start); !errors.Is(err, verify.ErrAudience) {
		t.Errorf("calendar's token here: %v", err)
	}
	ours := mustAccess(t, i, issuerAuthorization()).Token
	if _, err := i.Verify(ours, calendar, start); !errors.Is(err, verify.ErrAudience) {
		t.Errorf("our token there: %v", err)
	}
	if _, err := i.Verify(ours, "", start); !errors.Is(err, verify.ErrAudience) {
		t.Errorf("no audience wanted: %v", err)
	}
	c, err := i.Verify(ours, issuer, start)
	if err != nil || c.Subject != userID || c.KeyID == "" {
		t.Errorf("got %+v, %v", c, err)
	}
}

// TestVerify_OtherKinds: nothing else that we sign is an access token. TOK-01
func TestVerify_OtherKinds(t *testing.T) {
	t.Parallel()
	i := newIssuer()
	payload := claimsText(`"`+issuer+`"`, start.Unix(), start.Unix()+300)
	for _, typ := range []string{
		"JWT", "jwt", "AT+JWT", "application/at+jwt", "at+jwt ", "", "logout+jwt", "revocations+jwt", "secevent+jwt", "dpop+jwt",
		"oauth-authz-req+jwt", "token-introspection+jwt", "client-authentication+jwt",
	} {
		if _, err := i.Verify(resign(t, jose.EdDSA, typ, payload), issuer, start); !errors.Is(err, verify.ErrType) {
			t.Errorf("typ %q: %v", typ, err)
		}
	}
	if _, err := i.Verify(mustID(t, i, authorization(), ""), "friendly-scheduler", start); !errors.Is(err, verify.ErrType) {
		t.Errorf("ID token: %v", err)
	}
	next, _, _ := token.NewRefresh()
	if _, err := i.Verify(next.Reveal(), issuer, start); !errors.Is(err, verify.ErrMalformed) {
		t.Errorf("refresh token: %v", err)
	}
	if _, err := i.Verify(resign(t, jose.EdDSA, "at+jwt", payload), issuer, start); err != nil {
		t.Errorf("the kind that is accepted: %v", err)
	}
}

// TestVerify_Times: to the second, by our own clock. TOK-04
func TestVerify_Times(t *testing.T) {
	t.Parallel()
	i := newIssuer()
	now := start.Unix()
	start := time.Unix(now, 0)
	tests := []struct {
		name     string
		iat, exp int64
		want     error
	}{
		{"expires in a second", now - 299, now + 1, nil},
		{"expires now", now - 300, now, verify.ErrExpired},
		{"expired long ago", now - 900, now - 600, verify.ErrExpired},
		{"dated by a clock ahead", now + 60, now + 300, nil},
		{"from the future", now + 61, now + 300, verify.ErrNotYetValid},
		{"ends before it begins", now + 10, now + 5, verify.ErrMalformed},
	}
	for _, tt := range tests {
		tok := resign(t, jose.EdDSA, "at+jwt", claimsText(`"`+issuer+`"`, tt.iat, tt.exp))
		if _, err := i.Verify(tok, issuer, start); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	nbf := strings.Replace(claimsText(`"`+issuer+`"`, now, now+300), `"jti"`, fmt.Sprintf(`"nbf":%d,"jti"`, now+61), 1)
	nbf = resign(t, jose.EdDSA, "at+jwt", nbf)
	_, err := i.Verify(nbf, issuer, start)
	if _, inspected := i.Inspect(nbf, start); !errors.Is(err, verify.ErrNotYetValid) || !errors.Is(inspected, verify.ErrNotYetValid) { // RFC 7662 §4
		t.Errorf("nbf: %v, %v", err, inspected)
	}
}

// TestVerify_OtherIssuers: a key of ours under another name, and another's key. TOK-03
func TestVerify_OtherIssuers(t *testing.T) {
	t.Parallel()
	i := newIssuer()
	payload := claimsText(`"`+issuer+`"`, start.Unix(), start.Unix()+300)
	for _, iss := range []string{issuer + "/", "https://ID.example.com", "http://id.example.com", issuer + ":443", "https://evil.example"} {
		tok := resign(t, jose.EdDSA, "at+jwt", strings.Replace(payload, `"iss":"`+issuer, `"iss":"`+iss, 1))
		if _, err := i.Verify(tok, issuer, start); !errors.Is(err, verify.ErrIssuer) {
			t.Errorf("%s: %v", iss, err)
		}
	}
	ring, _ := openRing()
	foreign := token.New(token.Config{Issuer: issuer, Keys: ring})
	if _, err := i.Verify(mustAccess(t, foreign, issuerAuthorization()).Token, issuer, start); !errors.Is(err, verify.ErrUnknownKey) {
		t.Errorf("foreign key: %v", err)
	}
}

// TestInspect_AnyAudience: for the revocation endpoint (RFC 7009), every unexpired
// access token of ours and nothing else.
func TestInspect_AnyAudience(t *testing.T) {
	t.Parallel()
	i := newIssuer()
	for _, a := range []token.Authorization{authorization(), issuerAuthorization(), clientAuthorization()} {
		acc := mustAccess(t, i, a)
		c, err := i.Inspect(acc.Token, start)
		if err != nil || c.ID != acc.JTI || c.Audience != a.Audience || c.ClientID != a.Client.ID {
			t.Errorf("got %+v, %v", c, err)
		}
		if _, err := i.Inspect(acc.Token, start.Add(5*time.Minute)); !errors.Is(err, verify.ErrExpired) {
			t.Errorf("expired: %v", err)
		}
	}
	if _, err := i.Inspect(mustID(t, i, authorization(), ""), start); !errors.Is(err, verify.ErrType) {
		t.Errorf("ID token: %v", err)
	}
}

func BenchmarkVerify(b *testing.B) {
	i := newIssuer()
	tok := mustAccess(b, i, issuerAuthorization()).Token
	b.ReportAllocs()
	for b.Loop() {
		if _, err := i.Verify(tok, issuer, start); err != nil {
			b.Fatal(err)
		}
	}
}
