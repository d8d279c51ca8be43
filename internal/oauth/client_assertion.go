package oauth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/clientkey"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/verify/jose"
)

// assertionType is the one kind of client assertion (RFC 7523 §2.2).
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

const (
	maxAssertion     = 8 << 10
	maxJTI           = 256
	assertionLife    = 5 * time.Minute  // the longest that is remembered
	assertionLeeway  = 30 * time.Second // for clocks: FAPI 2.0 §5.3.2.1 asks for 10 to 60
	assertionPurpose = "client_assertion "
)

// assertionStore is what client assertions need of the database.
type assertionStore interface {
	UseOnce(ctx context.Context, purpose string, id [32]byte, expiresAt, now time.Time) error
	TokenRevoked(ctx context.Context, n idp.TokenNames, now time.Time) (bool, error)
}

// clientKeys verifies what clients sign: clientkey.Cache.
type clientKeys interface {
	Verify(ctx context.Context, client idp.Client, rsa jose.Algorithm, tok, typ string) (payload []byte, key *jose.Key, err error)
}

// assertions checks private_key_jwt (RFC 7523 §3, OpenID Connect Core §9, RFC 10070).
type assertions struct {
	issuer string
	keys   clientKeys
	store  assertionStore
}

// fromAssertion reads who an assertion says it is from. Nothing is proven yet.
func fromAssertion(form url.Values) (credentials, error) {
	given := credentials{assertion: form.Get("client_assertion"), method: idp.AuthPrivateKeyJWT}
	if form.Get("client_assertion_type") != assertionType {
		return credentials{}, refuse(InvalidClient, "client_assertion_type must be "+assertionType)
	}
	if len(given.assertion) > maxAssertion {
		return credentials{}, refuse(InvalidClient, "client_assertion is too long")
	}
	_, rest, _ := strings.Cut(given.assertion, ".")
	segment, _, _ := strings.Cut(rest, ".")
	c, err := parseAssertion(decodeSegment(segment))
	if err != nil || c.Subject == "" || len(c.Subject) > maxClientID {
		return credentials{}, refuse(InvalidClient, "client_assertion is no JWT with the client's id as sub")
	}
	given.id = c.Subject
	// A name in the body is no second method, if it is the same one (RFC 7521 §4.2).
	if id := form.Get("client_id"); id != "" && id != given.id {
		return credentials{}, refuse(InvalidRequest, "client_id differs from the authenticated client")
	}
	return given, nil
}

func decodeSegment(s string) []byte {
	doc, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return nil
	}
	return doc
}

// assertionClaims are those of RFC 7523 §3. Members are only those with exactly these names.
type assertionClaims struct {
	Issuer, Subject, ID string
	Audience            []string
	audienceIsList      bool
	ExpiresAt           time.Time
	IssuedAt, NotBefore time.Time // zero if there is none
}

var errAssertion = errors.New("client assertion")

