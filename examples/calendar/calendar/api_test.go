package calendar_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/verifytest"
)

const wholeWeek = "from=2026-03-02T00:00:00Z&to=2026-03-09T00:00:00Z"

// titles are words that no app may ever see.
var titles = []string{"Doctor", "Job interview", "Therapy", "Lawyer", "Marriage", "title", "Coffee"}

func TestFreeBusy_IntervalsWithoutTitles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.appToken()
	res := w.api(http.MethodPost, "/api/meetings", token, `{"title":"Coffee with Bob","start":"2026-03-07T10:00:00Z","end":"2026-03-07T11:00:00Z"}`)
	if res.status != http.StatusCreated {
		t.Fatalf("add: %d %s", res.status, res.body)
	}
	res = w.api(http.MethodGet, "/api/freebusy?"+wholeWeek, token, "")
	if res.status != http.StatusOK {
		t.Fatalf("freebusy: %d %s", res.status, res.body)
	}
	for _, word := range titles {
		if strings.Contains(res.body, word) {
			t.Errorf("freebusy says %q: %s", word, res.body)
		}
	}
	var answer struct {
		Busy []map[string]string `json:"busy"`
	}
	if err := json.Unmarshal([]byte(res.body), &answer); err != nil || len(answer.Busy) != 13 {
		t.Fatalf("freebusy: %d intervals, %v", len(answer.Busy), err)
	}
	for _, interval := range answer.Busy {
		if len(interval) != 2 || interval["start"] == "" || interval["end"] == "" {
			t.Errorf("an interval has more or less than start and end: %v", interval)
		}
	}
}

func TestFreeBusy_Period(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, query := range map[string]string{
		"nothing":       "",
		"no to":         "from=2026-03-02T00:00:00Z",
		"no time":       "from=2026-03-02&to=2026-03-09",
		"backwards":     "from=2026-03-09T00:00:00Z&to=2026-03-02T00:00:00Z",
		"too long":      "from=2026-03-02T00:00:00Z&to=2027-03-02T00:00:00Z",
		"twice":         wholeWeek + "&from=2026-03-02T00:00:00Z",
		"somebody else": wholeWeek + "&user=bob",
		"semicolon":     strings.ReplaceAll(wholeWeek, "&", ";"),
	} {
		if res := w.api(http.MethodGet, "/api/freebusy?"+query, w.appToken(), ""); res.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, res.status, res.body)
		}
	}
}

func TestAPI_RFC6750_3_1_Scopes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	add := `{"title":"x","start":"2026-03-07T10:00:00Z","end":"2026-03-07T11:00:00Z"}`
	for _, c := range []struct{ method, path, body, have, need string }{
		{http.MethodGet, "/api/events", "", "calendar.freebusy:read calendar.meetings:write", "calendar.events:read"},
		{http.MethodGet, "/api/freebusy?" + wholeWeek, "", "calendar.events:read", "calendar.freebusy:read"},
		{http.MethodPost, "/api/meetings", add, "calendar.freebusy:read", "calendar.meetings:write"},
		{http.MethodDelete, "/api/meetings/x", "", "calendar.freebusy:read", "calendar.meetings:write"},
	} {
		res := w.api(c.method, c.path, w.appToken(verifytest.Claims{"scope": c.have}), c.body)
		challenge := res.header.Get("WWW-Authenticate")
		if res.status != http.StatusForbidden || !strings.Contains(challenge, `error="insufficient_scope"`) || !strings.Contains(challenge, `scope="`+c.need+`"`) {
			t.Errorf("%s %s: %d %s", c.method, c.path, res.status, challenge)
		}
	}
}

// TOK-02: a token that was made for somebody else opens nothing here.
func TestAPI_RFC9068_4_TokensOfOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := w.appToken()
	for name, token := range map[string]string{
		"none":             "",
		"another audience": w.iss.Token(w.iss.URL, verifytest.Claims{"scope": scopes}),
		"audience + slash": w.iss.Token(w.url+"/", verifytest.Claims{"scope": scopes}),
		"two audiences":    w.iss.Token(w.url, verifytest.Claims{"scope": scopes, "aud": []string{w.url, w.iss.URL}}),
		"an ID token":      w.iss.IDToken("calendar"),
		"a changed byte":   changed(good),
		"another issuer":   w.iss.Token(w.url, verifytest.Claims{"scope": scopes, "iss": "http://127.0.0.1:1"}),
	} {
		res := w.api(http.MethodGet, "/api/freebusy?"+wholeWeek, token, "")
		if res.status != http.StatusUnauthorized || !strings.HasPrefix(res.header.Get("WWW-Authenticate"), "Bearer ") {
			t.Errorf("%s: %d %s", name, res.status, res.body)
		}
	}
}

// TOK-12: a token that was revoked is refused although its time is not over.
func TestAPI_RevokedTokenSaysWhen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.appToken()
	if res := w.api(http.MethodGet, "/api/freebusy?"+wholeWeek, token, ""); res.status != http.StatusOK {
		t.Fatalf("before: %d", res.status)
	}
	w.revoke(verify.RuleGrant, "grant-1")
	res := w.api(http.MethodGet, "/api/freebusy?"+wholeWeek, token, "")
	var body struct {
		RevokedAt int64 `json:"revoked_at"`
		HeardAt   int64 `json:"heard_at"`
	}
	err := json.Unmarshal([]byte(res.body), &body)
	if res.status != http.StatusUnauthorized || err != nil || body.RevokedAt == 0 || body.HeardAt < body.RevokedAt {
		t.Errorf("after: %d %s %v", res.status, res.body, err)
	}
}

