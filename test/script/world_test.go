package script_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/config"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/pgtest"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/server"
)

const (
	issuer   = "https://id.example"
	password = "correct horse battery staple"
)

// names are the {…} of transcripts.
var names = map[string]string{
	"issuer":   issuer,
	"calendar": "https://calendar.example",
	"mail":     "https://mail.example",

	"scheduler.cb": "https://scheduler.example/cb",
	"own.cb":       "https://own.example/cb",
	"own.bye":      "https://own.example/bye",
	"spa.cb":       "https://spa.example/cb",
	"native.cb":    "http://127.0.0.1/cb",

	"device_code": idp.GrantDeviceCode,

	// RFC 7636 Appendix B.
	"verifier":  "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
	"challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
}

// secrets of the confidential clients.
var secrets = map[string]string{"scheduler": "scheduler's secret", "own": "own secret", "reports": "reports' secret", "strict": "strict's secret"}

// seed is who lives there: ann and bob; a calendar and a mail service; scheduler, an app
// of somebody else; own, an app of ours; spa and native, which have no secret; tv, which
// has no browser; reports, a service without a person, which is also the calendar's;
// strict, another, which gets bound tokens only.
func seed() server.Seed {
	text := func(s string) map[string]string { return map[string]string{"en": s} }
	code := []string{idp.GrantAuthorizationCode, idp.GrantRefreshToken}
	all := []string{"openid", "profile", "email", "offline_access", "calendar.read", "calendar.write", "mail.read"}
	app := func(id, name, kind string, method idp.AuthMethod, first bool, redirects ...string) idp.Client {
		c := idp.Client{ID: id, ClientMetadata: idp.ClientMetadata{
			Name: name, ApplicationType: kind, TokenEndpointAuthMethod: method, FirstParty: first, Profile: idp.OAuth21,
			RedirectURIs: redirects, GrantTypes: code, Scopes: all,
		}}
		if key, ok := secrets[id]; ok {
			c.SecretHash = secret.Hash("client_secret", secret.NewText(key))
		}
		return c
	}
	own := app("own", "Own", "web", idp.AuthBasic, true, names["own.cb"])
	own.PostLogoutRedirectURIs = []string{names["own.bye"]}
	own.GrantTypes = append(slices.Clone(code), idp.GrantDeviceCode)
	tv := app("tv", "TV", "native", idp.AuthNone, false)
	tv.GrantTypes = []string{idp.GrantDeviceCode, idp.GrantRefreshToken}
	reports := app("reports", "Reports", "web", idp.AuthBasic, false)
	reports.GrantTypes, reports.Scopes = []string{idp.GrantClientCredentials}, []string{"calendar.read", "mail.read"}
	reports.Resources = []string{names["calendar"]}
	strict := app("strict", "Strict", "web", idp.AuthBasic, false)
	strict.GrantTypes, strict.Scopes, strict.DPoPBound = reports.GrantTypes, reports.Scopes, true
	return server.Seed{
		Users: []server.SeedUser{
			{User: idp.User{ID: secret.ID(), Username: "ann", Email: "ann@example.com", EmailVerified: true, Profile: idp.Profile{Name: "Ann Example"}}, Password: password},
			{User: idp.User{ID: secret.ID(), Username: "bob", Profile: idp.Profile{Name: "Bob Example"}}, Password: password},
		},
		Resources: []idp.Resource{
			{ID: names["calendar"], Name: "Calendar", Scopes: []idp.Scope{
				{Name: "calendar.read", Title: text("See your calendar")}, {Name: "calendar.write", Title: text("Change your calendar"), Write: true},
			}},
			{ID: names["mail"], Name: "Mail", Scopes: []idp.Scope{{Name: "mail.read", Title: text("Read your mail")}}},
		},
		Clients: []idp.Client{
			app("scheduler", "Friendly Scheduler", "web", idp.AuthBasic, false, names["scheduler.cb"]),
			own,
			app("spa", "Single Page", "web", idp.AuthNone, false, names["spa.cb"]),
			app("native", "Native", "native", idp.AuthNone, false, names["native.cb"], "com.example.app:/cb"),
			tv,
			reports,
			strict,
		},
	}
}

// clock is what the provider takes for the time.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// template is a data directory with keys and people, made once: RSA keys take a while.
var template = sync.OnceValues(func() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "signet-script-"); err != nil {
		return "", err
	}
	made = dir
	key := secret.Key()
	if err := os.WriteFile(filepath.Join(dir, "key"), []byte(hex.EncodeToString(key[:])), 0o600); err != nil {
		return "", err
	}
	return dir, furnish(configuration(dir))
})

// furnish makes the keys and the people.
func furnish(cfg config.Config) error {
	ctx := context.Background()
	s, err := server.New(ctx, cfg, options(&clock{now: start}))
	if err != nil {
		return err
	}
	return errors.Join(s.Seed(ctx, seed()), s.Close())
}

// made is the template's directory, empty if no test asked for it.
var made string

// TestMain removes the template.
func TestMain(m *testing.M) {
	code := pgtest.Main(m)
	if made != "" {
		_ = os.RemoveAll(made) // nothing depends on it
	}
	os.Exit(code)
}

func configuration(dir string) config.Config {
	return config.Config{PublicURL: issuer, DataDir: dir, KeyFile: filepath.Join(dir, "key")}.WithDefaults()
}

func options(c *clock) server.Options {
	return server.Options{Now: c.Now, Dev: true, InsecureCheapPasswords: true}
}

// provider starts a copy of the template.
func provider(t *testing.T, c *clock) (public, admin http.Handler) {
	t.Helper()
	return node(t, copied(t), c)
}

// copied returns the configuration of a copy of the template.
func copied(t *testing.T) config.Config {
	t.Helper()
	from, err := template()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "key"), 0o600); err != nil {
		t.Fatal(err)
	}
	return configuration(dir)
}

func node(t *testing.T, cfg config.Config, c *clock) (public, admin http.Handler) {
	t.Helper()
	s, err := server.New(t.Context(), cfg, options(c))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(fmt.Errorf("close: %w", err))
		}
	})
	return s.Handler(), s.AdminHandler()
}