// parseAssertion reads a payload strictly: names match byte for byte, none stands there
// twice, and numbers are whole.
func parseAssertion(doc []byte) (c assertionClaims, err error) {
	if err := jose.CheckObject(doc); err != nil {
		return c, fmt.Errorf("%w: %w", errAssertion, err)
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(doc, &m); err != nil {
		return c, fmt.Errorf("%w: no object", errAssertion)
	}
	for name, into := range map[string]any{
		"iss": &c.Issuer, "sub": &c.Subject, "jti": &c.ID, "exp": asSeconds{&c.ExpiresAt}, "iat": asSeconds{&c.IssuedAt}, "nbf": asSeconds{&c.NotBefore},
	} {
		value, there := m[name]
		if !there {
			continue
		}
		if s, ok := into.(asSeconds); ok {
			err = s.read(value)
		} else if string(value) == "null" {
			err = errAssertion
		} else {
			err = json.Unmarshal(value, into)
		}
		if err != nil {
			return c, fmt.Errorf("%w: %s", errAssertion, name)
		}
	}
	if aud := m["aud"]; len(aud) > 0 && aud[0] == '[' {
		c.audienceIsList = true
		err = json.Unmarshal(aud, &c.Audience)
	} else {
		c.Audience = make([]string, 1)
		err = json.Unmarshal(aud, &c.Audience[0])
	}
	if err != nil {
		return c, fmt.Errorf("%w: aud", errAssertion)
	}
	return c, nil
}

// asSeconds reads a NumericDate that is a whole number (RFC 7519 §2).
type asSeconds struct{ into *time.Time }

func (a asSeconds) read(value json.RawMessage) error {
	var n int64
	if err := json.Unmarshal(value, &n); err != nil || n <= 0 || n > 253402300799 || string(value) == "null" {
		return errAssertion
	}
	*a.into = time.Unix(n, 0)
	return nil
}

// check proves that the client made the assertion, for us, now, and for the first time.
// The last is asked last: what is refused for another reason is not used up.
func (a *assertions) check(ctx context.Context, c idp.Client, assertion string, now time.Time) error {
	typ, err := assertionKind(assertion)
	if err != nil {
		return err
	}
	payload, key, err := a.keys.Verify(ctx, c, clientkey.RSA(c.Profile, c.TokenEndpointAuthAlg), assertion, typ)
	if err != nil {
		return fmt.Errorf("%w: %w", errAssertion, err)
	}
	if !allowedAlg(c, key.Algorithm()) {
		return fmt.Errorf("%w: signed with %s, which is not what the client is registered for", errAssertion, key.Algorithm())
	}
	claims, err := parseAssertion(payload)
	if err != nil {
		return err
	}
	if err := a.checkClaims(c, claims, now); err != nil {
		return err
	}
	return a.once(ctx, c, claims, now)
}

// assertionKind returns the header's typ, if it is one that a client assertion may have: the
// one of RFC 10070 §4, the one that older clients send, or none.
func assertionKind(assertion string) (string, error) {
	segment, _, _ := strings.Cut(assertion, ".")
	doc := decodeSegment(segment)
	var m map[string]json.RawMessage
	if jose.CheckObject(doc) != nil || json.Unmarshal(doc, &m) != nil {
		return "", fmt.Errorf("%w: header", errAssertion)
	}
	value, there := m["typ"]
	if !there {
		return "", nil
	}
	var typ string
	if err := json.Unmarshal(value, &typ); err != nil || typ != "JWT" && typ != "client-authentication+jwt" {
		return "", fmt.Errorf("%w: typ", errAssertion)
	}
	return typ, nil
}

// allowedAlg: the one that the client is registered for, else any of its profile. The two
// names of Ed25519 are one algorithm.
func allowedAlg(c idp.Client, alg jose.Algorithm) bool {
	one := func(a jose.Algorithm) jose.Algorithm {
		if a == jose.Ed25519 {
			return jose.EdDSA
		}
		return a
	}
	if want := jose.Algorithm(c.TokenEndpointAuthAlg); want != "" && one(alg) != one(want) {
		return false
	}
	return slices.Contains(clientkey.Algorithms(c.Profile), alg)
}

func (a *assertions) checkClaims(c idp.Client, claims assertionClaims, now time.Time) error {
	problem := ""
	switch {
	case claims.Issuer != c.ID || claims.Subject != c.ID:
		problem = "iss and sub are not the client's id"
	case !a.forUs(c, claims):
		problem = "aud is not this issuer alone"
	case claims.ID == "" || len(claims.ID) > maxJTI:
		problem = "no jti of 1 to 256 bytes"
	case claims.ExpiresAt.IsZero() || !now.Before(claims.ExpiresAt.Add(assertionLeeway)):
		problem = "no exp, or expired"
	case claims.ExpiresAt.After(now.Add(assertionLife + assertionLeeway)):
		problem = "exp is more than 5 minutes ahead"
	case claims.IssuedAt.After(now.Add(assertionLeeway)) || claims.NotBefore.After(now.Add(assertionLeeway)):
		problem = "iat or nbf is in the future"
	}
	if problem != "" {
		return fmt.Errorf("%w: %s", errAssertion, problem)
	}
	return nil
}

// forUs: an audience that another server could have been sent as well lets that server
// pass the assertion on (RFC 10070 §3, FAPI 2.0 §5.3.2.1). Clients of profile oidc are
// older than that: they may name the token endpoint, and write a list of one.
func (a *assertions) forUs(c idp.Client, claims assertionClaims) bool {
	if len(claims.Audience) != 1 {
		return false
	}
	aud := claims.Audience[0]
	if c.Profile == idp.OIDC {
		return aud == a.issuer || aud == a.issuer+"/token"
	}
	return aud == a.issuer && !claims.audienceIsList
}

// once: no assertion counts twice, on whatever node, nor after a restore has forgotten that
// it was used: what was made before one, or before the client was disabled, is dead. So is,
// for as long as clocks are forgiven, what says that it was made a little later.
func (a *assertions) once(ctx context.Context, c idp.Client, claims assertionClaims, now time.Time) error {
	made := claims.IssuedAt
	if made.IsZero() {
		made = claims.ExpiresAt.Add(-assertionLife)
	}
	dead, err := a.store.TokenRevoked(ctx, idp.TokenNames{ClientID: c.ID, IssuedAt: made.Add(-assertionLeeway)}, now)
	if err != nil {
		return err
	}
	if dead {
		return fmt.Errorf("%w: made before the client was revoked or the server restored", errAssertion)
	}
	id := secret.Hash("client_assertion", secret.NewText(claims.ID))
	err = a.store.UseOnce(ctx, assertionPurpose+c.ID, id, claims.ExpiresAt.Add(assertionLeeway), now)
	if errors.Is(err, idp.ErrConsumed) || errors.Is(err, idp.ErrLimited) {
		return fmt.Errorf("%w: %w", errAssertion, err)
	}
	return err
}
