package admin_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/admin"
)

func (a *api) keys() map[string]admin.Key {
	a.t.Helper()
	byID := map[string]admin.Key{}
	for _, k := range decode[[]admin.Key](a.t, a.do(http.StatusOK, "GET", "/keys", "")) {
		byID[k.ID] = k
	}
	return byID
}

func (a *api) signing(alg string) admin.Key {
	a.t.Helper()
	for _, k := range a.keys() {
		if k.Alg == alg && k.State == "active" {
			return k
		}
	}
	a.t.Fatalf("nothing signs with %s", alg)
	return admin.Key{}
}

// TestKeys_Rotate: a successor says when it signs, asking again makes no second one, and
// the audit log knows who asked. TOK-07
func TestKeys_Rotate(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, bad := range []string{`{"alg":"HS256"}`, `{"alg":"PS256"}`, `{"alg":"PS384"}`, `{"alg":7}`, `{"algorithm":"RS256"}`, `[]`} {
		a.do(http.StatusBadRequest, "POST", "/keys/rotate", bad)
	}
	if n := len(a.keys()); n != 3 {
		t.Fatalf("%d keys", n)
	}
	old := a.signing("EdDSA")
	next := decode[[]admin.Key](t, a.do(http.StatusOK, "POST", "/keys/rotate", `{"alg":"EdDSA"}`))
	if len(next) != 1 || next[0].State != "staged" || next[0].Next != "signs" || !next[0].NextAt.Equal(started.Add(time.Hour)) {
		t.Fatalf("got %+v", next)
	}
	// Planned retirement of the key is the same wish.
	again := decode[[]admin.Key](t, a.do(http.StatusOK, "POST", "/keys/"+old.ID+"/retire", `{"now":false}`))
	if len(again) != 1 || again[0].ID != next[0].ID || a.keys()[old.ID].State != "active" || a.keys()[old.ID].Next != "is relieved" {
		t.Errorf("again: %+v", again)
	}
	a.do(http.StatusBadRequest, "POST", "/keys/"+next[0].ID+"/retire", `{"now":false}`)
	if all := decode[[]admin.Key](t, a.do(http.StatusOK, "POST", "/keys/rotate", `{}`)); len(all) != 3 {
		t.Errorf("all: %+v", all)
	}
	if log := a.do(http.StatusOK, "GET", "/events", ""); strings.Count(log, `"actor_kind":"operator","action":"key.stage"`) != 3 {
		t.Errorf("audit log: %s", log)
	}
}

// TestKeys_RetireNow: the key is dead, its successor that lay beside it too, and another
// one signs when the answer comes. TOK-07
func TestKeys_RetireNow(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	dead := a.signing("ES256")
	staged := decode[[]admin.Key](t, a.do(http.StatusOK, "POST", "/keys/rotate", `{"alg":"ES256"}`))[0]
	a.do(http.StatusNotFound, "POST", "/keys/nobody/retire", `{"now":true}`)
	answer := decode[[]admin.Key](t, a.do(http.StatusOK, "POST", "/keys/"+dead.ID+"/retire", `{"now":true}`))
	signs := a.signing("ES256")
	if len(answer) != 1 || answer[0].ID != signs.ID || signs.ID == dead.ID || signs.ID == staged.ID {
		t.Errorf("got %+v", answer)
	}
	for _, id := range []string{dead.ID, staged.ID} {
		if k := a.keys()[id]; k.State != "retired" {
			t.Errorf("%s is %s", id, k.State)
		}
	}
	answer = decode[[]admin.Key](t, a.do(http.StatusOK, "POST", "/keys/"+dead.ID+"/retire", `{"now":true}`)) // again
	if len(answer) != 1 || answer[0].ID != signs.ID {
		t.Errorf("again: %+v", answer)
	}
	if refused := a.do(http.StatusBadRequest, "POST", "/keys/"+dead.ID+"/retire", `{}`); !strings.Contains(refused, "retired since 2026-03-01") {
		t.Errorf("as planned: %s", refused)
	}
	rules, err := a.db.Rules(t.Context(), 0, 10, started)
	if err != nil || len(rules) != 2 || rules[1].ID != dead.ID {
		t.Errorf("rules %+v, %v", rules, err)
	}
}

// TestKeys_Rewrap: with one key-encryption key there is nothing to do.
func TestKeys_Rewrap(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	if got := decode[admin.Rewrapped](t, a.do(http.StatusOK, "POST", "/keys/rewrap", "")); got != (admin.Rewrapped{Keys: 3}) {
		t.Errorf("got %+v", got)
	}
}

// TestKeys_OnDemand: a key of PS256 is there as soon as a client or a service has it, and not
// before; whoever is refused adds none.
func TestKeys_OnDemand(t *testing.T) {
	t.Parallel()
	const app = `"client_name":"App","redirect_uris":["https://app.example.com/cb"]`
	for name, put := range map[string]func(a *api){
		"new client": func(a *api) {
			a.do(http.StatusCreated, "POST", "/clients", `{`+app+`,"id_token_signed_response_alg":"PS256"}`)
		},
		"changed client": func(a *api) {
			a.do(http.StatusCreated, "POST", "/clients", `{"client_id":"app",`+app+`}`)
			a.do(http.StatusOK, "PATCH", "/clients/app", `{"userinfo_signed_response_alg":"PS256"}`)
		},
		"resource": func(a *api) {
			a.do(http.StatusOK, "PUT", "/resources/https:%2F%2Forders.example.com",
				`{"name":"Orders","alg":"PS256","scopes":[{"name":"orders:read","title":{"en":"See your orders"}}]}`)
		},
	} {
		a := newAPI(t)
		a.do(http.StatusBadRequest, "POST", "/clients", `{"client_name":"","id_token_signed_response_alg":"PS256"}`)
		if n := len(a.keys()); n != 3 {
			t.Fatalf("%s: %d keys before", name, n)
		}
		put(a)
		made := a.signing("PS256")
		if n := len(a.keys()); n != 4 || made.State != "active" {
			t.Errorf("%s: %d keys, %+v", name, n, made)
		}
		if next := decode[[]admin.Key](t, a.do(http.StatusOK, "POST", "/keys/rotate", `{"alg":"PS256"}`)); len(next) != 1 || next[0].Alg != "PS256" {
			t.Errorf("%s: %+v", name, next)
		}
	}
}
