// Package token makes what signet hands out: access tokens (RFC 9068), ID tokens
// (OpenID Connect Core §2) and refresh tokens, and reads its own ones back.
//
// A token says nothing that is not in the authorization it was made from. The claims
// are written one by one in a fixed order; there is no map of claims, so no
// configuration and no user can override one.
//
// It deliberately decides neither who may have a token nor which scopes: the grants of
// package oauth do. It keeps nothing: an access token leaves no row in the database.
package token

import (
	"cmp"
	"fmt"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/verify/jose"
)

// The "typ" of each kind of token keeps one kind from being taken for another
// (RFC 8725 §3.11).
const (
	typeAccess = "at+jwt" // RFC 9068 §2.1
	typeID     = "JWT"
)

// Keys is what the issuer needs of the keyring.
type Keys interface {
	Signer(alg jose.Algorithm) (*jose.Signer, error)
	Keys() *jose.KeySet
	// Hints are Keys and those that verify nothing but id_token_hint any more.
	Hints() *jose.KeySet
}

// Config is what an issuer is told.
type Config struct {
	Issuer         string
	Keys           Keys
	AccessLifetime time.Duration // of resources that have none of their own; 5 minutes if zero
	IDLifetime     time.Duration // 5 minutes if zero
	// MaxLifetime bounds what a resource asks for. The store forgets revocations
	// after it, so a token must not live longer. AccessLifetime if zero.
	MaxLifetime time.Duration
}

const (
	defaultLifetime = 5 * time.Minute
	// maxAhead is how far in the future a token may be dated. Verifiers allow 60 s;
	// rules reach 2 s. More means that a clock is wrong.
	maxAhead = 30 * time.Second
	// maxToken is what verifiers accept.
	maxToken = 16 << 10
)

// Issuer makes and reads tokens. It may be used by many goroutines.
type Issuer struct{ cfg Config }

// New makes an issuer.
func New(cfg Config) *Issuer {
	cfg.AccessLifetime = cmp.Or(cfg.AccessLifetime, defaultLifetime)
	cfg.IDLifetime = cmp.Or(cfg.IDLifetime, defaultLifetime)
	cfg.MaxLifetime = cmp.Or(cfg.MaxLifetime, cfg.AccessLifetime)
	return &Issuer{cfg}
}

// Authorization is what tokens are made from: who allowed whom to do what, where.
type Authorization struct {
	Grant    idp.Grant // zero with client_credentials: the client acts for itself
	User     idp.User  // zero with client_credentials
	Client   idp.Client
	Audience string       // the resource's ID, or the issuer
	Resource idp.Resource // zero if the audience is the issuer
	Scopes   []string     // those of the audience; not all of the grant
	Groups   []string     // told to the audience; mostly none
	JKT      string       // thumbprint of the DPoP key that the access token is bound to; empty: a bearer token
	// NotBefore is the time that the tokens must be dated after, or a rule against the
	// client's older ones would name them too; zero nearly always. It must have been known
	// before the client was looked at: a client that was disabled since gets a token that
	// the rule does name.
	NotBefore time.Time
}

// forClient reports whether there is no user.
func (a Authorization) forClient() bool { return a.Grant.ID == "" }

// check refuses authorizations that do not fit together. Nothing that a client sends
// leads here; what does would make a token in the wrong name.
func (a Authorization) check(issuer string) error {
	audience := cmp.Or(a.Resource.ID, issuer)
	switch {
	case a.Client.ID == "":
		return invalid("no client")
	case a.Client.Disabled() || a.User.Disabled() || !a.Grant.RevokedAt.IsZero():
		return fmt.Errorf("client, user or grant has ended: %w", idp.ErrDenied)
	case a.Audience == "" || a.Audience != audience:
		return invalid("audience is not the resource")
	case cmp.Or(a.Resource.TokenFormat, "jwt") != "jwt":
		return invalid("token format of the resource")
	case a.JKT == "" && a.Client.RequiresDPoP():
		return invalid("no key for a client whose tokens are bound to one") // RFC 9449 §5.2
	case a.forClient() && a.User.ID != "":
		return invalid("user without a grant")
	case a.forClient():
		return CheckClientID(a.Client.ID)
	case a.Grant.UserID != a.User.ID || a.Grant.ClientID != a.Client.ID:
		return invalid("grant of another user or client")
	}
	return checkUserID(a.User.ID)
}

// subject is who the token is about.
func (a Authorization) subject() string {
	if a.forClient() {
		return a.Client.ID // RFC 9068 §2.2
	}
	return a.User.ID
}

// issuedAt is the "iat" of a new token: now, or the first second that no rule against
// the client's older tokens reaches. Only iat moves; a token ends no later for it.
func (a Authorization) issuedAt(now time.Time) (int64, error) {
	iat := now.Unix()
	if !a.NotBefore.IsZero() {
		iat = max(iat, a.NotBefore.Unix()+1)
	}
	if iat > now.Add(maxAhead).Unix() {
		return 0, fmt.Errorf("a revocation reaches too far into the future: %w", idp.ErrUnavailable)
	}
	return iat, nil
}

// sign finishes a token.
func sign(s *jose.Signer, typ string, c claims) (string, error) {
	payload, err := c.end()
	if err != nil {
		return "", err
	}
	tok, err := s.Sign(typ, payload)
	if err != nil {
		return "", err
	}
	if len(tok) > maxToken {
		return "", invalid("longer than verifiers accept")
	}
	return tok, nil
}

func invalid(what string) error { return fmt.Errorf("%s: %w", what, idp.ErrInvalid) }
