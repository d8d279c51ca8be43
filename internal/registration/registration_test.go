package registration_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/registration"
)

// draft-ietf-oauth-client-id-metadata-document-03 §3: one spelling of an address is an id.
func TestDocumentID_CIMD_3(t *testing.T) {
	t.Parallel()
	const no, always, development = 0, 1, 2
	for id, want := range map[string]int{
		"https://app.example/client.json": always, "https://app.example/": always, "https://app.example:8443/a": always, "https://app.example/a/": always,
		"https://app.example/a%20b": always, "https://xn--mller-kva.example/a": always,
		"http://localhost:8080/a": development, "http://127.0.0.1/a": development,
		"": no, "app": no, "https:": no, "https://app.example": no, "https://app.example?a": no, "https://app.example/a?b": no, "https://app.example/a?": no,
		"https://app.example/a#b": no, "https://app.example/a#": no, "https://u@app.example/a": no, "https://u:p@app.example/a": no, "https://app.example/./a": no,
		"https://app.example/a/..": no, "https://app.example/%2E%2e/a": no, "https://App.example/a": no, "HTTPS://app.example/a": no, "https://app.example:/a": no,
		"https:///a": no, "https:app.example/a": no, "http://app.example/a": no, "ftp://app.example/a": no, "https://app.example/ä": no,
		"https://app.example/a b": no, `https://app.example\a`: no, "https://app.example/*": no, "https://app.example/" + strings.Repeat("a", 240): no,
	} {
		_, production := registration.DocumentID(id, false)
		_, dev := registration.DocumentID(id, true)
		if production != (want == always) || dev != (want != no) {
			t.Errorf("%q: %v, in development %v", id, production, dev)
		}
	}
}

// OAU-16: what people read about an app is a host, letter by letter, and a name that can be
// seen. Hosts in other alphabets look like the ones people know; a dot at the end would be
// the same host under another name, which an operator has not denied.
func TestAdmit_OAU16_WhatPeopleRead(t *testing.T) {
	t.Parallel()
	known := registration.KnownScopes(nil)
	for _, host := range []string{"%D0%B0pple.example", "a%E2%80%AEb.example", "app.example.", "a%C3%A9.example", "app.example.:443", "[fe80::1%25eth0]"} {
		if _, ok := registration.DocumentID("https://"+host+"/a", true); ok {
			t.Errorf("%s is the host of a document", host)
		}
		var d registration.Document
		d.RedirectURIs, d.Name = []string{"https://" + host + "/cb"}, "A"
		if m, err := (registration.Policy{}).Admit(d, known); err == nil {
			t.Errorf("%s: %v", host, m.RedirectURIs)
		}
	}
	for name, seen := range map[string]bool{
		"\u3164": false, "\u115f\u1160": false, "\ufe0f": false, "\u200d": false, "\u2800": false, "A\u3164": false, "\u034f": false, "\u0301": false,
		"A" + strings.Repeat("\u0301", 6): false, "A" + strings.Repeat("\u20dd\u0336", 3): false, // scribbles over the lines around it
		"A" + strings.Repeat("\u0301", 5): true, "\u05e9\u05c1\u05bc\u05b8\u0591": true, "\u0f67\u0f92\u0fad\u0fb7\u0f71\u0f7a": true,
		"A": true, "\u30a2\u30d7\u30ea": true, "7": true, "\U0001f4c5\ufe0f": true, "\u0915\u094d\u200d\u0937": true,
	} {
		var d registration.Document
		d.RedirectURIs, d.Name = []string{"https://app.example/cb"}, name
		if _, err := (registration.Policy{}).Admit(d, known); (err == nil) != seen {
			t.Errorf("name %+q: %v", name, err)
		}
	}
}

// CLI-04: nothing that a stranger writes, in whatever letters, is one of an operator's words.
func TestParse_CLI04_OperatorsWords(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"first_party", "FIRST_PARTY", "First_Party", "first_\u212aparty", "fir\u017ft_party", "security_profile", "\u017fecurity_profile", "scopes", "\u017fcopes",
		"web_origins", "resources", "re\u017fources", "response_modes",
	} {
		for _, value := range []string{`true`, `"oidc"`, `["groups"]`} {
			d, err := registration.Parse([]byte(`{"` + name + `":` + value + `,"client_name":"A"}`))
			if err != nil || d.FirstParty || d.Profile != "" || d.ClientMetadata.Scopes != nil || d.Origins != nil || d.Resources != nil || d.ResponseModes != nil || d.Name != "A" {
				t.Errorf("%s: %s: %+v, %v", name, value, d, err)
			}
		}
	}
}

// FuzzParse: whatever is sent, what comes out is within the policy, or an error that names a member.
func FuzzParse(f *testing.F) {
	f.Add(`{"redirect_uris":["https://a.example/cb"],"scope":"openid x"}`)
	f.Add(`{"redirect_uris":["http://localhost/cb","com.example:/cb"],"application_type":"native","token_endpoint_auth_method":"none","first_party":true}`)
	f.Add(`{"client_name":"\u202e","jwks":{"keys":[]},"default_max_age":-1,"contacts":[1],"Scopes":["groups"]}`)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := registration.Parse([]byte(text))
		if err == nil {
			var m idp.ClientMetadata
			m, err = registration.Policy{}.Admit(d, registration.KnownScopes(nil))
			if err == nil && (m.FirstParty || m.Profile != idp.OAuth21 || m.Name == "" || len(m.RedirectURIs) == 0 || len(m.Scopes) > 4 ||
				slices.Contains(m.GrantTypes, idp.GrantClientCredentials) || m.Origins != nil || m.Resources != nil) {
				t.Errorf("%q became %+v", text, m)
			}
		}
		if e, ok := errors.AsType[*registration.Unacceptable](err); err != nil && (!ok || e.Member() == "") {
			t.Errorf("%q: %v", text, err)
		}
	})
}
