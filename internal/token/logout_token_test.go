package token_test

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/verify/jose"
)

func mustLogout(t testing.TB, c idp.Client, sid string) string {
	t.Helper()
	tok, err := newIssuer().Logout(c, userID, sid, start)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// Back-Channel Logout §2.4: the claims, all of them and no others; never a nonce.
func TestLogout_BackChannel_2_4_Claims(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		client idp.Client
		sid    string
		alg    string
	}{
		"usual":           {idp.Client{ID: "wiki"}, "session-1", "RS256"},
		"EdDSA":           {idp.Client{ID: "wiki", ClientMetadata: idp.ClientMetadata{IDTokenAlg: "EdDSA"}}, "session-1", "EdDSA"},
		"ES256":           {idp.Client{ID: "wiki", ClientMetadata: idp.ClientMetadata{IDTokenAlg: "ES256"}}, "session-1", "ES256"},
		"PS256":           {idp.Client{ID: "wiki", ClientMetadata: idp.ClientMetadata{IDTokenAlg: "PS256"}}, "session-1", "PS256"},
		"all of a person": {idp.Client{ID: "wiki"}, "", "RS256"},
		"needs a session": {idp.Client{ID: "wiki", ClientMetadata: idp.ClientMetadata{BackchannelLogoutSID: true}}, "session-1", "RS256"},
	} {
		tok := mustLogout(t, tt.client, tt.sid)
		header, payload := decode(t, tok)
		var h struct{ Alg, Typ, Kid string }
		if err := json.Unmarshal([]byte(header), &h); err != nil || h.Alg != tt.alg || h.Typ != "logout+jwt" || h.Kid == "" {
			t.Errorf("%s: header %s", name, header)
		}
		m := members(t, tok)
		want := []string{"aud", "events", "exp", "iat", "iss", "jti", "sub"}
		if tt.sid != "" {
			want = append(want, "sid")
		}
		slices.Sort(want)
		if got := slices.Sorted(maps.Keys(m)); !slices.Equal(got, want) {
			t.Errorf("%s: claims %v, want %v", name, got, want)
		}
		if m["iss"] != issuer || m["sub"] != userID || m["aud"] != "wiki" || tt.sid != "" && m["sid"] != tt.sid ||
			m["iat"] != float64(start.Unix()) || m["exp"] != float64(start.Add(2*time.Minute).Unix()) || len(m["jti"].(string)) < 16 {
			t.Errorf("%s: %s", name, payload)
		}
		if !strings.Contains(payload, `"events":{"http://schemas.openid.net/event/backchannel-logout":{}}`) {
			t.Errorf("%s: %s", name, payload)
		}
		if _, _, err := sharedRing().Keys().Verify(tok, "logout+jwt"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if a, b := mustLogout(t, idp.Client{ID: "wiki"}, "s"), mustLogout(t, idp.Client{ID: "wiki"}, "s"); members(t, a)["jti"] == members(t, b)["jti"] {
		t.Error("two tokens have one jti")
	}
}

// Back-Channel Logout §2.2, §2.4: what would not be a logout token is not made.
func TestLogout_BackChannel_2_4_NotMade(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		client      idp.Client
		userID, sid string
	}{
		"nobody":                 {idp.Client{ID: "wiki"}, "", "session-1"},
		"a client as the person": {idp.Client{ID: "wiki"}, "wiki", "session-1"},
		"for nobody":             {idp.Client{}, userID, "session-1"},
		"session is required":    {idp.Client{ID: "wiki", ClientMetadata: idp.ClientMetadata{BackchannelLogoutSID: true}}, userID, ""},
		"alg none":               {idp.Client{ID: "wiki", ClientMetadata: idp.ClientMetadata{IDTokenAlg: "none"}}, userID, "session-1"},
	} {
		if tok, err := newIssuer().Logout(tt.client, tt.userID, tt.sid, start); err == nil {
			t.Errorf("%s: %s", name, tok)
		}
	}
	_, err := newIssuer().Logout(idp.Client{}, userID, "s", start)
	if !errors.Is(err, idp.ErrInvalid) {
		t.Error(err)
	}
}

// TOK-01: a logout token is taken for nothing else, and nothing else for a logout token.
func TestLogout_TOK01_OtherKinds(t *testing.T) {
	t.Parallel()
	i := newIssuer()
	logout := mustLogout(t, idp.Client{ID: "friendly-scheduler", ClientMetadata: idp.ClientMetadata{IDTokenAlg: "EdDSA"}}, "session-1")
	if _, err := i.Verify(logout, issuer, start); err == nil {
		t.Error("accepted as access token")
	}
	if _, _, _, err := i.IDTokenHint(logout); err == nil {
		t.Error("accepted as id_token_hint")
	}
	_, payload := decode(t, logout)
	for _, typ := range []string{"at+jwt", "JWT"} { // only the type keeps them apart here
		same := resign(t, jose.EdDSA, typ, payload)
		if _, _, err := sharedRing().Keys().Verify(same, "logout+jwt"); err == nil {
			t.Errorf("%s is accepted as logout token", typ)
		}
	}
	a := issuerAuthorization()
	for name, other := range map[string]string{"access token": mustAccess(t, i, a).Token, "ID token": mustID(t, i, a, "")} {
		if _, _, err := sharedRing().Keys().Verify(other, "logout+jwt"); err == nil {
			t.Errorf("%s is accepted as logout token", name)
		}
	}
}

// OpenID Connect Back-Channel Logout §2.1: the ID token of an offline grant says at which
// login it was made, while that lives; its access token never does, for it outlives it.
func TestID_BackChannel_2_1_SessionOfOfflineGrant(t *testing.T) {
	t.Parallel()
	a := authorization()
	a.Grant.SessionID, a.Grant.LoginSessionID = "", "session-2"
	if m := members(t, mustID(t, newIssuer(), a, "")); m["sid"] != "session-2" {
		t.Errorf("ID token: %v", m)
	}
	if m := members(t, mustAccess(t, newIssuer(), a).Token); m["sid"] != nil {
		t.Errorf("access token: %v", m)
	}
	a.Grant.LoginSessionID = ""
	if m := members(t, mustID(t, newIssuer(), a, "")); m["sid"] != nil {
		t.Errorf("after the login: %v", m)
	}
}
