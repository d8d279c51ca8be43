package token_test

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/token"
	"github.com/signet-id/signet/verify"
)

// TestAccess_Rejections: no token is made from parts that do not fit together. OAU-03, TOK-02, TOK-10
func TestAccess_Rejections(t *testing.T) {
	t.Parallel()
	i := newIssuer()
	tests := []struct {
		name  string
		alter func(a *token.Authorization)
		want  error
	}{
		{"no client", func(a *token.Authorization) { a.Client.ID = "" }, idp.ErrInvalid},
		{"grant of another client", func(a *token.Authorization) { a.Grant.ClientID = "calendar" }, idp.ErrInvalid},
		{"grant of another user", func(a *token.Authorization) { a.Grant.UserID = secret.ID() }, idp.ErrInvalid},
		{"no user", func(a *token.Authorization) { a.User, a.Grant.UserID = idp.User{}, "" }, idp.ErrInvalid},
		{"user without a grant", func(a *token.Authorization) { a.Grant = idp.Grant{} }, idp.ErrInvalid},
		{"disabled user", func(a *token.Authorization) { a.User.DisabledAt = start }, idp.ErrDenied},
		{"disabled client", func(a *token.Authorization) { a.Client.DisabledAt = start }, idp.ErrDenied},
		{"revoked grant", func(a *token.Authorization) { a.Grant.RevokedAt = start }, idp.ErrDenied},
		{"no audience", func(a *token.Authorization) { a.Audience = "" }, idp.ErrInvalid},
		{"no audience, no resource", func(a *token.Authorization) { a.Audience, a.Resource = "", idp.Resource{} }, idp.ErrInvalid},
		{"audience of another resource", func(a *token.Authorization) { a.Audience = "https://other.example.com" }, idp.ErrInvalid},
		{"audience with a slash", func(a *token.Authorization) { a.Audience += "/" }, idp.ErrInvalid},
		{"audience in other case", func(a *token.Authorization) { a.Audience = "https://Calendar.example.com" }, idp.ErrInvalid},
		{"resource with the issuer as audience", func(a *token.Authorization) { a.Audience = issuer }, idp.ErrInvalid},
		{"unknown resource", func(a *token.Authorization) { a.Resource = idp.Resource{} }, idp.ErrInvalid},
		{"opaque format", func(a *token.Authorization) { a.Resource.TokenFormat = "opaque" }, idp.ErrInvalid},
		{"algorithm without a key", func(a *token.Authorization) { a.Resource.Alg = "PS384" }, idp.ErrNotFound},
		{"no algorithm", func(a *token.Authorization) { a.Resource.Alg = "none" }, idp.ErrNotFound},
		{"symmetric algorithm", func(a *token.Authorization) { a.Resource.Alg = "HS256" }, idp.ErrNotFound},
		{"negative lifetime", func(a *token.Authorization) { a.Resource.AccessTokenLifetime = -time.Minute }, idp.ErrInvalid},
		{"scope that is not UTF-8", func(a *token.Authorization) { a.Scopes = []string{"a\xff"} }, idp.ErrInvalid},
		{"longer than verifiers read", func(a *token.Authorization) { a.Groups = slices.Repeat([]string{"group"}, 3000) }, idp.ErrInvalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := authorization()
			tt.alter(&a)
			if acc, err := i.Access(a, start); !errors.Is(err, tt.want) || acc != (token.Access{}) {
				t.Errorf("got %v, %v", acc, err)
			}
		})
	}
}

// TestAccess_RFC9068_2: header and claims, byte for byte and in their order.
func TestAccess_RFC9068_2(t *testing.T) {
	t.Parallel()
	acc := mustAccess(t, newIssuer(), authorization())
	signer, err := sharedRing().Signer("EdDSA")
	if err != nil {
		t.Fatal(err)
	}
	header, payload := decode(t, acc.Token)
	if want := `{"alg":"EdDSA","typ":"at+jwt","kid":"` + signer.Key().ID() + `"}`; header != want {
		t.Errorf("got %s\nwant %s", header, want)
	}
	want := fmt.Sprintf(`{"iss":"https://id.example.com","sub":"%s","aud":"https://calendar.example.com",`+
		`"exp":%d,"iat":%d,"jti":"%s","client_id":"friendly-scheduler","scope":"calendar.freebusy:read calendar.meetings:write",`+
		`"sid":"session-1","grant_id":"grant-1","auth_time":%d,"acr":"aal1","amr":["pwd"]}`,
		userID, start.Unix()+300, start.Unix(), acc.JTI, start.Unix()-3600)
	if payload != want {
		t.Errorf("got  %s\nwant %s", payload, want)
	}
	if !secret.IsID(acc.JTI) || acc.ExpiresIn != 300 || acc.ExpiresAt.Unix() != start.Unix()+300 {
		t.Errorf("got %s %d %v", acc.JTI, acc.ExpiresIn, acc.ExpiresAt)
	}
	if again := mustAccess(t, newIssuer(), authorization()); again.JTI == acc.JTI {
		t.Error("the jti repeats")
	}
}

