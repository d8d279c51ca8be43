package admin_test

import (
	"encoding/json"
	"maps"
	"testing"

	"github.com/signet-id/signet/internal/admin"
)

// Back-Channel Logout §2.2, Front-Channel Logout §2: which logout addresses may be registered.
func TestClients_BackChannel_2_2_LogoutAddresses(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	const back, front, both, none = 1, 2, 3, 0
	for uri, where := range map[string]int{
		"https://app.example.com/logout":                  both,
		"https://app.example.com/logout?tenant=1":         both,
		"http://127.0.0.1:3000/logout":                    both, // for development
		"https://other.example.com/logout":                back, // front: must be on a host of redirect_uris
		"https://app.example.com:8443/logout":             back,
		"http://localhost/logout":                         back,
		"http://[::1]:9000/logout":                        back, // front: no page can name it
		"https://app.example.com/logout?iss=x":            back,
		"https://app.example.com/logout?a=1&%73id=x":      back,
		"http://app.example.com/logout":                   none,
		"https://app.example.com/logout#here":             none,
		"https://user@app.example.com/logout":             none,
		"https://*.example.com/logout":                    none,
		"https://app.example.com/a/../logout":             none,
		"https://App.example.com/logout":                  none,
		"https:///logout":                                 none,
		"/logout":                                         none,
		"com.example.app:/logout":                         none,
		"javascript:alert(1)":                             none,
		"https://app.example.com/logout\r\nX: y":          none,
		"https://app.example.com/log out":                 none,
		"https://app.example.com;script-src *.evil.com/x": none,
	} {
		for member, bit := range map[string]int{"backchannel_logout_uri": back, "frontchannel_logout_uri": front} {
			want := 400
			if where&bit != 0 {
				want = 201
			}
			m := map[string]any{
				"client_name": "App", "redirect_uris": []string{"https://app.example.com/cb", "http://127.0.0.1:3000/cb", "http://[::1]:9000/cb"}, member: uri,
			}
			got, answer := a.send(request("POST", "/clients", mustJSON(t, m)))
			if got != want {
				t.Errorf("%s %q: status %d, want %d: %s", member, uri, got, want, answer)
			}
		}
	}
}

// Back-Channel Logout §2.2, Front-Channel Logout §2: what belongs together.
func TestClients_BackChannel_2_2_SessionRequired(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	app := map[string]any{"client_name": "App", "redirect_uris": []string{"https://app.example.com/cb"}}
	for name, tt := range map[string]struct {
		members map[string]any
		want    int
	}{
		"both": {map[string]any{
			"backchannel_logout_uri": "https://app.example.com/b", "backchannel_logout_session_required": true,
			"frontchannel_logout_uri": "https://app.example.com/f", "frontchannel_logout_session_required": true,
		}, 201},
		"back without address":  {map[string]any{"backchannel_logout_session_required": true}, 400},
		"front without address": {map[string]any{"frontchannel_logout_session_required": true}, 400},
		"nobody signs in": {map[string]any{
			"grant_types": []string{"client_credentials"}, "redirect_uris": []string{}, "scopes": []string{},
			"backchannel_logout_uri": "https://app.example.com/b",
		}, 400},
	} {
		m := maps.Clone(app)
		maps.Copy(m, tt.members)
		got, answer := a.send(request("POST", "/clients", mustJSON(t, m)))
		if got != tt.want {
			t.Errorf("%s: status %d, want %d: %s", name, got, tt.want, answer)
		}
		if got != 201 {
			continue
		}
		var c admin.ClientWithSecret
		if err := json.Unmarshal([]byte(answer), &c); err != nil || !c.BackchannelLogoutSID || !c.FrontchannelLogoutSID || c.BackchannelLogoutURI == "" {
			t.Errorf("%s: %s, %v", name, answer, err)
		}
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
