//go:build unix

package store_test

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/pgtest"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/store"
)

// TestMigrate_STO10_RowsOfBefore: a database with the rows of the release before there were
// registered clients, DPoP, devices and notices of logout. What was alive in it lives on, and
// what is new works with it.
func TestMigrate_STO10_RowsOfBefore(t *testing.T) {
	t.Parallel()
	for name, dsn := range map[string]string{"SQLite": "sqlite:" + filepath.Join(t.TempDir(), "old.db"), "PostgreSQL": pgtest.Database(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, err := store.Open(t.Context(), dsn, store.Options{RuleLifetime: time.Hour})
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(db.Rewind(t.Context(), 2), fillOld(t, db), db.Close()); err != nil {
				t.Fatal(err)
			}
			useUpgraded(t, openDSN(t, dsn, nil))
		})
	}
}

func oldHash(name string) []byte {
	h := secret.Hash("test", secret.NewText(name))
	return h[:]
}

// fillOld writes rows with the columns of then.
func fillOld(t *testing.T, db *store.DB) error {
	t.Helper()
	metadata, err := json.Marshal(idp.ClientMetadata{
		Name: "App", TokenEndpointAuthMethod: idp.AuthNone, RedirectURIs: []string{"https://app.example/cb"}, Scopes: []string{"openid"},
		GrantTypes: []string{idp.GrantAuthorizationCode, idp.GrantRefreshToken},
	})
	if err != nil {
		return err
	}
	at, soon, late := when.UnixMilli(), when.Add(time.Minute).UnixMilli(), when.Add(90*24*time.Hour).UnixMilli()
	return db.Verb(t.Context(), func(exec execFunc) error {
		const grant = `INSERT INTO grants (id, user_id, client_id, session_id, resource, scopes, auth_time, acr, amr, created_at, last_used_at, expires_at,
			refresh_handle, refresh_hash, refresh_generation, refresh_expires_at) VALUES ($1, 'u', 'app', $2, 'https://id.example', 'openid', $3, 'aal1', 'pwd', $3, $3, $4, $5, $6, $7, $8)`
		return errors.Join(
			exec(`INSERT INTO heads (name, seq, epoch) VALUES ('revocations', 0, 'r'), ('changes', 0, 'c')`),
			exec(`INSERT INTO users (id, username, username_canonical, password_hash, profile, groups, created_at, updated_at)
				VALUES ('u', 'ann', 'ann', 'a hash', '{}', '[]', $1, $1)`, at),
			exec(`INSERT INTO clients (id, metadata, created_at, updated_at) VALUES ('app', $1, $2, $2)`, string(metadata), at),
			exec(`INSERT INTO sessions (id, secret_hash, user_id, created_at, auth_time, acr, amr, last_seen_at, idle_expires_at, expires_at, ip, user_agent)
				VALUES ('s', $1, 'u', $2, $2, 'aal1', 'pwd', $2, $3, $3, '', '')`, oldHash("cookie"), at, late),
			exec(grant, "online", "s", at, late, oldHash("handle"), oldHash("token"), 1, late),
			exec(grant, "offline", nil, at, late, nil, nil, nil, nil),
			exec(grant, "next", "s", at, late, nil, nil, nil, nil),
			exec(`INSERT INTO codes (hash, grant_id, client_id, redirect_uri, code_challenge, expires_at)
				VALUES ($1, 'offline', 'app', 'https://app.example/cb', 'x', $2)`, oldHash("code"), soon),
			exec(`INSERT INTO auth_requests (id, browser_hash, client_id, network, parameters, created_at, expires_at)
				VALUES ('flow', $1, 'app', 'n', '{"r":"https://app.example/cb","sc":["openid"],"m":-1}', $2, $3)`, oldHash("browser"), at, soon),
		)
	})
}

func useUpgraded(t *testing.T, db *store.DB) {
	t.Helper()
	ctx, by := t.Context(), idp.Actor{Kind: "client", ID: "app"}
	must := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	c, err := db.Client(ctx, "app")
	must("client", err)
	if c.Origin != idp.OriginOperator || c.Name != "App" || !c.Public() {
		t.Errorf("client %+v", c)
	}
	s, _, err := db.Session(ctx, [32]byte(oldHash("cookie")), when)
	must("session", err)
	family, st, err := db.Refresh(ctx, [32]byte(oldHash("handle")), when)
	must("refresh token", err)
	if family.JKT != "" || !st.SessionLive || st.Grant.ID != "online" || s.ID != "s" {
		t.Errorf("family %+v of %+v", family, st)
	}
	must("key of an old refresh token", db.BindRefreshToken(ctx, family.HandleHash, family.CurrentHash, "key", when))
	code, _, err := db.Code(ctx, [32]byte(oldHash("code")), when)
	must("code", err)
	if code.JKT != "" {
		t.Errorf("code %+v", code)
	}
	must("an old code", db.RedeemCode(ctx, by, code.Hash, nil, when))
	browser := [32]byte(oldHash("browser"))
	flow, err := db.AuthRequest(ctx, "flow", browser, when)
	must("flow", err)
	if flow.OfDevice() || flow.PushedHash != ([32]byte{}) || flow.MaxAge != -1 {
		t.Errorf("flow %+v", flow)
	}
	g := idp.Grant{ID: "new", UserID: "u", ClientID: "app", Scopes: []string{"openid"}, AuthTime: when, ACR: "aal1", CreatedAt: when, ExpiresAt: when.Add(time.Hour)}
	must("an old flow", db.FinishAuthRequest(ctx, by, "flow", browser, idp.Approval{SessionID: "s"}, g,
		idp.Code{Hash: [32]byte{1}, GrantID: "new", ClientID: "app", ExpiresAt: when.Add(time.Minute)}, when))
	must("a pushed request", db.CreatePushedRequest(ctx, idp.PushedRequest{Hash: [32]byte{1}, ClientID: "app", ExpiresAt: when.Add(time.Minute)}, "app", 1, 1, when))
	must("a used id", db.UseOnce(ctx, "p", [32]byte{1}, when.Add(time.Minute), when))
	must("a device", db.CreateDeviceRequest(ctx, idp.DeviceRequest{ID: "d", ClientID: "app", SealedCode: []byte{1}, CreatedAt: when, ExpiresAt: when.Add(time.Minute)}, "n",
		idp.DeviceQuotas{PerNetwork: 1, PerClient: 1, Total: 10}, when))
	c.BackchannelLogoutURI = "https://app.example/logout"
	must("a new address", db.PutClient(ctx, by, c, when))
	must("logout", db.EndSession(ctx, by, "u", "s", when))
	if due, err := db.DueLogouts(ctx, "s", 10, when); err != nil || len(due) != 1 {
		t.Errorf("notices for %v, %v", due, err)
	}
	if _, err := db.Sweep(ctx, when.Add(time.Hour)); err != nil {
		t.Errorf("sweep: %v", err)
	}
}
