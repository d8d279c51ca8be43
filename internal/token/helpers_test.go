package token_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/keyring"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/token"
	"github.com/signet-id/signet/verify/jose"
)

const (
	issuer   = "https://id.example.com"
	calendar = "https://calendar.example.com"
	userID   = "5BhWQ3rjQvGqEyPgPyc2vN"
)

var start = time.Date(2026, 11, 23, 12, 0, 0, 400e6, time.UTC)

// keyRows is a keyring's table in memory.
type keyRows struct {
	keyring.Store // nil: nothing else is asked for

	mu   sync.Mutex
	rows []idp.SigningKey
}

func (k *keyRows) SigningKeys(context.Context) ([]idp.SigningKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]idp.SigningKey(nil), k.rows...), nil
}

func (k *keyRows) AddSigningKey(_ context.Context, _ idp.Actor, key idp.SigningKey, _ bool, _ time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.rows = append(k.rows, key)
	return nil
}

// openRing makes new keys; RSA ones take their time, so most tests share sharedRing.
func openRing() (*keyring.Ring, *keyRows) {
	rows := &keyRows{}
	ring, err := keyring.Open(context.Background(), rows, keyring.Config{KEK: secret.Key()}, start)
	if err != nil {
		panic(err)
	}
	return ring, rows
}

var sharedRing = sync.OnceValue(func() *keyring.Ring {
	ring, _ := openRing()
	if err := ring.Need(context.Background(), jose.PS256, start); err != nil {
		panic(err)
	}
	return ring
})

func newIssuer() *token.Issuer {
	return token.New(token.Config{Issuer: issuer, Keys: sharedRing()})
}

// authorization is ann's, for friendly-scheduler at the calendar, bound to her session.
func authorization() token.Authorization {
	return token.Authorization{
		Grant: idp.Grant{
			ID: "grant-1", UserID: userID, ClientID: "friendly-scheduler", SessionID: "session-1",
			Nonce: "n-0S6_WzA2Mj", AuthTime: start.Add(-time.Hour), ACR: idp.ACRPassword, AMR: []string{idp.AMRPassword},
		},
		User:     idp.User{ID: userID, Username: "ann", Email: "ann@example.com", EmailVerified: true, Groups: []string{"staff"}},
		Client:   idp.Client{ID: "friendly-scheduler"},
		Audience: calendar,
		Resource: idp.Resource{ID: calendar, TokenFormat: "jwt"},
		Scopes:   []string{"calendar.freebusy:read", "calendar.meetings:write"},
	}
}

// clientAuthorization is a client's own (RFC 6749 §4.4).
func clientAuthorization() token.Authorization {
	return token.Authorization{
		Client: idp.Client{ID: "reports"}, Audience: calendar, Resource: idp.Resource{ID: calendar},
		Scopes: []string{"calendar.freebusy:read"},
	}
}

// issuerAuthorization is for the userinfo endpoint.
func issuerAuthorization() token.Authorization {
	a := authorization()
	a.Audience, a.Resource, a.Scopes = issuer, idp.Resource{}, []string{"openid", "email"}
	return a
}

func mustAccess(t testing.TB, i *token.Issuer, a token.Authorization) token.Access {
	t.Helper()
	acc, err := i.Access(a, start)
	if err != nil {
		t.Fatal(err)
	}
	return acc
}

func mustID(t testing.TB, i *token.Issuer, a token.Authorization, access string) string {
	t.Helper()
	tok, err := i.ID(a, access, start)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// decode returns header and payload of a token as text.
func decode(t testing.TB, tok string) (header, payload string) {
	t.Helper()
	parts := strings.Split(tok, ".")
	if len(parts) != 3 {
		t.Fatalf("%d parts", len(parts))
	}
	h, err1 := base64.RawURLEncoding.DecodeString(parts[0])
	p, err2 := base64.RawURLEncoding.DecodeString(parts[1])
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	return string(h), string(p)
}

func members(t testing.TB, tok string) map[string]any {
	t.Helper()
	_, payload := decode(t, tok)
	var m map[string]any
	if err := json.Unmarshal([]byte(payload), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// resign makes a token of any kind with a key of ours.
func resign(t testing.TB, alg jose.Algorithm, typ, payload string) string {
	t.Helper()
	signer, err := sharedRing().Signer(alg)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := signer.Sign(typ, []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	return tok
}
