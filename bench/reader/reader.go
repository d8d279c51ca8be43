// Package reader puts every library that reads tokens behind the same two functions,
// each set up as its manual says, with all checks that it knows: signature by the key
// that the token names, the algorithms of the issuer, type, issuer, audience and times.
package reader

import (
	"errors"

	"github.com/signet-id/signet/bench/issuer"
)

// Library is one way to check tokens.
type Library struct {
	Name string
	// Open sets a reader up for an issuer's tokens. alg is the algorithm that will be
	// measured; all keys of the issuer are known to the reader.
	Open func(i *issuer.Issuer, alg string) (*Reader, error)
}

// ErrNotAvailable says that a library does not have an algorithm.
var ErrNotAvailable = errors.New("algorithm not available")

// Reader is a library that is ready to check tokens.
type Reader struct {
	Verify func(token string) error          // what is measured: checks and decodes
	Read   func(token string) (Facts, error) // the same, and tells what it has read
	Close  func()                            // may be nil
}

// Facts is what a reader says that a token says. Times are unix seconds, 0 if missing.
type Facts struct {
	Issuer, Subject, ID, ClientID  string
	SessionID, GrantID, ACR, Scope string
	Audience, AMR                  []string
	IssuedAt, ExpiresAt            int64
	NotBefore, AuthTime            int64
	Groups, Roles                  []string
	Bound                          bool // has a "cnf"
}

// extra are the claims that libraries do not know by themselves, as an application
// would declare them.
type extra struct {
	ClientID  string         `json:"client_id"`
	SessionID string         `json:"sid"`
	GrantID   string         `json:"grant_id"`
	Scope     string         `json:"scope"`
	ACR       string         `json:"acr"`
	AMR       []string       `json:"amr"`
	Groups    []string       `json:"groups"`
	Roles     []string       `json:"roles"`
	AuthTime  int64          `json:"auth_time"`
	Cnf       map[string]any `json:"cnf"`
}

// addTo fills in the rest of the facts.
func (e *extra) addTo(f Facts) Facts {
	f.ClientID, f.SessionID, f.GrantID, f.Scope, f.ACR = e.ClientID, e.SessionID, e.GrantID, e.Scope, e.ACR
	f.AMR, f.Groups, f.Roles, f.AuthTime, f.Bound = e.AMR, e.Groups, e.Roles, e.AuthTime, e.Cnf != nil
	return f
}

// The type of access tokens (RFC 9068 §2.1), and what is said of others.
const accessToken = "at+jwt"

var (
	errType  = errors.New("wrong typ")
	errKey   = errors.New("unknown kid")
	errNoExp = errors.New("no exp")
	errForm  = errors.New("a claim of another form")
)

// leeway is what all libraries get that can have one: 60 s.
const leeway = 60

// Others are the libraries that ours is compared with.
func Others() []Library { return []Library{GolangJWT, GoJOSE, JWX, GoOIDC, Kataras} }
