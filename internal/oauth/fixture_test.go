package oauth_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/authn"
	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/keyring"
	"github.com/signet-id/signet/internal/oauth"
	"github.com/signet-id/signet/internal/revocation"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/session"
	"github.com/signet-id/signet/internal/store"
	"github.com/signet-id/signet/internal/token"
	"github.com/signet-id/signet/verify/jose"
)

const (
	issuer   = "https://id.example"
	calendar = "https://calendar.example"
	mail     = "https://mail.example/api"

	webURI    = "https://app.example/cb"
	legacyURI = "https://legacy.example/cb?tenant=1&x=y"
	otherURI  = "https://other.example/cb"
	spaURI    = "https://spa.example/cb"
	ownURI    = "https://own.example/cb"
	nativeURI = "http://127.0.0.1/cb"
	schemeURI = "com.example.app:/cb"
	byeURI    = "https://app.example/bye?from=signet"

	verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636 Appendix B
)

var challenge = s256(verifier)

func s256(v string) string {
	sum := sha256.Sum256([]byte(v))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// ring is one set of signing keys for all tests: making RSA keys takes its time.
var ring = sync.OnceValue(func() *keyring.Ring {
	ctx, now := context.Background(), time.Now()
	dir, err := os.MkdirTemp("", "signet-keys")
	check(err)
	defer os.RemoveAll(dir)
	db, err := store.Open(ctx, "sqlite:"+filepath.Join(dir, "keys.db"), store.Options{RuleLifetime: time.Hour})
	check(err)
	r, err := keyring.Open(ctx, db, keyring.Config{KEK: [32]byte{1}}, now)
	check(err)
	check(r.Need(ctx, jose.MLDSA65, now))
	check(db.Close())
	return r
})

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// world is a provider with its database, and a clock that tests turn.
type world struct {
	t testing.TB
	*provider
}

// in returns the same world for a subtest.
func (w *world) in(t *testing.T) *world {
	t.Helper()
	return &world{t, w.provider}
}

type provider struct {
	db        *store.DB
	sessions  *session.Manager
	tokens    *token.Issuer
	codes     *authn.UserCodes
	endpoints *oauth.Endpoints
	mux       *http.ServeMux
	handler   http.Handler // with what the server puts around it
	pages     *pages
	notifier  notifier
	keys      *brittle
	file      string
	change    []func(*oauth.Config)

	mu  sync.Mutex
	now time.Time
}

// people and the secrets of the confidential clients.
var (
	ann = secret.ID()
	bob = secret.ID()

	secrets = map[string]string{
		"web": "s3cr3t of web: 100% + more", "legacy": "legacy secret", "other": "other secret", "own": "own secret",
		"robot": "robot secret", "narrow": "narrow secret", "codeonly": "codeonly secret", "box": "box secret",
	}
)

func system() idp.Actor { return idp.Actor{Kind: "system", ID: "test"} }

func newWorld(t testing.TB, change ...func(*oauth.Config)) *world {
	t.Helper()
	w := &world{t, &provider{
		now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), pages: &pages{}, keys: &brittle{Ring: ring()},
		file: filepath.Join(t.TempDir(), "signet.db"), change: change,
	}}
	w.start()
	t.Cleanup(func() { _ = w.db.Close() })
	w.seed()
	return w
}

// start makes everything anew on the database file.
func (w *world) start() {
	w.t.Helper()
	db, err := store.Open(w.t.Context(), "sqlite:"+w.file, store.Options{RuleLifetime: time.Hour})
	w.must(err)
	w.db = db
	cfg := oauth.Config{
		Issuer: issuer, NonceKey: [32]byte{7}, Store: db, Directory: store.NewDirectory(db), Keys: w.keys, Pages: w.pages, Logouts: &w.notifier, Now: w.clock, Log: slog.New(slog.DiscardHandler),
		Devices: oauth.Devices{Key: [32]byte{7}},
		Hub:     revocation.NewHub(db, func() (*jose.Signer, error) { return w.keys.Signer(jose.EdDSA) }, revocation.Config{Issuer: issuer, Now: w.clock}),
	}
	for _, f := range w.provider.change {
		f(&cfg)
	}
	w.sessions = session.New(db, session.Lifetimes{}, w.clock)
	w.codes = authn.NewUserCodes(db, cfg.Devices.Key, w.clock)
	w.tokens = token.New(token.Config{Issuer: cfg.Issuer, Keys: w.keys, MaxLifetime: time.Hour})
	cfg.Sessions, cfg.Tokens = w.sessions, w.tokens
	w.endpoints, err = oauth.New(cfg)
	w.must(err)
	w.mux = http.NewServeMux()
	w.endpoints.Register(w.mux)
	w.handler = edge.Middleware(edge.Config{Log: cfg.Log, Now: w.clock})(w.mux)
}

