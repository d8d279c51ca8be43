package web_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/secret"
)

// consolePages shows the console's pages, each in the states in which it looks different.
func (wd *world) consolePages(lang string) []shown {
	wd.t.Helper()
	var list []shown
	keep := func(name string, a answer) answer {
		list = append(list, shown{"console-" + name, a})
		return a
	}
	wd.grant(wd.bob, schedulerID, calendarID, "", "calendar.freebusy:read", "offline_access")
	d := wd.desk()
	tab := func() *operatorTab {
		b := d.tab()
		b.lang = lang
		return b
	}
	keep("open", tab().get(d.link))
	keep("closed", tab().get("/"))
	b := tab().open()
	keep("link-used", tab().get(d.link))
	keep("overview", b.get(b.base+"/"))
	keep("users", b.get(b.base+"/users"))
	keep("users-none", b.get(b.base+"/users?q=nobody"))
	bob := b.base + "/users/" + wd.bob.ID
	page := keep("user", b.get(bob))
	b.submit(page, bob, "action", "disable")
	keep("user-disabled", b.get(bob))
	b.submit(page, bob, "action", "enable")
	keep("user-gone", b.get(b.base+"/users/"+secret.ID()))
	keep("stale-form", b.post(bob, values("action", "disable")))
	add := b.base + "/users/add"
	page = keep("user-add", b.get(add))
	keep("user-add-password", b.submit(page, add, "username", "carol", "email", "carol@example.com", "email_verified", "yes", "password", "too short"))
	keep("user-add-username", b.submit(page, add, "username", "carol@example.com"))
	keep("user-add-foreign", b.submit(page, add, "username", "carol", "name", strings.Repeat("x", 300)))
	for _, p := range b.serverPages() {
		keep(p.name, p.answer)
	}
	api := d.api
	d.api = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		_ = json.NewEncoder(w).Encode(map[string]string{"message": "busy; try again in a few seconds"})
	})
	keep("away", b.get(b.base+"/users"))
	d.api = api
	keep("left", b.submit(b.get(b.base+"/users"), b.base+"/sign-out"))
	return list
}

// A list is shown page by page; a search finds beginnings of usernames, and addresses and
// ids as a whole.
func TestConsoleUsers_Search(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := d.tab().open()
	for _, name := range []string{"anna", "Annette", "an", "zoe"} {
		d.must(d.call(t.Context(), http.MethodPost, "/users", map[string]any{"username": name}, nil))
	}
	for query, want := range map[string]string{
		"": "ann anna annette bob zoe an", "ann": "ann anna annette", "ANN": "ann anna annette", "anna": "anna", "an": "an ann anna annette",
		"bob@example.com": "bob", d.ann.ID: "ann", "b": "bob", "nn": "", "@": "", "zoe ": "zoe", "%": "", ".": "", "..": "", "a/b": "", "a/../b": "",
	} {
		a := b.get(b.base + "/users?" + values("q", query).Encode())
		if a.status != http.StatusOK {
			t.Errorf("search for %q: %d", query, a.status)
		}
		text := strings.ToLower(a.body)
		for _, name := range []string{"ann", "anna", "annette", "bob", "zoe", "an"} {
			if shown := strings.Contains(text, "<span><bdi>"+name+"</bdi></span>"); shown != strings.Contains(" "+want+" ", " "+name+" ") {
				t.Errorf("search for %q: %s is shown: %v", query, name, shown)
			}
		}
	}
}

