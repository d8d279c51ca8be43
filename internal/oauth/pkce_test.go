package oauth_test

import (
	"strings"
	"testing"
)

// OAU-05.
func TestAuthorize_RFC7636_4_3_Challenge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, client := range []string{"web", "own", "spa", "native"} { // also confidential ones
		b := w.signedIn(ann)
		for name, change := range map[string][]string{
			"nothing":           {"code_challenge", "", "code_challenge_method", ""},
			"no method":         {"code_challenge_method", ""},
			"plain":             {"code_challenge_method", "plain"},
			"plain, as it was":  {"code_challenge_method", "plain", "code_challenge", verifier},
			"other letters":     {"code_challenge_method", "s256"},
			"method only":       {"code_challenge", ""},
			"short":             {"code_challenge", challenge[1:]},
			"long":              {"code_challenge", challenge + "A"},
			"padded":            {"code_challenge", challenge + "="},
			"standard base64":   {"code_challenge", strings.NewReplacer("-", "+", "_", "/").Replace(challenge[:42]) + "+"},
			"with a line break": {"code_challenge", challenge[:42] + "\n"},
		} {
			if a := b.authorize(ask(client, change...)); a.query("error") != "invalid_request" {
				t.Errorf("%s: %s: %s", client, name, a.Header().Get("Location"))
			}
		}
	}
	// A confidential client of profile oidc may leave it out; if it comes, it counts.
	b := w.signedIn(ann)
	b.code(ask("legacy", "code_challenge", "", "code_challenge_method", ""), ann)
	if a := b.authorize(ask("legacy", "code_challenge_method", "plain")); a.query("error") != "invalid_request" {
		t.Errorf("legacy with plain: %s", a.Header().Get("Location"))
	}
}

// RFC 7636 §4.4: nothing that a browser carries has the challenge in it, but the request.
func TestAuthorize_RFC7636_4_4_ChallengeStaysHere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	first := b.authorize(ask("web"))
	last := b.through(first, ann)
	if first.page() != "/login" || last.query("code") == "" {
		t.Fatalf("%d, %d", first.Code, last.Code)
	}
	for _, a := range []answer{first, last, b.authorize(ask("web")), b.authorize(ask("web", "prompt", "consent")), b.authorize(ask("web", "scope", "x"))} {
		for name, values := range a.Header() {
			if strings.Contains(strings.Join(values, " "), challenge) {
				t.Errorf("%s: %q", name, values)
			}
		}
		if strings.Contains(a.Body.String(), challenge) {
			t.Errorf("%s", a.Body)
		}
	}
}

// OAU-05.
func TestToken_RFC7636_4_6_Verifier(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	short, long := strings.Repeat("a", 42), strings.Repeat("a", 129)
	for _, tt := range []struct {
		name, client, challenge, verifier string
		ok                                bool
	}{
		{"right", "web", challenge, verifier, true},
		{"right, longest", "web", s256(long[1:]), long[1:], true},
		{"right, with a tilde", "web", s256(short + "~"), short + "~", true},
		{"wrong", "web", challenge, strings.ToUpper(verifier), false},
		{"missing", "web", challenge, "", false},
		{"too short, though it fits", "web", s256(short), short, false},
		{"too long, though it fits", "web", s256(long), long, false},
		{"with a blank, though it fits", "web", s256(short + " "), short + " ", false},
		{"with a plus, though it fits", "web", s256(short + "+"), short + "+", false},
		{"optional and absent", "legacy", "", "", true},
		{"verifier without a challenge", "legacy", "", verifier, false},
		{"optional, sent, wrong", "legacy", challenge, short + "x", false},
		{"optional, sent, missing", "legacy", challenge, "", false},
		{"optional, sent, right", "legacy", challenge, verifier, true},
	} {
		method := "S256"
		if tt.challenge == "" {
			method = ""
		}
		code := w.browser().code(ask(tt.client, "code_challenge", tt.challenge, "code_challenge_method", method), ann)
		a := w.redeem(tt.client, code, "code_verifier", tt.verifier)
		if tt.ok {
			a.ok()
		} else if a.Code != 400 || a.json("error") != "invalid_grant" {
			t.Errorf("%s: %d %s", tt.name, a.Code, a.Body)
		}
	}
}