// TestAccess_ClientCredentials: the client is the subject; nothing of a login is in it. RFC 9068 §2.2
func TestAccess_ClientCredentials(t *testing.T) {
	t.Parallel()
	m := members(t, mustAccess(t, newIssuer(), clientAuthorization()).Token)
	if m["sub"] != "reports" || m["client_id"] != "reports" {
		t.Errorf("got %v", m)
	}
	want := []string{"aud", "client_id", "exp", "iat", "iss", "jti", "scope", "sub"}
	if got := slices.Sorted(maps.Keys(m)); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestAccess_RFC9068_5_SubjectsDisjoint: a client can never be taken for a user, nor a
// user for a client. TOK-01
func TestAccess_RFC9068_5_SubjectsDisjoint(t *testing.T) {
	t.Parallel()
	i := newIssuer()
	for _, id := range []string{userID, secret.ID(), strings.Repeat("0", 22), ""} {
		a := clientAuthorization()
		a.Client.ID = id
		if _, err := i.Access(a, start); !errors.Is(err, idp.ErrInvalid) {
			t.Errorf("client %q: %v", id, err)
		}
		if err := token.CheckClientID(id); !errors.Is(err, idp.ErrInvalid) {
			t.Errorf("client %q: %v", id, err)
		}
	}
	for _, id := range []string{"reports", "friendly-scheduler", userID + "x", userID[1:], "", userID[:21] + "-"} {
		a := authorization()
		a.User.ID, a.Grant.UserID = id, id
		if _, err := i.Access(a, start); !errors.Is(err, idp.ErrInvalid) {
			t.Errorf("user %q: %v", id, err)
		}
		if err := token.CheckClientID(id); (err == nil) != (id != "") {
			t.Errorf("client %q: %v", id, err)
		}
	}
}

// TestAccess_OfflineWithoutSession: tokens of a grant that outlives the login do not
// name the login, or its end would end them. OAU-20
func TestAccess_OfflineWithoutSession(t *testing.T) {
	t.Parallel()
	a := authorization()
	a.Grant.SessionID = ""
	m := members(t, mustAccess(t, newIssuer(), a).Token)
	if _, there := m["sid"]; there || m["grant_id"] != "grant-1" {
		t.Errorf("got %v", m)
	}
}

// TestAccess_NothingUnasked: no claim about the person beyond what is needed.
func TestAccess_NothingUnasked(t *testing.T) {
	t.Parallel()
	a := issuerAuthorization()
	_, payload := decode(t, mustAccess(t, newIssuer(), a).Token)
	for _, canary := range []string{"ann", "example.com\",\"email", "staff", "n-0S6_WzA2Mj"} {
		if strings.Contains(payload, canary) {
			t.Errorf("%q is in %s", canary, payload)
		}
	}
	a.Groups, a.Scopes = []string{"staff", "a\"b"}, nil
	m := members(t, mustAccess(t, newIssuer(), a).Token)
	if fmt.Sprint(m["groups"]) != `[staff a"b]` {
		t.Errorf("got %v", m["groups"])
	}
	if _, there := m["scope"]; there {
		t.Error("an empty scope")
	}
}

// TestAccess_IssuedAfterRules: a new token is dated later than every rule against its
// client's older tokens, and ends no later for it.
func TestAccess_IssuedAfterRules(t *testing.T) {
	t.Parallel()
	now := start.Unix()
	tests := []struct {
		name   string
		before time.Time
		iat    int64
		err    error
	}{
		{"no rule", time.Time{}, now, nil},
		{"long ago", start.Add(-time.Hour), now, nil},
		{"a second ago", time.Unix(now-1, 0), now, nil},
		{"this second", time.Unix(now, 0), now + 1, nil},
		{"later in this second", time.Unix(now, 900e6), now + 1, nil},
		{"in two seconds", time.Unix(now+2, 0), now + 3, nil},
		{"in two and a half seconds", time.Unix(now+2, 500e6), now + 3, nil},
		{"far away", start.Add(time.Hour), 0, idp.ErrUnavailable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			i := token.New(token.Config{Issuer: issuer, Keys: sharedRing()})
			a := authorization()
			a.NotBefore = tt.before
			acc, err := i.Access(a, start)
			id, err2 := i.ID(a, acc.Token, start)
			if !errors.Is(err, tt.err) || !errors.Is(err2, tt.err) {
				t.Fatalf("got %v, %v", err, err2)
			}
			if other := members(t, mustAccess(t, i, clientAuthorization()).Token); other["iat"] != float64(now) {
				t.Errorf("another client's iat moved to %v", other["iat"])
			}
			if tt.err != nil {
				return
			}
			for _, tok := range []string{acc.Token, id} {
				m := members(t, tok)
				if m["iat"] != float64(tt.iat) || m["exp"] != float64(now+300) {
					t.Errorf("iat %v, exp %v", m["iat"], m["exp"])
				}
				if iat := int64(m["iat"].(float64)); iat <= tt.before.Unix() {
					t.Errorf("dead at birth: iat %d, rule until %d", iat, tt.before.Unix())
				}
			}
			if _, err := i.Verify(acc.Token, calendar, start); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestAccess_Lifetime: a resource may ask for less, and for more only up to what the
// store remembers revocations. TOK-12
func TestAccess_Lifetime(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name              string
		resource, max     time.Duration
		access, expiresIn time.Duration
	}{
		{"default", 0, 0, 0, 5 * time.Minute},
		{"configured", 0, 0, time.Minute, time.Minute},
		{"shorter resource", 30 * time.Second, 0, time.Minute, 30 * time.Second},
		{"longer resource", time.Hour, 0, time.Minute, time.Minute},
		{"longer resource within the maximum", time.Hour, 2 * time.Hour, time.Minute, time.Hour},
		{"longer resource beyond the maximum", 3 * time.Hour, 2 * time.Hour, time.Minute, 2 * time.Hour},
	}
	for _, tt := range tests {
		i := token.New(token.Config{Issuer: issuer, Keys: sharedRing(), AccessLifetime: tt.access, MaxLifetime: tt.max})
		a := authorization()
		a.Resource.AccessTokenLifetime = tt.resource
		if acc := mustAccess(t, i, a); acc.ExpiresIn != int64(tt.expiresIn/time.Second) {
			t.Errorf("%s: %d seconds", tt.name, acc.ExpiresIn)
		}
	}
}

// TestAccess_Algorithm: the resource chooses.
func TestAccess_Algorithm(t *testing.T) {
	t.Parallel()
	for alg, want := range map[string]string{"": "EdDSA", "EdDSA": "EdDSA", "ES256": "ES256", "RS256": "RS256", "PS256": "PS256"} {
		a := authorization()
		a.Resource.Alg = alg
		acc := mustAccess(t, newIssuer(), a)
		if header, _ := decode(t, acc.Token); !strings.HasPrefix(header, `{"alg":"`+want+`","typ":"at+jwt"`) {
			t.Errorf("%q: %s", alg, header)
		}
		if _, err := newIssuer().Verify(acc.Token, calendar, start); err != nil {
			t.Errorf("%q: %v", alg, err)
		}
	}
}

// TestAccess_ReadByTheSDK: what we write is what verifiers read.
func TestAccess_ReadByTheSDK(t *testing.T) {
	t.Parallel()
	a := authorization()
	a.Groups = []string{"staff"}
	acc := mustAccess(t, newIssuer(), a)
	_, payload := decode(t, acc.Token)
	c, err := verify.ParseClaims([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	if c.Issuer != issuer || c.Subject != userID || c.Audience != calendar || c.ID != acc.JTI || c.ClientID != a.Client.ID ||
		c.SessionID != "session-1" || c.GrantID != "grant-1" || c.ACR != "aal1" || !slices.Equal(c.AMR, []string{"pwd"}) ||
		!slices.Equal(c.Scopes, a.Scopes) || !slices.Equal(c.Groups, a.Groups) || c.AuthTime.Unix() != a.Grant.AuthTime.Unix() {
		t.Errorf("got %+v", c)
	}
}

// TestAccess_Format: printing what Access returns prints no token. OPS-01
func TestAccess_Format(t *testing.T) {
	t.Parallel()
	acc := mustAccess(t, newIssuer(), authorization())
	if got := fmt.Sprintf("%v %+v %#v %s %d", acc, acc, acc, acc, acc); strings.Contains(got, acc.Token) || !strings.Contains(got, acc.JTI) {
		t.Errorf("got %s", got)
	}
}

// BenchmarkAccess compares a token with its bare signature, turn by turn, because
// neighbours on the machine disturb both alike: x/sign is the median of the ratios.
func BenchmarkAccess(b *testing.B) {
	i, a := newIssuer(), authorization()
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		b.Fatal(err)
	}
	tok := mustAccess(b, i, a).Token
	message := []byte(tok[:strings.LastIndexByte(tok, '.')])
	const turns = 10
	timed := func(f func()) float64 {
		began := time.Now()
		for range turns {
			f()
		}
		return float64(time.Since(began))
	}
	var ratios []float64
	for b.Loop() {
		ours := timed(func() { mustAccess(b, i, a) })
		bare := timed(func() { ed25519.Sign(private, message) })
		ratios = append(ratios, ours/bare)
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "x/sign")
	b.ReportMetric(0, "ns/op") // of both together: says nothing
}

// BenchmarkAccessAlone is for its allocations.
func BenchmarkAccessAlone(b *testing.B) {
	i, a := newIssuer(), authorization()
	b.ReportAllocs()
	for b.Loop() {
		mustAccess(b, i, a)
	}
}