// restart is what a new process sees.
func (w *world) restart() {
	w.t.Helper()
	w.must(w.db.Close())
	w.start()
}

func (w *provider) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *provider) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) seed() {
	w.t.Helper()
	ctx, now := w.t.Context(), w.clock()
	for _, u := range []idp.User{person(ann, "ann"), person(bob, "bob")} {
		w.must(w.db.CreateUser(ctx, system(), u, "hash", now))
	}
	text := map[string]string{"en": "text"}
	for _, r := range []idp.Resource{
		{ID: calendar, Name: "Calendar", Scopes: []idp.Scope{{Name: "cal.read", Title: text}, {Name: "cal.write", Title: text}}},
		{ID: mail, Name: "Mail", Alg: "ES256", AccessTokenLifetime: 2 * time.Minute, Scopes: []idp.Scope{{Name: "mail.read", Title: text}}},
	} {
		w.must(w.db.PutResource(ctx, system(), r, now))
	}
	for _, c := range clients() {
		w.must(w.db.PutClient(ctx, system(), c, now))
	}
}

func person(id, name string) idp.User {
	return idp.User{
		ID: id, Username: name, Email: name + "@example.com", EmailVerified: name == "ann", Groups: []string{"staff", "book-club"},
		Profile: idp.Profile{
			Name: strings.ToUpper(name[:1]) + name[1:] + " Example", GivenName: name, FamilyName: "Example", MiddleName: "M", Nickname: "nick",
			Profile: "https://example.com/" + name, Picture: "https://example.com/" + name + ".png", Website: "https://example.com",
			Gender: "female", Birthdate: "1990-05-14", Zoneinfo: "Europe/Berlin", Locale: "en-GB",
			PhoneNumber: "+493023125000", PhoneNumberVerified: true, Address: &idp.Address{Country: "Germany"},
		},
	}
}