func TestMeetings_Strict(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	long := strings.Repeat("x", 101)
	for name, body := range map[string]string{
		"empty":           ``,
		"not an object":   `[]`,
		"no title":        `{"start":"2026-03-07T10:00:00Z","end":"2026-03-07T11:00:00Z"}`,
		"long title":      `{"title":"` + long + `","start":"2026-03-07T10:00:00Z","end":"2026-03-07T11:00:00Z"}`,
		"control":         `{"title":"a\nb","start":"2026-03-07T10:00:00Z","end":"2026-03-07T11:00:00Z"}`,
		"backwards":       `{"title":"x","start":"2026-03-07T11:00:00Z","end":"2026-03-07T10:00:00Z"}`,
		"nine hours":      `{"title":"x","start":"2026-03-07T01:00:00Z","end":"2026-03-07T10:00:00Z"}`,
		"far away":        `{"title":"x","start":"2036-03-07T10:00:00Z","end":"2036-03-07T11:00:00Z"}`,
		"unknown member":  `{"title":"x","start":"2026-03-07T10:00:00Z","end":"2026-03-07T11:00:00Z","created_by":"calendar"}`,
		"twice":           `{"title":"x","title":"y","start":"2026-03-07T10:00:00Z","end":"2026-03-07T11:00:00Z"}`,
		"trailing":        `{"title":"x","start":"2026-03-07T10:00:00Z","end":"2026-03-07T11:00:00Z"}{}`,
		"more than 4 KiB": `{"title":"x","start":"2026-03-07T10:00:00Z","end":"2026-03-07T11:00:00Z"` + strings.Repeat(" ", 4<<10) + `}`,
	} {
		if res := w.api(http.MethodPost, "/api/meetings", w.appToken(), body); res.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, res.status, res.body)
		}
	}
	good := `{"title":"x","start":"2026-03-07T10:00:00Z","end":"2026-03-07T11:00:00Z"}`
	if res := w.api(http.MethodPost, "/api/meetings", w.appToken(), good, "Content-Type", "text/plain"); res.status != http.StatusBadRequest {
		t.Errorf("text/plain: %d", res.status)
	}
	if res := w.api(http.MethodPost, "/api/meetings", w.appToken(), good); res.status != http.StatusCreated {
		t.Errorf("good: %d %s", res.status, res.body)
	}
	if res := w.api(http.MethodPost, "/api/meetings", w.appToken(), good); res.status != http.StatusConflict {
		t.Errorf("the same hour again: %d", res.status)
	}
}

func TestMeetings_DeleteOnlyOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	res := w.api(http.MethodPost, "/api/meetings", w.appToken(), `{"title":"x","start":"2026-03-07T10:00:00Z","end":"2026-03-07T11:00:00Z"}`)
	var made struct {
		ID        string `json:"id"`
		CreatedBy string `json:"created_by"`
	}
	if err := json.Unmarshal([]byte(res.body), &made); err != nil || made.ID == "" || made.CreatedBy != "friendly-scheduler" {
		t.Fatalf("add: %d %s", res.status, res.body)
	}
	path := "/api/meetings/" + made.ID
	for _, c := range []struct {
		name, token, path string
		want              int
	}{
		{"another app", w.appToken(verifytest.Claims{"client_id": "rival"}), path, http.StatusForbidden},
		{"another person", w.appToken(verifytest.Claims{"sub": "user-2"}), path, http.StatusNotFound},
		{"no such meeting", w.appToken(), "/api/meetings/nothing", http.StatusNotFound},
		{"its own", w.appToken(), path, http.StatusNoContent},
		{"again", w.appToken(), path, http.StatusNotFound},
	} {
		if res := w.api(http.MethodDelete, c.path, c.token, ""); res.status != c.want {
			t.Errorf("%s: %d %s", c.name, res.status, res.body)
		}
	}
}

func TestEvents_OwnTokenReadsTitles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	res := w.api(http.MethodGet, "/api/events", w.appToken(verifytest.Claims{"scope": "calendar.events:read"}), "")
	if res.status != http.StatusOK || !strings.Contains(res.body, "Doctor") || !strings.Contains(res.body, "Job interview") {
		t.Errorf("%d %s", res.status, res.body)
	}
}

func TestMetadata_RFC9728_3(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	res := w.api(http.MethodGet, "/.well-known/oauth-protected-resource", "", "")
	var doc struct {
		Resource string   `json:"resource"`
		Servers  []string `json:"authorization_servers"`
		Scopes   []string `json:"scopes_supported"`
	}
	if err := json.Unmarshal([]byte(res.body), &doc); err != nil || doc.Resource != w.url || len(doc.Servers) != 1 || doc.Servers[0] != w.iss.URL || len(doc.Scopes) != 4 {
		t.Errorf("%s %v", res.body, err)
	}
	refused := w.api(http.MethodGet, "/api/events", "", "")
	if want := `resource_metadata="` + w.url + `/.well-known/oauth-protected-resource"`; !strings.Contains(refused.header.Get("WWW-Authenticate"), want) {
		t.Errorf("challenge does not name it: %s", refused.header.Get("WWW-Authenticate"))
	}
}

// The API answers scripts of other sites like anybody without permission to read.
func TestAPI_NoCORS(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, method := range []string{http.MethodOptions, http.MethodGet} {
		res := w.api(method, "/api/freebusy?"+wholeWeek, w.appToken(), "", "Origin", "https://evil.example", "Access-Control-Request-Method", "GET")
		if res.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: a foreign origin may read the API", method)
		}
	}
}

// changed returns the token with one other character in its signature.
func changed(token string) string {
	b := []byte(token)
	if i := len(b) - 10; b[i] == 'A' {
		b[i] = 'B'
	} else {
		b[i] = 'A'
	}
	return string(b)
}