func TestConsoleUsers_Pages(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := d.tab().open()
	for i := range 60 {
		name := "x" + string(rune('a'+i/26)) + string(rune('a'+i%26))
		d.must(d.call(t.Context(), http.MethodPost, "/users", map[string]any{"username": name}, nil))
	}
	seen := map[string]int{}
	path := b.base + "/users?q=x"
	for range 2 {
		a := b.get(path)
		for part := range strings.SplitSeq(a.body, "<p class=\"meta\"><span><bdi>") {
			if name, _, ok := strings.Cut(part, "</bdi>"); ok && strings.HasPrefix(name, "x") && len(name) == 3 {
				seen[name]++
			}
		}
		_, more, _ := strings.Cut(a.body, `<a class="button quiet" href="`+b.base+"/users?after=")
		more, _, _ = strings.Cut(more, `"`)
		path = b.base + "/users?after=" + strings.ReplaceAll(more, "&amp;", "&")
	}
	if len(seen) != 60 {
		t.Errorf("two pages show %d of 60 people", len(seen))
	}
	for name, n := range seen {
		if n != 1 {
			t.Errorf("%s is shown %d times", name, n)
		}
	}
}

// What an operator does on the page of a person is done.
func TestConsoleUser_Actions(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	other := wd.signedIn("bob", bobPassword)
	phone := wd.signedIn("bob", bobPassword)
	flow := "?flow=" + other.flow()
	other.submit(other.get("/consent"+flow), "/consent"+flow, "decision", "authorize")
	d := wd.desk()
	b := d.tab().open()
	bob := b.base + "/users/" + wd.bob.ID
	open := func(br *browser) bool { return br.get("/account").status == http.StatusOK }

	page := b.get(bob)
	for _, want := range []string{"Bob Example", "bob@example.com", "Firefox on Linux", "Signed in"} {
		if !strings.Contains(page.text(), want) {
			t.Errorf("no %q: %s", want, page.text())
		}
	}
	sessions, err := wd.db.Sessions(t.Context(), wd.bob.ID, wd.now())
	wd.must(err)
	if a := b.submit(page, bob, "action", "end", "session", sessions[0].ID); a.status != http.StatusSeeOther || a.location() != bob {
		t.Fatalf("end a session: %d %s", a.status, a.location())
	}
	if open(other) == open(phone) {
		t.Error("not exactly one of two sessions ended")
	}
	if text := b.get(bob).text(); !strings.Contains(text, "That session is signed out.") || strings.Contains(b.get(bob).text(), "That session is signed out.") {
		t.Errorf("the notice is not said once: %s", text)
	}
	b.submit(page, bob, "action", "end_all")
	if text := b.get(bob).text(); !strings.Contains(text, "All sessions are signed out.") {
		t.Errorf("no notice: %s", text)
	}
	if open(other) || open(phone) {
		t.Error("a session is left")
	}
	b.submit(page, bob, "action", "disable")
	if u, err := wd.db.User(t.Context(), wd.bob.ID); err != nil || u.DisabledAt.IsZero() {
		t.Errorf("bob is not disabled: %v", err)
	}
	b.submit(page, bob, "action", "enable")
	if text := b.get(bob).text(); !strings.Contains(text, "The person may sign in again.") {
		t.Errorf("no notice: %s", text)
	}
	if u, err := wd.db.User(t.Context(), wd.bob.ID); err != nil || !u.DisabledAt.IsZero() {
		t.Errorf("bob is not enabled: %v", err)
	}
	for _, wrong := range [][]string{{"action", "delete"}, {"action", "end"}, {"action", "revoke"}, {}} {
		if a := b.submit(page, bob, wrong...); a.status != http.StatusBadRequest {
			t.Errorf("%v: %d", wrong, a.status)
		}
	}
	// Another person's session is not found under this one.
	ann := wd.asAnn()
	sessions, err = wd.db.Sessions(t.Context(), wd.ann.ID, wd.now())
	wd.must(err)
	if a := b.submit(page, bob, "action", "end", "session", sessions[0].ID); a.status != http.StatusNotFound || !open(ann) {
		t.Errorf("ann's session under bob: %d", a.status)
	}
	for _, id := range []string{"bob", "x", secret.ID(), "..%2fclients"} {
		if a := b.get(b.base + "/users/" + id); a.status != http.StatusNotFound {
			t.Errorf("person %q: %d", id, a.status)
		}
	}
}

