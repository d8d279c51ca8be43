package web_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/idp"
)

// unverified makes the app that asks one that no operator added.
func (wd *world) unverified(origin idp.Origin, id string, change func(*idp.Client)) *browser {
	wd.t.Helper()
	c := scheduler()
	c.ID, c.Origin = id, origin
	change(&c)
	ctx := wd.t.Context()
	if origin == idp.OriginDocument {
		_, err := wd.db.PutDocumentClient(ctx, operator, c, 100, wd.now())
		wd.must(err)
	} else {
		c.RegistrationHash = [32]byte{1}
		wd.must(wd.db.RegisterClient(ctx, operator, c, [32]byte{}, 100, wd.now()))
	}
	return wd.asAnn()
}

// OAU-16, draft-ietf-oauth-client-id-metadata-document-03 §8: who publishes the app stands
// on the pages, and where the browser will be sent.
func TestConsent_OAU16_UnverifiedApp(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	const id = "https://apps.example/oauth/scheduler.json"
	b := wd.unverified(idp.OriginDocument, id, func(c *idp.Client) { c.TokenEndpointAuthMethod = idp.AuthNone })
	asks := func(r *idp.AuthRequest) { r.ClientID = id }
	flow := "?flow=" + b.flow(asks)
	inOrder(t, b.get("/consent"+flow).text(), "Friendly Scheduler asks for access", "Unverified app", "It is described at apps.example", "Nobody here has checked",
		"Any program on this computer could pretend to be this app", "You will be sent to 127.0.0.1:8082 on this computer")
	inOrder(t, b.get("/login"+flow).text(), "Friendly Scheduler is run by somebody else", "It is described at apps.example")
	b.header.Set("Accept-Language", "de")
	inOrder(t, b.get("/consent"+flow).text(), "Ungeprüfte App", "Sie wird auf apps.example beschrieben", "Jedes Programm auf diesem Computer")

	wd = newWorld(t)
	b = wd.unverified(idp.OriginRegistered, "dyn-1", func(c *idp.Client) {
		c.RedirectURIs = append(c.RedirectURIs, "https://scheduler.example/cb")
	})
	page := b.get("/consent?flow=" + b.flow(func(r *idp.AuthRequest) { r.ClientID = "dyn-1" })).text()
	inOrder(t, page, "Unverified app", "It introduced itself here", "You will be sent to")
	if strings.Contains(page, "Any program on this computer") || strings.Contains(page, "Third-party app") {
		t.Errorf("%s", page)
	}
}

// CLI-06: what an app that nobody checked says of itself never becomes markup, and its
// address cannot hide behind a name.
func TestPages_CLI06_UnverifiedApp(t *testing.T) {
	t.Parallel()
	pages := func(text, id string) map[string][]string {
		wd := newWorld(t)
		b := wd.unverified(idp.OriginDocument, id, func(c *idp.Client) {
			c.Name, c.ClientURI, c.PolicyURI, c.TermsURI = text, "https://x.example/"+text, "https://x.example/?"+text, "https://x.example/#"+text
			c.LogoURI, c.SoftwareID, c.SoftwareVersion, c.Contacts = text, text, text, []string{text}
		})
		flow := "?flow=" + b.flow(func(r *idp.AuthRequest) { r.ClientID = id })
		consent := b.get("/consent" + flow)
		if strings.Contains(consent.body, "\u202e") || strings.Contains(consent.body, "<img src=x") {
			t.Errorf("%q is shown as it is", text)
		}
		return map[string][]string{"consent": skeleton(consent.body), "login": skeleton(b.get("/login" + flow).body)}
	}
	harmless := pages("harmless", "https://apps.example/a")
	for _, payload := range append(payloads, strings.Repeat("long ", 1000)) {
		for page, got := range pages(payload, "https://apps.example/a") {
			if !slices.Equal(got, harmless[page]) {
				t.Errorf("%q changes %s:\n%v\nis not\n%v", payload, page, got, harmless[page])
			}
		}
	}
}