// clients: web is third-party and confidential; own is first-party; spa and native are public.
func clients() []idp.Client {
	code := []string{idp.GrantAuthorizationCode, idp.GrantRefreshToken}
	all := append([]string{"cal.read", "cal.write", "mail.read"}, idp.IssuerScopes[:]...)
	list := []idp.Client{
		{ID: "web", ClientMetadata: idp.ClientMetadata{
			Name: "Web", TokenEndpointAuthMethod: idp.AuthBasic, RedirectURIs: []string{webURI, "https://app.example/two"},
			PostLogoutRedirectURIs: []string{byeURI}, GrantTypes: append([]string{idp.GrantClientCredentials}, code...), Scopes: all,
			Origins: []string{"https://app.example"},
		}},
		{ID: "legacy", ClientMetadata: idp.ClientMetadata{
			Name: "Legacy", TokenEndpointAuthMethod: idp.AuthPost, Profile: idp.OIDC, RedirectURIs: []string{legacyURI}, GrantTypes: code, Scopes: all,
		}},
		{ID: "other", ClientMetadata: idp.ClientMetadata{
			Name: "Other", TokenEndpointAuthMethod: idp.AuthBasic, RedirectURIs: []string{otherURI, webURI}, GrantTypes: code, Scopes: all,
			PostLogoutRedirectURIs: []string{"https://other.example/bye"},
		}},
		{ID: "own", ClientMetadata: idp.ClientMetadata{
			Name: "Own", FirstParty: true, TokenEndpointAuthMethod: idp.AuthBasic, RedirectURIs: []string{ownURI}, GrantTypes: code, Scopes: all,
			PostLogoutRedirectURIs: []string{"https://own.example/bye"},
		}},
		{ID: "spa", ClientMetadata: idp.ClientMetadata{
			Name: "SPA", TokenEndpointAuthMethod: idp.AuthNone, RedirectURIs: []string{spaURI}, GrantTypes: code, Scopes: all,
			Origins: []string{"https://spa.example", "null"},
		}},
		{ID: "native", ClientMetadata: idp.ClientMetadata{
			Name: "Native", ApplicationType: "native", TokenEndpointAuthMethod: idp.AuthNone, GrantTypes: code, Scopes: all,
			RedirectURIs: []string{nativeURI, "http://[::1]/cb", "http://localhost/cb", schemeURI, "https://claimed.example/cb"},
		}},
		{ID: "robot", ClientMetadata: idp.ClientMetadata{
			Name: "Robot", TokenEndpointAuthMethod: idp.AuthBasic, GrantTypes: []string{idp.GrantClientCredentials}, Scopes: []string{"cal.read", "cal.write"},
		}},
		{ID: "narrow", ClientMetadata: idp.ClientMetadata{
			Name: "Narrow", TokenEndpointAuthMethod: idp.AuthBasic, RedirectURIs: []string{"https://narrow.example/cb"}, GrantTypes: code, Scopes: []string{"openid"},
		}},
		{ID: "codeonly", ClientMetadata: idp.ClientMetadata{
			Name: "Code only", TokenEndpointAuthMethod: idp.AuthBasic, RedirectURIs: []string{"https://codeonly.example/cb"},
			GrantTypes: []string{idp.GrantAuthorizationCode}, Scopes: all,
		}},
	}
	device := []string{idp.GrantDeviceCode, idp.GrantRefreshToken}
	list = append(list,
		idp.Client{ID: "tv", ClientMetadata: idp.ClientMetadata{
			Name: "TV", ApplicationType: "native", TokenEndpointAuthMethod: idp.AuthNone, GrantTypes: device, Scopes: all,
		}},
		idp.Client{ID: "box", ClientMetadata: idp.ClientMetadata{
			Name: "Box", FirstParty: true, TokenEndpointAuthMethod: idp.AuthBasic, GrantTypes: device[:1], Scopes: all,
		}},
	)
	for i := range list {
		c := &list[i]
		if c.ApplicationType == "" {
			c.ApplicationType = "web"
		}
		if c.Profile == "" {
			c.Profile = idp.OAuth21
		}
		if key, ok := secrets[c.ID]; ok {
			c.SecretHash = secret.Hash("client_secret", secret.NewText(key))
		}
	}
	return list
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// alter changes a stored client.
func (w *world) alter(id string, f func(*idp.Client)) {
	w.t.Helper()
	c, err := w.db.Client(w.t.Context(), id)
	w.must(err)
	f(&c)
	w.must(w.db.PutClient(w.t.Context(), system(), c, w.clock()))
}

// brittle are keys whose signers can be taken away.
type brittle struct {
	*keyring.Ring
	broken bool
}

func (b *brittle) Signer(alg jose.Algorithm) (*jose.Signer, error) {
	if b.broken {
		return nil, fmt.Errorf("signer: %w", idp.ErrUnavailable)
	}
	return b.Ring.Signer(alg)
}

// pages notes what would have been shown, as JSON.
type pages struct{}

func (p *pages) Error(w http.ResponseWriter, _ *http.Request, status int, problem oauth.Problem) {
	p.show(w, status, "error", problem)
}

func (p *pages) LogoutConfirm(w http.ResponseWriter, _ *http.Request, q oauth.LogoutQuestion) {
	p.show(w, http.StatusOK, "logout-confirm", q)
}

func (p *pages) LoggedOut(w http.ResponseWriter, _ *http.Request, f oauth.Farewell) {
	p.show(w, http.StatusOK, "logged-out", f)
}

// notifier notes which sessions' clients were told.
type notifier struct {
	mu   sync.Mutex
	told []string
}

func (n *notifier) Deliver(_ context.Context, sid string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.told = append(n.told, sid)
}

func (p *pages) DeviceAnswered(w http.ResponseWriter, _ *http.Request, a oauth.DeviceAnswer) {
	p.show(w, http.StatusOK, "device-answered", a)
}

func (p *pages) FormPost(w http.ResponseWriter, _ *http.Request, f oauth.FormPost) {
	p.show(w, http.StatusOK, "form-post", f)
}

func (p *pages) show(w http.ResponseWriter, status int, name string, content any) {
	doc, err := json.Marshal(content)
	check(err)
	w.Header().Set("Content-Type", "text/html")
	w.Header().Set("X-Page", name)
	w.WriteHeader(status)
	_, _ = w.Write(doc)
}
