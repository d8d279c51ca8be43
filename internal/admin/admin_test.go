package admin_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/admin"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/keyring"
	"github.com/signet-id/signet/internal/passhash"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/store"
)

const (
	issuer       = "https://id.example.com"
	goodPassword = "seven green lanterns over Ulm"
)

var started = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// api is the handler with a real database behind it.
type api struct {
	t       *testing.T
	handler http.Handler
	db      *store.DB
	now     time.Time
	log     *bytes.Buffer
	answers *strings.Builder // every body that came back
}

func newAPI(t *testing.T) *api {
	t.Helper()
	return newAPIWith(t, passhash.New(passhash.Config{InsecureCheap: true}))
}

func newAPIWith(t *testing.T, hasher admin.Hasher) *api {
	t.Helper()
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "test.db"), store.Options{RuleLifetime: time.Hour, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	a := &api{t: t, db: db, now: started, log: &bytes.Buffer{}, answers: &strings.Builder{}}
	now := func() time.Time { return a.now }
	ring, err := keyring.Open(t.Context(), db, keyring.Config{KEK: secret.Key()}, started)
	if err != nil {
		t.Fatal(err)
	}
	a.handler = admin.New(admin.Config{
		Issuer: issuer, Store: db, Keys: ring, Hasher: hasher, Now: now,
		Log: slog.New(slog.NewJSONHandler(a.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	return a
}

// request makes a request as the command line does.
func request(method, path, body string) *http.Request {
	r := httptest.NewRequest(method, "http://signet"+path, strings.NewReader(body))
	r.RemoteAddr = "@"
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

func (a *api) send(r *http.Request) (int, string) {
	a.t.Helper()
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		a.t.Fatal(err)
	}
	a.answers.Write(body)
	return w.Code, string(body)
}

// do sends and wants the status.
func (a *api) do(status int, method, path, body string) string {
	a.t.Helper()
	got, answer := a.send(request(method, path, body))
	if got != status {
		a.t.Fatalf("%s %s %s: status %d, want %d: %s", method, path, body, got, status, answer)
	}
	return answer
}

// decode reads an answer.
func decode[T any](t *testing.T, answer string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(answer), &v); err != nil {
		t.Fatalf("%v: %s", err, answer)
	}
	return v
}

// newUser adds a person and returns the id.
func (a *api) newUser(name string) string {
	a.t.Helper()
	return decode[admin.User](a.t, a.do(http.StatusCreated, "POST", "/users", `{"username":"`+name+`","password":"`+goodPassword+`"}`)).ID
}

// newSession writes a login as the pages do.
func (a *api) newSession(userID, sid string) {
	a.t.Helper()
	err := a.db.CreateSession(a.t.Context(), idp.Actor{Kind: "user", ID: userID}, idp.Session{
		ID: sid, UserID: userID, CreatedAt: started, AuthTime: started, ACR: idp.ACRPassword, AMR: []string{idp.AMRPassword},
		LastSeenAt: started, IdleExpiresAt: started.Add(time.Hour), ExpiresAt: started.Add(time.Hour), UserAgent: "Browser",
	}, [32]byte{byte(len(sid)), sid[0], userID[0]})
	if err != nil {
		a.t.Fatal(err)
	}
}

// OPS-04: what comes out of a browser is refused, whatever name it uses for this machine.
func TestGuard_OPS_04(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for name, change := range map[string]func(*http.Request){
		"localhost":      func(r *http.Request) { r.Host = "localhost:8080" },
		"loopback":       func(r *http.Request) { r.Host = "127.0.0.1" },
		"rebound name":   func(r *http.Request) { r.Host = "evil.example" },
		"name with port": func(r *http.Request) { r.Host = "signet:80" },
		"other case":     func(r *http.Request) { r.Host = "Signet" },
		"no host":        func(r *http.Request) { r.Host = "" },
		"origin":         func(r *http.Request) { r.Header.Set("Origin", "http://signet") },
		"null origin":    func(r *http.Request) { r.Header.Set("Origin", "null") },
		"empty origin":   func(r *http.Request) { r.Header.Set("Origin", "") },
		"fetch site":     func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-origin") },
		"navigation":     func(r *http.Request) { r.Header.Set("Sec-Fetch-Mode", "navigate") },
		"referer":        func(r *http.Request) { r.Header.Set("Referer", "http://signet/") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, method := range []string{"GET", "POST", "OPTIONS"} {
				r := request(method, "/users", "")
				change(r)
				w := httptest.NewRecorder()
				a.handler.ServeHTTP(w, r)
				if w.Code != http.StatusForbidden {
					t.Errorf("%s: status %d, want 403", method, w.Code)
				}
				if got := w.Header().Get("Access-Control-Allow-Origin"); got != "" {
					t.Errorf("%s: Access-Control-Allow-Origin %q", method, got)
				}
			}
		})
	}
	a.do(http.StatusOK, "GET", "/users", "")
}

// DOS-02, LOG-07: a body is one object of known fields, or it is refused.
func TestBody_Strict(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for name, body := range map[string]string{
		"no JSON":         `username=ann`,
		"array":           `[{"username":"ann"}]`,
		"twice":           `{"username":"ann","username":"bob"}`,
		"trailing":        `{"username":"ann"}{}`,
		"bad UTF-8":       "{\"username\":\"ann\xff\"}",
		"wrong type":      `{"username":7}`,
		"secret as field": `{"username":"ann","` + goodPassword + `":1}`,
		"password number": `{"username":"ann","password":99112233445566}`,
		"own id":          `{"username":"ann","id":"0000000000000000000001"}`,
		"sub":             `{"username":"ann","sub":"0000000000000000000001"}`,
		"hash":            `{"username":"ann","password_hash":"$argon2id$"}`,
		"disabled":        `{"username":"ann","disabled_at":null}`,
		"custom claim":    `{"username":"ann","profile":{"iss":"https://evil.example"}}`,
		"acr":             `{"username":"ann","acr":"aal2"}`,
		"roles":           `{"username":"ann","roles":["admin"]}`,
	} {
		got, answer := a.send(request("POST", "/users", body))
		if got != http.StatusBadRequest {
			t.Errorf("%s: status %d, want 400", name, got)
		}
		if strings.Contains(answer, goodPassword) || strings.Contains(answer, "99112233") {
			t.Errorf("%s: the answer shows input: %s", name, answer)
		}
	}
	for name, types := range map[string][]string{
		"form":       {"application/x-www-form-urlencoded"},
		"plain":      {"text/plain"},
		"parameters": {"application/json; charset=utf-8"},
		"two":        {"application/json", "application/json"},
		"none":       nil,
	} {
		r := request("POST", "/users", `{"username":"ann"}`)
		r.Header["Content-Type"] = types
		if got, _ := a.send(r); got != http.StatusUnsupportedMediaType {
			t.Errorf("media type %s: status %d, want 415", name, got)
		}
	}
	if got, _ := a.send(request("POST", "/users", `{"username":"`+strings.Repeat("a", 300<<10)+`"}`)); got != http.StatusRequestEntityTooLarge {
		t.Errorf("large body: status %d, want 413", got)
	}
	if users := decode[[]admin.User](t, a.do(http.StatusOK, "GET", "/users", "")); len(users) != 0 {
		t.Errorf("refused requests left %d users", len(users))
	}
	for _, path := range []string{"/users?limit=0", "/users?limit=1&limit=2", "/users?sort=id", "/users?a;b", "/events?before=x"} {
		a.do(http.StatusBadRequest, "GET", path, "")
	}
	a.do(http.StatusNotFound, "GET", "/", "")
	a.do(http.StatusNotFound, "GET", "/debug/pprof/", "")
}

// CLI-07: a secret comes out once, when it is made. Whatever is asked later, and in
// whatever way, neither it nor what is stored of it is in an answer or in the log.
func TestSecrets_CLI_07(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.newUser("ann")
	a.newSession(id, "session-of-ann")
	made := decode[admin.ClientWithSecret](t, a.do(http.StatusCreated, "POST", "/clients",
		`{"client_id":"wiki","client_name":"Wiki","redirect_uris":["https://wiki.example.com/cb"]}`))
	renewed := decode[admin.ClientWithSecret](t, a.do(http.StatusOK, "POST", "/clients/wiki/secret", ""))
	if made.Secret == "" || renewed.Secret == "" || made.Secret == renewed.Secret {
		t.Fatalf("secrets %q and %q", made.Secret, renewed.Secret)
	}
	a.do(http.StatusNoContent, "PUT", "/users/ann/password", `{"password":"`+goodPassword+` again"}`)
	hash, err := a.db.PasswordHash(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	client, err := a.db.Client(t.Context(), "wiki")
	if err != nil {
		t.Fatal(err)
	}
	stored, err := json.Marshal(client.SecretHash)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := a.db.SigningKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	a.answers.Reset()
	for _, path := range []string{
		"/users", "/users/ann", "/users/" + id, "/users/ann/sessions", "/users/ann/grants", "/clients", "/clients/wiki",
		"/resources", "/keys", "/events", "/events?user=ann",
	} {
		a.do(http.StatusOK, "GET", path, "")
	}
	a.do(http.StatusOK, "PATCH", "/clients/wiki", `{"client_name":"The Wiki"}`)
	a.do(http.StatusOK, "PATCH", "/users/ann", `{"email":"ann@example.com"}`)
	canaries := []string{made.Secret, renewed.Secret, goodPassword, hash, string(stored), "argon2", "secret_hash"}
	for _, k := range keys {
		canaries = append(canaries, string(k.Sealed))
	}
	for _, c := range canaries {
		if strings.Contains(a.answers.String(), c) || strings.Contains(a.log.String(), c) {
			t.Errorf("answers or log show %q", c)
		}
	}
}
