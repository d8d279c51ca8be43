package cli_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/cli"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/token"
)

func TestDevSeed_AnnHasEveryStandardClaim(t *testing.T) {
	t.Parallel()
	ann := cli.DevSeed("http://localhost:1", "http://127.0.0.1:2", "http://127.0.0.1:3").Users[0]
	profile := reflect.ValueOf(ann.Profile)
	for i := range profile.NumField() {
		if profile.Field(i).IsZero() {
			t.Errorf("%s is empty", profile.Type().Field(i).Name)
		}
	}
	if ann.Username != "ann" || ann.Email == "" || !ann.EmailVerified || len(ann.Groups) == 0 {
		t.Errorf("%+v", ann.User)
	}
}

// OpenID Connect Core §5.1, §5.4: all of it comes out at userinfo, for whoever tries a client.
func TestDevSeed_OIDC_5_4_UserinfoHasEveryStandardClaim(t *testing.T) {
	t.Parallel()
	ann := cli.DevSeed("http://localhost:1", "http://127.0.0.1:2", "http://127.0.0.1:3").Users[0].User
	ann.UpdatedAt = time.Unix(1_800_000_000, 0) // the store says when
	doc, _, err := token.New(token.Config{Issuer: "http://localhost:1"}).Userinfo(idp.Client{}, ann, idp.IssuerScopes[:], nil)
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(doc, &claims); err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields(`sub name given_name family_name middle_name nickname preferred_username profile picture website email email_verified
		gender birthdate zoneinfo locale phone_number phone_number_verified address updated_at groups`) {
		if claims[name] == nil || claims[name] == "" {
			t.Errorf("%s is missing: %s", name, doc)
		}
	}
	if claims["updated_at"] != 1.8e9 {
		t.Errorf("updated_at %v", claims["updated_at"])
	}
}

func TestDevSeed_ScopesHaveTextsAndTwoClientsAreNarrow(t *testing.T) {
	t.Parallel()
	seed := cli.DevSeed("http://localhost:1", "http://127.0.0.1:2", "http://127.0.0.1:3")
	var known []string
	for _, s := range seed.Resources[0].Scopes {
		known = append(known, s.Name)
		if s.Title["en"] == "" || s.Title["de"] == "" || (len(s.Detail) > 0 && (s.Detail["en"] == "" || s.Detail["de"] == "")) {
			t.Errorf("%s lacks a text", s.Name)
		}
	}
	for _, c := range seed.Clients {
		for _, s := range c.Scopes {
			if !slices.Contains(known, s) && !slices.Contains(idp.IssuerScopes[:], s) {
				t.Errorf("%s may ask for %s, which nobody knows", c.ID, s)
			}
		}
		if !c.Public() && c.SecretHash != secret.Hash("client_secret", cli.DevSecret(c.ID)) {
			t.Errorf("%s has another secret than the one that is printed", c.ID)
		}
		if _, _, err := secret.Parse(secret.ClientSecret, cli.DevSecret(c.ID).Reveal()); err != nil {
			t.Errorf("%s: %v", c.ID, err)
		}
		if c.ID != "calendar" && (c.FirstParty || slices.Contains(c.Scopes, "calendar.events:read")) {
			t.Errorf("%s may read events, or is ours", c.ID)
		}
		for _, u := range c.RedirectURIs {
			if !strings.HasPrefix(u, "http://127.0.0.1:") {
				t.Errorf("%s leads to %s", c.ID, u)
			}
		}
	}
}
