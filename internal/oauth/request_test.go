package oauth_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// answer is what came back.
type answer struct {
	t testing.TB
	*httptest.ResponseRecorder
}

// json returns a member of the body as text; empty if it is not there.
func (a answer) json(name string) string {
	a.t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(a.Body.Bytes(), &doc); err != nil {
		a.t.Fatalf("body is no JSON: %d %s", a.Code, a.Body)
	}
	if doc[name] == nil {
		return ""
	}
	return fmt.Sprint(doc[name])
}

func (a answer) location() *url.URL {
	a.t.Helper()
	u, err := url.Parse(a.Header().Get("Location"))
	if err != nil {
		a.t.Fatal(err)
	}
	return u
}

func (a answer) query(name string) string { return a.location().Query().Get(name) }

// page is the page that was shown, or where the browser is sent to on this server.
func (a answer) page() string {
	if p := a.Header().Get("X-Page"); p != "" {
		return p
	}
	if u := a.location(); u.Host == "" && a.Code == http.StatusSeeOther {
		return u.Path
	}
	return ""
}

func (a answer) expect(status int, code string) answer {
	a.t.Helper()
	if a.Code != status || a.json("error") != code {
		a.t.Fatalf("%d %s; want %d %s", a.Code, a.Body, status, code)
	}
	return a
}

func (a answer) ok() answer {
	a.t.Helper()
	if a.Code != http.StatusOK {
		a.t.Fatalf("%d %s", a.Code, a.Body)
	}
	return a
}

// claims reads a JWT without checking it.
func claims(t testing.TB, jwt string) map[string]any {
	t.Helper()
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		t.Fatalf("no JWT: %q", jwt)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(payload, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// send makes a request as a program does, without cookies.
func (w *world) send(method, target string, form url.Values, headers ...string) answer {
	w.t.Helper()
	return w.serve(newRequest(w.t, method, target, form, headers...))
}

func (w *world) serve(r *http.Request) answer {
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	return answer{w.t, rec}
}

func newRequest(t testing.TB, method, target string, form url.Values, headers ...string) *http.Request {
	t.Helper()
	var r *http.Request
	if form != nil {
		r = httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	} else {
		r = httptest.NewRequestWithContext(t.Context(), method, target, nil)
	}
	r.Host = "id.example"
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

// params makes a form of names and values.
func params(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return v
}

// with returns a copy with other values; an empty one removes the name.
func with(v url.Values, pairs ...string) url.Values {
	c := url.Values{}
	for name, values := range v {
		c[name] = values
	}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			c.Del(pairs[i])
		} else {
			c.Set(pairs[i], pairs[i+1])
		}
	}
	return c
}

func basic(id string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secrets[id])))
}

// as sends a form to a path as a client, authenticated in the way it is registered for.
func (w *world) as(client, path string, form url.Values) answer {
	w.t.Helper()
	key, confidential := secrets[client]
	switch {
	case !confidential:
		return w.send("POST", path, with(form, "client_id", client))
	case client == "legacy":
		return w.send("POST", path, with(form, "client_id", client, "client_secret", key))
	}
	return w.send("POST", path, form, "Authorization", basic(client))
}

// redirects of the clients.
var redirects = map[string]string{
	"web": webURI, "legacy": legacyURI, "other": otherURI, "own": ownURI, "spa": spaURI, "native": nativeURI,
	"narrow": "https://narrow.example/cb", "codeonly": "https://codeonly.example/cb",
}

// ask makes a usual authorization request.
func ask(client string, pairs ...string) url.Values {
	return with(params("response_type", "code", "client_id", client, "redirect_uri", redirects[client], "scope", "openid profile cal.read",
		"state", "st", "nonce", "n-1", "code_challenge", challenge, "code_challenge_method", "S256"), pairs...)
}

func (w *world) redeem(client, code string, pairs ...string) answer {
	w.t.Helper()
	return w.as(client, "/token", with(params("grant_type", "authorization_code", "code", code, "redirect_uri", redirects[client],
		"code_verifier", verifier), pairs...))
}

func (w *world) refresh(client, token string, pairs ...string) answer {
	w.t.Helper()
	return w.as(client, "/token", with(params("grant_type", "refresh_token", "refresh_token", token), pairs...))
}

func (w *world) userinfo(access string) answer {
	w.t.Helper()
	return w.send("GET", "/userinfo", nil, "Authorization", "Bearer "+access)
}
