package admin_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/admin"
	"github.com/signet-id/signet/internal/passhash"
	"github.com/signet-id/signet/internal/secret"
)

func TestUsers_Life(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	u := decode[admin.User](t, a.do(http.StatusCreated, "POST", "/users",
		`{"username":"Ann","email":"Ann@Example.com","email_verified":true,"groups":["staff"],"profile":{"name":"Ann Example"},"password":"`+goodPassword+`"}`))
	if u.Username != "Ann" || u.Email != "Ann@Example.com" || !u.EmailVerified || u.Profile.Name != "Ann Example" || !secret.IsID(u.ID) {
		t.Fatalf("%+v", u)
	}
	hash, err := a.db.PasswordHash(t.Context(), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	if ok, _, err := passhash.New(passhash.Config{InsecureCheap: true}).Verify(t.Context(), hash, secret.NewText(goodPassword)); err != nil || !ok {
		t.Fatalf("password: %v %v", ok, err)
	}
	for _, name := range []string{"ann", "ANN", "ann@example.com", "Ann%40example.com", u.ID} {
		if got := decode[admin.User](t, a.do(http.StatusOK, "GET", "/users/"+name, "")); got.ID != u.ID {
			t.Errorf("%s is %s", name, got.ID)
		}
	}
	a.do(http.StatusConflict, "POST", "/users", `{"username":"ANN"}`)
	a.do(http.StatusConflict, "POST", "/users", `{"username":"other","email":"ann@EXAMPLE.com"}`)

	a.newSession(u.ID, "first")
	a.do(http.StatusNoContent, "POST", "/users/ann/disable", "")
	if got := decode[admin.User](t, a.do(http.StatusOK, "GET", "/users/ann", "")); got.DisabledAt.IsZero() {
		t.Error("not disabled")
	}
	if got := decode[[]admin.Session](t, a.do(http.StatusOK, "GET", "/users/ann/sessions", "")); len(got) != 0 {
		t.Errorf("disabled, and %d sessions", len(got))
	}
	a.do(http.StatusNoContent, "POST", "/users/ann/enable", "")
	a.do(http.StatusNoContent, "DELETE", "/users/ann", "")
	a.do(http.StatusNotFound, "GET", "/users/ann", "")
	a.do(http.StatusNotFound, "DELETE", "/users/"+u.ID, "")
}

func TestUsers_Refused(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for name, body := range map[string]string{
		"no name":           `{}`,
		"blank":             `{"username":"ann b"}`,
		"address as name":   `{"username":"ann@example.com"}`,
		"colon":             `{"username":"ann:b"}`,
		"form of an id":     `{"username":"` + secret.ID() + `"}`,
		"two alphabets":     `{"username":"аdmin"}`,
		"bad email":         `{"username":"ann","email":"ann@"}`,
		"two addresses":     `{"username":"ann","email":"ann@example.com,bob@example.com"}`,
		"verified nothing":  `{"username":"ann","email_verified":true}`,
		"short password":    `{"username":"ann","password":"short"}`,
		"common password":   `{"username":"ann","password":"password12345678"}`,
		"long password":     `{"username":"ann","password":"` + strings.Repeat("aB3$", 300) + `"}`,
		"empty group":       `{"username":"ann","groups":[""]}`,
		"group twice":       `{"username":"ann","groups":["a","a"]}`,
		"newline in group":  `{"username":"ann","groups":["a\nb"]}`,
		"escape in name":    `{"username":"ann","profile":{"name":"Ann\u001b[2J"}}`,
		"direction in name": `{"username":"ann","profile":{"name":"Ann\u202egnp.exe"}}`,
		"script as website": `{"username":"ann","profile":{"website":"javascript:alert(1)"}}`,
		"data as picture":   `{"username":"ann","profile":{"picture":"data:text/html,x"}}`,
		// OpenID Connect Core §5.1: what is verified is in the form of E.164.
		"verified no phone":   `{"username":"ann","profile":{"phone_number_verified":true}}`,
		"verified local":      `{"username":"ann","profile":{"phone_number":"030 23125000","phone_number_verified":true}}`,
		"verified words":      `{"username":"ann","profile":{"phone_number":"+49 ask Bob","phone_number_verified":true}}`,
		"verified 16 digits":  `{"username":"ann","profile":{"phone_number":"+1234567890123456","phone_number_verified":true}}`,
		"verified extension":  `{"username":"ann","profile":{"phone_number":"+493023125000 ext 7","phone_number_verified":true}}`,
		"verified two number": `{"username":"ann","profile":{"phone_number":"+493023125000,+493023125001","phone_number_verified":true}}`,
	} {
		if got, answer := a.send(request("POST", "/users", body)); got != http.StatusBadRequest {
			t.Errorf("%s: status %d, want 400: %s", name, got, answer)
		}
	}
	if users := decode[[]admin.User](t, a.do(http.StatusOK, "GET", "/users", "")); len(users) != 0 {
		t.Errorf("refused requests left %d users", len(users))
	}
}

// OpenID Connect Core §5.1: a number that is verified is one of E.164, however it is written.
func TestUsers_OIDC_5_1_Phone(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.newUser("ann")
	for _, number := range []string{"+493023125000", "+49 30 23125000", "+1 (425) 555-1212", "+56 (2) 687 2400", "+1 (604) 555-1234;ext=5678"} {
		a.do(http.StatusOK, "PATCH", "/users/ann", `{"profile":{"phone_number":"`+number+`","phone_number_verified":true}}`)
	}
	for _, step := range []struct {
		name, profile string
		verified      bool
	}{
		{"another name", `{"name":"Ann"}`, true},
		{"the same number", `{"phone_number":"+1 (604) 555-1234;ext=5678"}`, true},
		{"a number that nobody verified", `{"phone_number":"030 23125000"}`, false},
		{"one that is", `{"phone_number":"+493023125000","phone_number_verified":true}`, true},
		{"taken back", `{"phone_number_verified":false}`, false},
	} {
		u := decode[admin.User](t, a.do(http.StatusOK, "PATCH", "/users/ann", `{"profile":`+step.profile+`}`))
		if u.Profile.PhoneNumberVerified != step.verified || u.Profile.Name != "Ann" {
			t.Errorf("%s: %+v", step.name, u.Profile)
		}
	}
}

func TestUsers_Update(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.do(http.StatusCreated, "POST", "/users", `{"username":"ann","email":"ann@example.com","email_verified":true,"groups":["a"]}`)
	a.newUser("bob")
	for _, step := range []struct {
		name, body string
		verified   bool
		groups     int
	}{
		{"groups only", `{"groups":["a","b"]}`, true, 2},
		{"same address", `{"email":"ann@example.com"}`, true, 2},
		{"an address that nobody verified", `{"email":"ann@example.org"}`, false, 2},
		{"an address that is verified", `{"email":"ann@example.net","email_verified":true}`, true, 2},
		{"taken back", `{"email_verified":false,"groups":[]}`, false, 0},
	} {
		u := decode[admin.User](t, a.do(http.StatusOK, "PATCH", "/users/ann", step.body))
		if u.EmailVerified != step.verified || len(u.Groups) != step.groups {
			t.Errorf("%s: %+v", step.name, u)
		}
	}
	a.do(http.StatusConflict, "PATCH", "/users/ann", `{"username":"BOB"}`)
	a.do(http.StatusBadRequest, "PATCH", "/users/ann", `{"password":"`+goodPassword+`"}`)
}

func TestUsers_SetPassword(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.newUser("ann")
	a.newSession(id, "first")
	a.do(http.StatusBadRequest, "PUT", "/users/ann/password", `{"password":"too short"}`)
	a.do(http.StatusBadRequest, "PUT", "/users/ann/password", `{}`)
	if got := decode[[]admin.Session](t, a.do(http.StatusOK, "GET", "/users/ann/sessions", "")); len(got) != 1 {
		t.Fatalf("%d sessions before", len(got))
	}
	a.do(http.StatusNoContent, "PUT", "/users/ann/password", `{"password":"nine blue kettles in Riga"}`)
	if got := decode[[]admin.Session](t, a.do(http.StatusOK, "GET", "/users/ann/sessions", "")); len(got) != 0 {
		t.Errorf("%d sessions after", len(got))
	}
}

func TestUsers_Pages(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, name := range []string{"cleo", "ann", "bob"} {
		a.do(http.StatusCreated, "POST", "/users", `{"username":"`+name+`"}`)
	}
	var names []string
	for after := ""; ; {
		page := decode[[]admin.User](t, a.do(http.StatusOK, "GET", "/users?limit=2&after="+after, ""))
		for _, u := range page {
			names = append(names, u.Username)
		}
		if len(page) < 2 {
			break
		}
		after = page[1].Username
	}
	if got := strings.Join(names, " "); got != "ann bob cleo" {
		t.Error(got)
	}
}

// STO-08: a session or grant is found only under its owner.
func TestSessions_STO_08_Owner(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	ann, bob := a.newUser("ann"), a.newUser("bob")
	a.newSession(ann, "sid-of-ann")
	a.newSession(bob, "sid-of-bob2")
	a.do(http.StatusNotFound, "DELETE", "/users/bob/sessions/sid-of-ann", "")
	a.do(http.StatusNotFound, "DELETE", "/users/bob/grants/nothing", "")
	if got := decode[[]admin.Session](t, a.do(http.StatusOK, "GET", "/users/ann/sessions", "")); len(got) != 1 || got[0].ID != "sid-of-ann" {
		t.Fatalf("%+v", got)
	}
	a.do(http.StatusNoContent, "DELETE", "/users/ann/sessions/sid-of-ann", "")
	if got := decode[admin.Count](t, a.do(http.StatusOK, "DELETE", "/users/ann/sessions", "")); got.Ended != 0 {
		t.Errorf("%d ended, want 0", got.Ended)
	}
	if got := decode[admin.Count](t, a.do(http.StatusOK, "DELETE", "/users/bob/sessions", "")); got.Ended != 1 {
		t.Errorf("%d ended, want 1", got.Ended)
	}
	events := decode[[]admin.Event](t, a.do(http.StatusOK, "GET", "/events?user=ann&limit=1", ""))
	if len(events) != 1 || events[0].ActorKind != "operator" || events[0].Action != "session.end" {
		t.Errorf("%+v", events)
	}
}
