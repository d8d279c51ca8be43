package token_test

import (
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/keyring"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/store"
	"github.com/signet-id/signet/internal/token"
	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/jose"
)

// TestID_Rejections: no ID token without somebody who has signed in. OAU-03, TOK-10
func TestID_Rejections(t *testing.T) {
	t.Parallel()
	i := newIssuer()
	if _, err := i.ID(clientAuthorization(), "", start); !errors.Is(err, idp.ErrInvalid) {
		t.Errorf("client_credentials: %v", err)
	}
	tests := map[string]struct {
		alter func(a *token.Authorization)
		want  error
	}{
		"grant of another client": {func(a *token.Authorization) { a.Grant.ClientID = "calendar" }, idp.ErrInvalid},
		"grant of another user":   {func(a *token.Authorization) { a.Grant.UserID = secret.ID() }, idp.ErrInvalid},
		"disabled user":           {func(a *token.Authorization) { a.User.DisabledAt = start }, idp.ErrDenied},
		"no algorithm":            {func(a *token.Authorization) { a.Client.IDTokenAlg = "none" }, idp.ErrNotFound},
		"symmetric algorithm":     {func(a *token.Authorization) { a.Client.IDTokenAlg = "HS256" }, idp.ErrNotFound},
		"nonce that is not UTF-8": {func(a *token.Authorization) { a.Grant.Nonce = "\xc3" }, idp.ErrInvalid},
	}
	for name, tt := range tests {
		a := authorization()
		tt.alter(&a)
		if tok, err := i.ID(a, "", start); !errors.Is(err, tt.want) || tok != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestID_OpenIDCore_2: header and claims, byte for byte and in their order.
func TestID_OpenIDCore_2(t *testing.T) {
	t.Parallel()
	// Token and hash of OpenID Connect Core, appendix A.4.
	tok := mustID(t, newIssuer(), authorization(), "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y")
	signer, err := sharedRing().Signer("RS256")
	if err != nil {
		t.Fatal(err)
	}
	header, payload := decode(t, tok)
	if want := `{"alg":"RS256","typ":"JWT","kid":"` + signer.Key().ID() + `"}`; header != want {
		t.Errorf("got %s\nwant %s", header, want)
	}
	want := fmt.Sprintf(`{"iss":"https://id.example.com","sub":"%s","aud":"friendly-scheduler","exp":%d,"iat":%d,`+
		`"nonce":"n-0S6_WzA2Mj","auth_time":%d,"acr":"aal1","amr":["pwd"],"sid":"session-1","at_hash":"77QmUPtjPfzWtF2AnpK9RQ"}`,
		userID, start.Unix()+300, start.Unix(), start.Unix()-3600)
	if payload != want {
		t.Errorf("got  %s\nwant %s", payload, want)
	}
}

// TestID_OpenIDCore_3_1_3_6_AccessTokenHash: with the hash of the algorithm, and only
// beside an access token.
func TestID_OpenIDCore_3_1_3_6_AccessTokenHash(t *testing.T) {
	t.Parallel()
	a := authorization()
	if m := members(t, mustID(t, newIssuer(), a, "")); m["at_hash"] != nil {
		t.Errorf("got %v", m["at_hash"])
	}
	sum := sha512.Sum512([]byte("access"))
	for alg, want := range map[string]string{
		"EdDSA": base64.RawURLEncoding.EncodeToString(sum[:32]),
		"ES256": "oFYf1knNtrqnhAVfBRuteQ", // printf access | sha256sum, left half
		"RS256": "oFYf1knNtrqnhAVfBRuteQ",
		"PS256": "oFYf1knNtrqnhAVfBRuteQ",
	} {
		a.Client.IDTokenAlg = alg
		tok := mustID(t, newIssuer(), a, "access")
		if header, _ := decode(t, tok); !strings.Contains(header, alg) {
			t.Errorf("%s: %s", alg, header)
		}
		if m := members(t, tok); m["at_hash"] != want {
			t.Errorf("%s: %v, want %s", alg, m["at_hash"], want)
		}
	}
}

// TestID_OpenIDCore_3_1_2_1_NonceExactly: whatever a client sent, it gets back.
func TestID_OpenIDCore_3_1_2_1_NonceExactly(t *testing.T) {
	t.Parallel()
	for _, nonce := range []string{
		"a", " ", `"`, `\`, `","sub":"x`, "\x00\x1f\x7f", "<script>&amp;", "\u2028\u2029", "ü€😀", "\ufffd", strings.Repeat("n", 384), "a\r\nb\t",
	} {
		a := authorization()
		a.Grant.Nonce = nonce
		m := members(t, mustID(t, newIssuer(), a, "x"))
		if m["nonce"] != nonce || m["sub"] != userID {
			t.Errorf("%q came back as %q", nonce, m["nonce"])
		}
	}
	a := authorization()
	a.Grant.Nonce = ""
	if _, there := members(t, mustID(t, newIssuer(), a, "x"))["nonce"]; there {
		t.Error("a nonce that nobody sent")
	}
}

// TestID_OpenIDCore_5_4_NoProfile: claims about the person come from userinfo.
func TestID_OpenIDCore_5_4_NoProfile(t *testing.T) {
	t.Parallel()
	a := authorization()
	a.Groups = []string{"staff"}
	a.Grant.SessionID = "" // offline
	m := members(t, mustID(t, newIssuer(), a, "x"))
	want := []string{"acr", "amr", "at_hash", "aud", "auth_time", "exp", "iat", "iss", "nonce", "sub"}
	if got := slices.Sorted(maps.Keys(m)); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestIDTokenHint_Rejections: a hint that we did not make as an ID token is none. TOK-01, OAU-19
func TestIDTokenHint_Rejections(t *testing.T) {
	t.Parallel()
	i := newIssuer()
	good := mustID(t, i, authorization(), "x")
	parts := strings.Split(good, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`))
	foreignRing, _ := openRing()
	foreign := token.New(token.Config{Issuer: issuer, Keys: foreignRing})
	claim := func(s string) string { return resign(t, jose.RS256, "JWT", s) }
	tests := map[string]struct {
		tok  string
		want error
	}{
		"empty":               {"", verify.ErrMalformed},
		"garbage":             {"a.b.c", verify.ErrMalformed},
		"access token":        {mustAccess(t, i, authorization()).Token, verify.ErrType},
		"logout token":        {resign(t, jose.RS256, "logout+jwt", `{"iss":"`+issuer+`","sub":"x","aud":"c"}`), verify.ErrType},
		"typ in other case":   {resign(t, jose.RS256, "jwt", `{"iss":"`+issuer+`","sub":"x","aud":"c"}`), verify.ErrType},
		"foreign key":         {mustID(t, foreign, authorization(), "x"), verify.ErrUnknownKey},
		"changed payload":     {parts[0] + "." + parts[1][:8] + "AAAA" + parts[1][12:] + "." + parts[2], verify.ErrSignature},
		"alg none":            {none + "." + parts[1] + ".", verify.ErrMalformed},
		"alg none, signature": {none + "." + parts[1] + "." + parts[2], verify.ErrAlgorithm},
		"other issuer":        {claim(`{"iss":"https://id.example.com/","sub":"x","aud":"c"}`), verify.ErrIssuer},
		"no issuer":           {claim(`{"sub":"x","aud":"c"}`), verify.ErrMalformed},
		"issuer in other case": {
			claim(`{"ISS":"` + issuer + `","sub":"x","aud":"c"}`), verify.ErrMalformed,
		},
		"no subject":       {claim(`{"iss":"` + issuer + `","aud":"c"}`), verify.ErrMalformed},
		"empty subject":    {claim(`{"iss":"` + issuer + `","sub":"","aud":"c"}`), verify.ErrMalformed},
		"two subjects":     {claim(`{"iss":"` + issuer + `","sub":"x","sub":"y","aud":"c"}`), verify.ErrMalformed},
		"list of audience": {claim(`{"iss":"` + issuer + `","sub":"x","aud":["c"]}`), verify.ErrMalformed},
		"number as sid":    {claim(`{"iss":"` + issuer + `","sub":"x","aud":"c","sid":1}`), verify.ErrMalformed},
		"null as sid":      {claim(`{"iss":"` + issuer + `","sub":"x","aud":"c","sid":null}`), verify.ErrMalformed},
		"no object":        {claim(`[]`), verify.ErrMalformed},
	}
	for name, tt := range tests {
		if sub, sid, aud, err := i.IDTokenHint(tt.tok); !errors.Is(err, tt.want) || sub+sid+aud != "" {
			t.Errorf("%s: %q %q %q %v", name, sub, sid, aud, err)
		}
	}
}

// TestIDTokenHint_Expired: a hint may be old; it names, it does not authenticate.
func TestIDTokenHint_Expired(t *testing.T) {
	t.Parallel()
	i := newIssuer()
	for alg, session := range map[string]string{"RS256": "session-1", "ES256": "", "EdDSA": "session-1"} {
		a := authorization()
		a.Client.IDTokenAlg, a.Grant.SessionID = alg, session
		tok, err := i.ID(a, "", start.Add(-5*365*24*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		sub, sid, aud, err := i.IDTokenHint(tok)
		if err != nil || sub != userID || sid != session || aud != "friendly-scheduler" {
			t.Errorf("%s: %q %q %q %v", alg, sub, sid, aud, err)
		}
	}
}

// TestIDTokenHint_OldKeys: a retiring key still makes good hints; one that is retired in
// an emergency does not: it may have been stolen. TOK-07
func TestIDTokenHint_OldKeys(t *testing.T) {
	t.Parallel()
	rows, kek := &keyRows{}, secret.Key()
	ring, err := keyring.Open(t.Context(), rows, keyring.Config{KEK: kek}, start)
	if err != nil {
		t.Fatal(err)
	}
	i := token.New(token.Config{Issuer: issuer, Keys: ring})
	hint := mustID(t, i, authorization(), "")
	change := func(f func(k *idp.SigningKey)) {
		t.Helper()
		for n := range rows.rows[:3] {
			f(&rows.rows[n])
		}
		if err := ring.Reload(t.Context(), start); err != nil {
			t.Fatal(err)
		}
	}
	change(func(k *idp.SigningKey) { k.RetiringAt = start })
	if _, _, _, err := i.IDTokenHint(hint); err != nil {
		t.Errorf("retiring: %v", err)
	}
	if later := mustID(t, i, authorization(), ""); strings.Split(later, ".")[0] == strings.Split(hint, ".")[0] {
		t.Error("the retiring key signs")
	}
	change(func(k *idp.SigningKey) { k.RetiredAt = start })
	if _, _, _, err := i.IDTokenHint(hint); !errors.Is(err, verify.ErrUnknownKey) {
		t.Errorf("retired: %v", err)
	}
}

// TestIDTokenHint_RetiredOnSchedule: what a key signed is a good hint for as long as a
// login lasts, and nothing else; when the key turns out to be stolen, not even that. TOK-07
func TestIDTokenHint_RetiredOnSchedule(t *testing.T) {
	t.Parallel()
	ctx, by, now := t.Context(), idp.Actor{Kind: "operator"}, start
	db, err := store.Open(ctx, "sqlite:"+filepath.Join(t.TempDir(), "signet.db"), store.Options{RuleLifetime: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	ring, err := keyring.Open(ctx, db, keyring.Config{KEK: secret.Key()}, now)
	if err != nil {
		t.Fatal(err)
	}
	i := token.New(token.Config{Issuer: issuer, Keys: ring})
	hint, access := mustID(t, i, authorization(), ""), mustAccess(t, i, authorization())
	signer, err := ring.Signer(jose.RS256)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ring.Succeed(ctx, by, nil, now); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		now = now.Add(time.Hour)
		if err := ring.Rotate(ctx, now); err != nil {
			t.Fatal(err)
		}
	}
	if _, published := ring.Keys().Key(signer.Key().ID()); published {
		t.Fatal("it is not retired")
	}
	if sub, _, _, err := i.IDTokenHint(hint); err != nil || sub != userID {
		t.Errorf("hint: %v", err)
	}
	if _, err := i.Inspect(access.Token, start); !errors.Is(err, verify.ErrUnknownKey) {
		t.Errorf("access token of a retired key: %v", err)
	}
	if err := ring.Kill(ctx, by, signer.Key().ID(), now); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := i.IDTokenHint(hint); !errors.Is(err, verify.ErrUnknownKey) {
		t.Errorf("hint of a stolen key: %v", err)
	}
}
