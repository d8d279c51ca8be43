package oauth_test

import (
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/oauth"
	"github.com/signet-id/signet/internal/revocation"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/jose"
)

// matrix is a world in which one of every kind is alive at this moment.
type matrix struct {
	*world
	w          *world
	stored     *sql.DB // another connection, to see what is stored
	tables     []string
	version    string            // of what was seen
	seen       map[string]string // table to its rows
	hub        *revocation.Hub
	signer     *jose.Signer // the key of the clients web and signs
	service    *verify.Verifier
	here       *browser // of ann
	leaving    *browser // of bob, who is about to log out
	flow       string   // a request of the browser here that waits for consent
	spare      string   // a code
	invitation string
	registered [2]registration

	forIssuer, forService string // bound tokens that proofs go with
}

func newMatrix(t *testing.T) *matrix {
	t.Helper()
	m := &matrix{}
	m.world = newWorld(t, func(c *oauth.Config) {
		c.Registration = oauth.RegistrationConfig{Mode: oauth.RegistrationToken}
		m.hub = c.Hub
	})
	m.w = m.world
	db, err := sql.Open("sqlite", "file:"+m.file+"?_busy_timeout=5000")
	m.must(err)
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1) // whose data_version tells whether others wrote
	m.stored = db
	for _, name := range m.rows("SELECT name FROM sqlite_master WHERE type = 'table'") {
		if !slices.Contains(notState, name) {
			m.tables = append(m.tables, strings.Trim(name, `["]`))
		}
	}
	m.signer = newSigner(t, jose.ES256, "k1")
	m.signing("signs", idp.OAuth21, m.signer)
	m.alter("own", func(c *idp.Client) { c.DPoPBound = true })
	m.alter("web", func(c *idp.Client) { c.JWKS = keySet(t, m.signer) })
	m.signing("mirror", idp.OAuth21, m.signer)
	m.alter("mirror", func(c *idp.Client) { c.JWKS = ours(m) })
	m.service, err = verify.New(issuer, calendar, verify.InsecureStaticKeys(m.keys.Keys()), verify.Clock(m.clock))
	m.must(err)

	invitation := secret.New(secret.Invitation)
	m.must(m.db.AddRegistrationToken(t.Context(), system(), idp.RegistrationToken{
		ID: "one", Hash: secret.Hash("registration_token", invitation), Profile: idp.OAuth21, UsesLeft: 5, ExpiresAt: m.clock().Add(time.Hour),
	}, m.clock()))
	m.invitation = invitation.Reveal()
	m.registered = [2]registration{m.register(), m.register()}

	m.here, m.leaving = m.signedIn(ann), m.signedIn(bob)
	m.leaving.get("/logout") // asks, and gives it a flow cookie
	m.spare = m.here.code(ask("web", "scope", "openid profile cal.read"), ann)
	m.here.code(askSigns(), ann) // agrees once
	m.forIssuer, m.forService = m.boundTo("web", "scope", "openid profile").json("access_token"), m.boundTo("web", "scope", "openid cal.read").json("access_token")
	m.flow = m.here.authorize(ask("web", "prompt", "consent")).query("flow")
	return m
}

// ours is a key set with the keys of the server, as a hostile client may register it.
func ours(m *matrix) []byte { return m.send("GET", "/jwks.json", nil).ok().Body.Bytes() }

// state is all that is stored, but for the log of what happened and the counts of tries.
func (m *matrix) state() map[string]string {
	m.t.Helper()
	version := strings.Join(m.rows("PRAGMA data_version"), "")
	if version == m.version {
		return m.seen
	}
	all := map[string]string{}
	for _, table := range m.tables {
		all[table] = strings.Join(m.rows("SELECT * FROM "+table), "\n")
	}
	m.version, m.seen = version, all
	return all
}

// notState does not count: what happened, how often, and how many of it there are.
var notState = []string{`["events"]`, `["attempts"]`, `["heads"]`}

