package verify_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signet-id/signet/verify"
)

const metadataURL = "https://orders.example.com/.well-known/oauth-protected-resource"

// ask sends one request to a protected handler.
func ask(v *verify.Verifier, header http.Header, scopes ...string) (*http.Response, string) {
	h := v.Require(scopes...)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, ok := verify.FromContext(r.Context())
		if !ok {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		_, _ = io.WriteString(w, "hello "+c.Subject)
	}))
	r := httptest.NewRequest(http.MethodGet, "/orders?access_token=x", nil)
	r.Header = header
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result(), w.Body.String()
}

// RFC 6750 §2.1, §3, §3.1; RFC 9728 §5.1.
func TestRequire_RFC6750_Challenges(t *testing.T) {
	t.Parallel()
	running(t, func(t *testing.T, w *world, v *verify.Verifier) {
		good := "Bearer " + w.token(nil)
		const (
			bare    = `Bearer realm="https://orders.example.com"`
			tail    = `, resource_metadata="` + metadataURL + `"`
			invalid = bare + `, error="invalid_token", error_description="`
		)
		for name, tc := range map[string]struct {
			header []string
			scopes []string
			status int
			want   string // WWW-Authenticate
		}{
			"good":              {[]string{good}, []string{"orders:read"}, 200, ""},
			"no scope wanted":   {[]string{good}, nil, 200, ""},
			"scheme in small":   {[]string{"bearer " + good[7:]}, nil, 200, ""},
			"two blanks":        {[]string{"Bearer  " + good[7:]}, nil, 200, ""},
			"nothing":           {nil, nil, 401, bare + tail},
			"empty":             {[]string{""}, nil, 401, bare + tail},
			"Basic":             {[]string{"Basic YTpi"}, nil, 401, bare + tail},
			"no blank":          {[]string{"Bearer" + good[7:]}, nil, 401, bare + tail},
			"token alone":       {[]string{good[7:]}, nil, 401, bare + tail},
			"twice":             {[]string{good, good}, nil, 400, bare + `, error="invalid_request", error_description="the Authorization header must carry one token, once"` + tail},
			"twice, one Basic":  {[]string{"Basic YTpi", good}, nil, 400, bare + `, error="invalid_request", error_description="the Authorization header must carry one token, once"` + tail},
			"no token":          {[]string{"Bearer "}, nil, 400, bare + `, error="invalid_request", error_description="the Authorization header must carry one token, once"` + tail},
			"two tokens":        {[]string{good + ", " + good}, nil, 401, invalid + `the token is not valid"` + tail},
			"garbage":           {[]string{`Bearer a"b`}, nil, 401, invalid + `the token is not valid"` + tail},
			"changed":           {[]string{good[:len(good)-4] + "AAAA"}, nil, 401, invalid + `the token is not valid"` + tail},
			"for another":       {[]string{"Bearer " + w.token(map[string]any{"aud": "https://x"})}, nil, 401, invalid + `the token is for another service"` + tail},
			"expired":           {[]string{"Bearer " + w.token(map[string]any{"iat": 1, "exp": 2})}, nil, 401, invalid + `the token has expired"` + tail},
			"bound":             {[]string{"Bearer " + w.token(map[string]any{"cnf": 1})}, nil, 401, invalid + `the token is bound to a key that was not proven"` + tail},
			"scope missing":     {[]string{good}, []string{"orders:delete"}, 403, bare + `, error="insufficient_scope", error_description="the token does not allow this", scope="orders:delete"` + tail},
			"one scope missing": {[]string{good}, []string{"orders:read", "orders:delete"}, 403, bare + `, error="insufficient_scope", error_description="the token does not allow this", scope="orders:read orders:delete"` + tail},
			"part of a scope":   {[]string{good}, []string{"orders"}, 403, bare + `, error="insufficient_scope", error_description="the token does not allow this", scope="orders"` + tail},
			"no scopes at all":  {[]string{"Bearer " + w.token(map[string]any{"scope": nil})}, []string{"orders:read"}, 403, bare + `, error="insufficient_scope", error_description="the token does not allow this", scope="orders:read"` + tail},
		} {
			resp, body := ask(v, http.Header{"Authorization": tc.header}, tc.scopes...)
			if resp.StatusCode != tc.status || resp.Header.Get("WWW-Authenticate") != tc.want {
				t.Errorf("%s: %d %s", name, resp.StatusCode, resp.Header.Get("WWW-Authenticate"))
			}
			if tc.status == 200 {
				if body != "hello user" {
					t.Errorf("%s: %s", name, body)
				}
				continue
			}
			if resp.Header.Get("Cache-Control") != "no-store" || resp.Header.Get("Content-Type") != "application/json" || !json.Valid([]byte(body)) {
				t.Errorf("%s: %v %s", name, resp.Header, body)
			}
		}
	}, verify.ResourceMetadataURL(metadataURL))
}

func TestRequire_RevokedSaysWhen(t *testing.T) {
	t.Parallel()
	running(t, func(t *testing.T, w *world, v *verify.Verifier) {
		token := w.token(nil)
		at := time.Now()
		w.revoke("grant", "grant")
		synctest.Wait()
		resp, body := ask(v, http.Header{"Authorization": {"Bearer " + token}})
		var got struct {
			Error     string `json:"error"`
			RevokedAt int64  `json:"revoked_at"`
			HeardAt   int64  `json:"heard_at"`
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != 401 || got.Error != "invalid_token" || got.RevokedAt != at.UnixMilli() || got.HeardAt != at.UnixMilli() {
			t.Errorf("%d %s", resp.StatusCode, body)
		}
	})
}

// TOK-12: the service cannot know, and says so without blaming the token.
func TestRequire_503WhenStaleOrNotReady(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.feed = func(c *conn) {
			c.send(w.event(w.batch(0, 0)))
			c.hold()
		}
		cold, err := verify.New(issuer, audience)
		if err != nil {
			t.Fatal(err)
		}
		v := w.start(verify.MaxStaleness(time.Second))
		synctest.Wait()
		w.set(func() { w.feed = func(c *conn) { c.status = 503 } })
		time.Sleep(time.Minute)
		for name, v := range map[string]*verify.Verifier{"stale": v, "not ready": cold} {
			resp, body := ask(v, http.Header{"Authorization": {"Bearer " + w.token(nil)}})
			if resp.StatusCode != 503 || resp.Header.Get("Retry-After") != "5" || resp.Header.Get("WWW-Authenticate") != "" || !strings.Contains(body, "temporarily_unavailable") {
				t.Errorf("%s: %d %v %s", name, resp.StatusCode, resp.Header, body)
			}
		}
	})
}

func TestRequire_RefusesStrangeScopes(t *testing.T) {
	t.Parallel()
	v, err := verify.New(issuer, audience)
	if err != nil {
		t.Fatal(err)
	}
	for _, scope := range []string{"", "a b", `a"b`, `a\b`, "é", "a\n"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q: accepted", scope)
				}
			}()
			v.Require("good", scope)
		}()
	}
}
