package verify

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/signet-id/signet/verify/internal/strictjson"
	"github.com/signet-id/signet/verify/jose"
)

// Claims is what a verified access token says (RFC 9068 §2.2). Members that a token
// need not have are empty when it has none. Requests with the same token may share one
// Claims: it is to be read, not to be changed. Its texts are parts of one string.
type Claims struct {
	Issuer    string // "iss"
	Subject   string // "sub": a user, or the client itself with client_credentials
	Audience  string // "aud": always exactly one
	ID        string // "jti"
	ClientID  string // "client_id": the app that asks
	SessionID string // "sid": the login that it came from; empty for offline access
	GrantID   string // "grant_id": the authorization that it came from
	ACR       string // how well the person was authenticated
	AMR       []string
	Scopes    []string
	Groups    []string
	Roles     []string
	IssuedAt  time.Time
	ExpiresAt time.Time
	NotBefore time.Time // zero if there is none
	AuthTime  time.Time // zero if there is none
	// Confirmation is the key that the token is bound to: zero for a bearer token.
	Confirmation Confirmation
	KeyID        string // "kid" of the key that signed it; set by Verify
}

// Confirmation is the "cnf" of a token (RFC 7800 §3.1): whoever presents the token must
// prove that they hold this key, or it is as good as any stolen one.
type Confirmation struct {
	JKT         string // "jkt": RFC 7638 thumbprint of the DPoP key (RFC 9449 §6.1)
	Certificate string // "x5t#S256": SHA-256 of the TLS client certificate (RFC 8705 §3.1)
}

// HasScope reports whether the token carries the scope.
func (c *Claims) HasScope(scope string) bool { return slices.Contains(c.Scopes, scope) }

type claimsKey struct{}

// FromContext returns the claims of the request's token, inside a handler that Require
// protects.
func FromContext(ctx context.Context) (*Claims, bool) {
	c, ok := ctx.Value(claimsKey{}).(*Claims)
	return c, ok
}

// ParseClaims reads the payload of an access token: strictly, with all members that RFC
// 9068 §2.2 requires. It compares nothing: neither issuer nor audience nor times.
// Nor does it ask for proof of the key that a token may be bound to (Confirmation). A way
// of binding that is not known is ErrBound: nobody could check it.
func ParseClaims(payload []byte) (*Claims, error) {
	c, have := &Claims{}, present(0)
	err := strictjson.Object(payload, func(name, value []byte) error {
		return c.member(&have, name, value)
	})
	switch {
	case errors.Is(err, ErrBound):
		return nil, ErrBound
	case err != nil:
		return nil, wrong(ErrMalformed, "claims", err.Error())
	}
	if missing := have.missing(hasIssuer, hasSubject, hasAudience, hasID, hasClientID, hasIssuedAt, hasExpiresAt); missing != "" {
		return nil, wrong(ErrMalformed, missing, "missing")
	}
	if !c.ExpiresAt.After(c.IssuedAt) {
		return nil, wrong(ErrMalformed, "exp", "not after iat")
	}
	return c, nil
}

// member reads one claim. Names match byte for byte: "Exp" is not "exp".
func (c *Claims) member(have *present, name, value []byte) (err error) {
	switch string(name) {
	case "iss":
		err = have.text(hasIssuer, &c.Issuer, value)
	case "sub":
		err = have.text(hasSubject, &c.Subject, value)
	case "aud":
		err = have.text(hasAudience, &c.Audience, value) // a list, even of one, is refused
	case "jti":
		err = have.text(hasID, &c.ID, value)
	case "client_id":
		err = have.text(hasClientID, &c.ClientID, value)
	case "iat":
		err = have.time(hasIssuedAt, &c.IssuedAt, value)
	case "exp":
		err = have.time(hasExpiresAt, &c.ExpiresAt, value)
	case "nbf":
		err = have.time(0, &c.NotBefore, value)
	case "auth_time":
		err = have.time(0, &c.AuthTime, value)
	case "sid":
		err = have.text(0, &c.SessionID, value)
	case "grant_id":
		err = have.text(0, &c.GrantID, value)
	case "acr":
		err = have.text(0, &c.ACR, value)
	case "amr":
		c.AMR, err = strictjson.Strings(value)
	case "groups":
		c.Groups, err = strictjson.Strings(value)
	case "roles":
		c.Roles, err = strictjson.Strings(value)
	case "scope":
		c.Scopes, err = parseScope(value)
	case "cnf":
		return c.Confirmation.parse(value)
	}
	return named(name, err)
}

// parse reads a "cnf" of exactly one member that is known. RFC 7800 §3.1 allows only one
// key to be confirmed.
func (c *Confirmation) parse(value []byte) error {
	members := 0
	err := strictjson.Object(value, func(name, value []byte) (err error) {
		members++
		var hash string
		if hash, err = strictjson.String(value); err != nil || !jose.IsThumbprint(hash) {
			return ErrBound
		}
		switch string(name) {
		case "jkt":
			c.JKT = hash
		case "x5t#S256":
			c.Certificate = hash
		default:
			return ErrBound
		}
		return nil
	})
	if err != nil || members != 1 {
		return ErrBound
	}
	return nil
}

// named says which member an error is about. Only names that have a meaning here get
// into errors, so nothing of the input is echoed.
func named(name []byte, err error) error {
	if err == nil {
		return nil
	}
	return errors.New(string(name) + ": " + err.Error())
}

// present notes which required members a document has.
type present uint

const (
	hasIssuer present = 1 << iota
	hasSubject
	hasAudience
	hasID
	hasClientID
	hasIssuedAt
	hasExpiresAt
)

var presentNames = map[present]string{
	hasIssuer: "iss", hasSubject: "sub", hasAudience: "aud", hasID: "jti",
	hasClientID: "client_id", hasIssuedAt: "iat", hasExpiresAt: "exp",
}

// missing returns the name of the first required member that is not there.
func (p present) missing(required ...present) string {
	for _, r := range required {
		if p&r == 0 {
			return presentNames[r]
		}
	}
	return ""
}

var (
	errEmpty = errors.New("empty")
	errTime  = errors.New("out of range")
	errScope = errors.New("not a list of scopes")
)

// text reads a string that says something.
func (p *present) text(flag present, dst *string, value []byte) error {
	s, err := strictjson.String(value)
	if err == nil && s == "" {
		err = errEmpty
	}
	*dst, *p = s, *p|flag
	return err
}

// maxTime is the end of the year 9999: later times overflow in other programs.
const maxTime = 253402300799

// time reads a NumericDate that is written as an integer (RFC 7519 §2 would allow a
// fraction; readers round it differently).
func (p *present) time(flag present, dst *time.Time, value []byte) error {
	n, err := strictjson.Int(value)
	if err == nil && (n < 0 || n > maxTime) {
		err = errTime
	}
	*dst, *p = time.Unix(n, 0).UTC(), *p|flag
	return err
}

// parseScope reads a list of scopes with one space between them (RFC 6749 §3.3).
func parseScope(value []byte) ([]string, error) {
	s, err := strictjson.String(value)
	if err != nil {
		return nil, err
	}
	scopes := strings.Split(s, " ")
	for _, scope := range scopes {
		if !validScope(scope) {
			return nil, errScope
		}
	}
	return scopes, nil
}

// validScope: scope-token of RFC 6749 §3.3.
func validScope(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x21 || c > 0x7E || c == '"' || c == '\\' {
			return false
		}
	}
	return s != ""
}