func TestConsoleUser_Apps(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	wd.allow(wd.asAnn())
	wd.grant(wd.ann, schedulerID, calendarID, "", "offline_access", "calendar.freebusy:read")
	wd.grant(wd.ann, schedulerID, issuer, "", "openid", "offline_access")
	d := wd.desk()
	b := d.tab().open()
	ann := b.base + "/users/" + wd.ann.ID
	page := b.get(ann)
	if text := page.text(); !strings.Contains(text, "Friendly Scheduler calendar.freebusy:read offline_access openid First used") || !strings.Contains(text, "Allowed Friendly Scheduler to use the account") {
		t.Errorf("the app is not shown: %s", text)
	}
	b.submit(page, ann, "action", "revoke", "client_id", schedulerID)
	if text := b.get(ann).text(); !strings.Contains(text, "The app has no access any more.") || !strings.Contains(text, "No app is connected.") {
		t.Errorf("after revoking: %s", text)
	}
	if grants, err := wd.db.Grants(t.Context(), wd.ann.ID, wd.now()); err != nil || len(grants) != 0 {
		t.Errorf("%d grants are left: %v", len(grants), err)
	}
}

// A person who is added can sign in; what the server refuses is said at its field.
func TestConsoleUserAdd(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	d := wd.desk()
	b := d.tab().open()
	add := b.base + "/users/add"
	page := b.get(add)
	for name, try := range map[string]struct {
		fields []string
		field  string // that is marked
		text   string
	}{
		"nobody":     {[]string{"username", ""}, "username", "The username is missing"},
		"an address": {[]string{"username", "carol@example.com"}, "username", "not acceptable"},
		"taken":      {[]string{"username", "ANN"}, "username", "Somebody has this username"},
		"no address": {[]string{"username", "carol", "email", "carol"}, "email", "This is not an e-mail address"},
		"unverified": {[]string{"username", "carol", "email_verified", "yes"}, "email", "Without an address"},
		"too short":  {[]string{"username", "carol", "password", "two words"}, "password", "The password is too short"},
		"personal":   {[]string{"username", "carolinawalker", "password", "carolinawalker carolinawalker"}, "password", "The password is"},
		"long name":  {[]string{"username", "carol", "name", strings.Repeat("x", 300)}, "", "profile.name is too long"},
	} {
		a := b.submit(page, add, try.fields...)
		if a.status/100 != 4 || !strings.Contains(a.text(), try.text) {
			t.Errorf("%s: %d %s", name, a.status, a.text())
		}
		_, marked, _ := strings.Cut(a.body, `aria-invalid="true" aria-describedby="error`)
		if got := strings.Count(a.body, `aria-invalid="true"`); try.field == "" && got != 0 || try.field != "" && (got != 1 || marked == "" || !strings.Contains(a.body, `<input id="`+try.field+`"`)) {
			t.Errorf("%s: %d fields are marked", name, got)
		}
		if i := strings.Index(a.body, `aria-invalid="true"`); i > 0 && !strings.HasPrefix(a.body[strings.LastIndex(a.body[:i], "<input"):], `<input id="`+try.field+`"`) {
			t.Errorf("%s: another field than %s is marked", name, try.field)
		}
		if strings.Contains(a.body, "two words") {
			t.Error("a password comes back")
		}
	}
	const password = "five brown kettles over Bern"
	a := b.submit(page, add, "username", "carol", "name", "Carol", "email", "carol@example.com", "email_verified", "yes", "password", password)
	if a.status != http.StatusSeeOther || !strings.Contains(b.get(a.location()).text(), "The person is added.") {
		t.Fatalf("add: %d %s", a.status, a.text())
	}
	wd.signedIn("carol", password)
	wd.pass(time.Minute)
	if text := b.get(a.location()).text(); !strings.Contains(text, "carol@example.com confirmed") || !strings.Contains(text, "Account created") {
		t.Errorf("carol's page: %s", text)
	}
}
