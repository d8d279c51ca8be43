package oauth_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// over checks the page for a flow that cannot go on.
func over(t *testing.T, name string, a answer) {
	t.Helper()
	if a.Code != http.StatusBadRequest || a.page() != "error" || a.Header().Get("Location") != "" {
		t.Errorf("%s: %d %s %s", name, a.Code, a.Header().Get("Location"), a.Body)
	}
}

// OAU-21: each step is enforced here. Skipping one leads back to it, whatever the
// browser opens.
func TestContinue_StepsCannotBeSkipped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	a := b.authorize(ask("web", "prompt", "login consent select_account"))
	flow := a.query("flow")
	for range 2 {
		if a := b.proceed(flow); a.page() != "/login" {
			t.Fatalf("skipped the login: %s", a.Header().Get("Location"))
		}
	}
	b.login(ann) // a login elsewhere is none here
	if a := b.proceed(flow); a.page() != "/login" {
		t.Fatalf("a login elsewhere counted: %s", a.Header().Get("Location"))
	}
	b.agree(flow) // in the wrong order
	if a := b.proceed(flow); a.page() != "/login" {
		t.Fatalf("consent replaced the login: %s", a.Header().Get("Location"))
	}
	w.pass(time.Second)
	b.loginIn(flow, ann)
	if a := b.proceed(flow); a.page() != "/consent" {
		t.Fatalf("a yes from before the login counted: %s", a.Header().Get("Location"))
	}
	b.agree(flow)
	if a := b.proceed(flow); a.query("code") == "" {
		t.Fatalf("%d %s", a.Code, a.Header().Get("Location"))
	}
	over(t, "replay", b.proceed(flow))
}

// OAU-21, OAU-03: a flow belongs to the browser that started it, and to one person.
func TestContinue_BelongsToItsBrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	attacker, victim := w.browser(), w.signedIn(ann)
	flow := attacker.authorize(ask("own")).query("flow")
	victim.authorize(ask("web")) // has a flow cookie of its own
	over(t, "login CSRF: another browser", victim.proceed(flow))
	over(t, "no cookie", w.signedIn(ann).proceed(flow))
	for _, id := range []string{"", "x", flow + "x", flow[1:], "../" + flow} {
		over(t, "id "+id, attacker.proceed(id))
	}
	over(t, "two ids", attacker.proceed(flow+"&flow="+flow))

	// Ann consents, then bob logs in at the same browser: he is asked.
	b := w.browser()
	flow = b.authorize(ask("web")).query("flow")
	b.loginIn(flow, ann)
	b.agree(flow)
	b.login(bob)
	if a := b.proceed(flow); a.page() != "/select-account" {
		t.Fatalf("another person finished: %s", a.Header().Get("Location"))
	}
	b.choose(flow)
	if a := b.proceed(flow); a.page() != "/consent" {
		t.Fatalf("ann's consent was bob's: %s", a.Header().Get("Location"))
	}
	b.agree(flow)
	got := claims(t, w.redeem("web", b.proceed(flow).query("code")).ok().json("id_token"))
	if got["sub"] != bob {
		t.Errorf("sub %v", got["sub"])
	}
}

func TestContinue_Expires(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn(ann)
	flow := b.authorize(ask("web")).query("flow")
	b.agree(flow)
	w.pass(10*time.Minute + time.Millisecond)
	over(t, "expired", b.proceed(flow))
}

// What was true at the start is asked again at the end.
func TestContinue_ReadsAgain(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*world, *browser){
		"client disabled": func(w *world, _ *browser) {
			w.must(w.db.DisableClient(w.t.Context(), system(), "web", w.clock()))
		},
		"client deleted": func(w *world, _ *browser) {
			w.must(w.db.DeleteClient(w.t.Context(), system(), "web", w.clock()))
		},
		"redirect URI taken away": func(w *world, _ *browser) {
			w.alter("web", func(c *idp.Client) { c.RedirectURIs = c.RedirectURIs[1:] })
		},
	} {
		w := newWorld(t)
		b := w.signedIn(ann)
		flow := b.authorize(ask("web")).query("flow")
		b.agree(flow)
		change(w, b)
		over(t, name, b.proceed(flow))
	}
	for name, change := range map[string]func(*world, *browser){
		"user disabled": func(w *world, _ *browser) { w.must(w.db.DisableUser(w.t.Context(), system(), ann, w.clock())) },
		"logged out": func(w *world, b *browser) {
			w.must(w.db.EndSession(w.t.Context(), system(), ann, b.session().ID, w.clock()))
		},
	} {
		w := newWorld(t)
		b := w.signedIn(ann)
		flow := b.authorize(ask("web")).query("flow")
		b.agree(flow)
		change(w, b)
		if a := b.proceed(flow); a.page() != "/login" {
			t.Errorf("%s: %d %s", name, a.Code, a.Header().Get("Location"))
		}
	}
}

// STO-04: of many tabs exactly one gets the code.
func TestContinue_Race(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range rounds(t) / 10 {
		b := w.signedIn(ann)
		a := b.authorize(ask("web", "prompt", "consent"))
		flow := a.query("flow")
		b.agree(flow)
		codes := make([]string, 8)
		var all sync.WaitGroup
		for i := range codes {
			r := b.request("GET", "/authorize/continue?flow="+flow, nil)
			all.Go(func() { codes[i] = w.serve(r).query("code") })
		}
		all.Wait()
		won := 0
		for _, code := range codes {
			if code != "" {
				won++
			}
		}
		if won != 1 {
			t.Fatalf("%d codes", won)
		}
	}
}

// rounds of a race; fewer with -short.
func rounds(t *testing.T) int {
	t.Helper()
	if testing.Short() {
		return 20
	}
	return 200
}