// rows are those of a query, each as one text.
func (m *matrix) rows(query string) (list []string) {
	m.t.Helper()
	rows, err := m.stored.QueryContext(m.t.Context(), query)
	m.must(err)
	defer rows.Close()
	columns, err := rows.Columns()
	m.must(err)
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		m.must(rows.Scan(into...))
		list = append(list, fmt.Sprintf("%q", values))
	}
	m.must(rows.Err())
	slices.Sort(list)
	return list
}

// difference names a table whose rows differ; empty if there is none.
func difference(a, b map[string]string) string {
	for table := range a {
		if a[table] != b[table] {
			return table
		}
	}
	return ""
}

// TOK-01, TOK-09: every kind of token and secret, each real and alive, at every place that
// takes one. It is refused wherever it does not belong, with that place's refusal and no
// trace in the database; after all that, each is accepted wherever it belongs.
func TestMatrix_TOK01_TOK09_KindsTimesPlaces(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	places, values := tokenPlaces(), map[string]string{}
	for _, k := range tokenKinds {
		values[k.name] = k.make(m)
	}
	takes := belonging(t, places)
	m.opaque(values)
	values["empty part"], values["nothing that was ever made"] = "..", "x"

	before := m.state()
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, p := range places {
			if takes[p.name][name] {
				continue
			}
			if got := p.use(m, values[name]); !slices.Contains(p.refusals, got) {
				t.Errorf("%s at %s: %s, want %v", name, p.name, got, p.refusals)
			}
			now := m.state()
			if table := difference(before, now); table != "" {
				t.Errorf("%s at %s changed %s", name, p.name, table)
			}
			before = now
		}
	}
	used := map[string]bool{}
	for _, p := range places {
		for _, k := range tokenKinds {
			if !takes[p.name][k.name] {
				continue
			}
			if used[k.name] && k.once {
				values[k.name] = k.make(m)
			}
			used[k.name] = true
			if got := p.use(m, values[k.name]); got != accepted {
				t.Errorf("%s at %s: %s", k.name, p.name, got)
			}
		}
	}
}

// belonging is which kinds each place takes. Tables that contradict themselves are an error.
func belonging(t *testing.T, places []place) map[string]map[string]bool {
	t.Helper()
	takes := map[string]map[string]bool{}
	for _, p := range places {
		if takes[p.name] != nil || len(p.refusals) == 0 {
			t.Errorf("place %q stands there twice, or refuses nothing", p.name)
		}
		takes[p.name] = map[string]bool{}
	}
	for _, k := range tokenKinds {
		if (len(k.at) == 0) == (k.nowhere == "") {
			t.Errorf("%s: a kind has its places, or a reason why there is none", k.name)
		}
		for _, name := range k.at {
			if takes[name] == nil {
				t.Errorf("%s: no place %q", k.name, name)
				continue
			}
			takes[name][k.name] = true
		}
	}
	return takes
}

// withoutTokens are the routes that take none.
var withoutTokens = []string{
	"OPTIONS /token", "OPTIONS /par", "OPTIONS /device_authorization", "OPTIONS /revoke", "OPTIONS /userinfo", "OPTIONS /revocations", // preflights
	"POST /authorize", // as GET, by the same checks; a session is not looked at
	"GET /jwks.json", "GET /jwks-pq.json", "GET /.well-known/openid-configuration", "GET /.well-known/oauth-authorization-server",
	"GET /revocations", // public
}

// TestMatrix_TOK01_EveryRoute: a new endpoint says in the tables which tokens it takes.
func TestMatrix_TOK01_EveryRoute(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	known := map[string]bool{}
	for _, route := range withoutTokens {
		known[route] = true
	}
	for _, p := range tokenPlaces() {
		if p.route != "" {
			known[p.route] = true
		}
	}
	routes := m.endpoints.Patterns()
	for _, route := range routes {
		if !known[route] {
			t.Errorf("%s has no place in tokenPlaces and does not stand in withoutTokens", route)
		}
	}
	for route := range known {
		if !slices.Contains(routes, route) {
			t.Errorf("%s: no such route", route)
		}
	}
}
