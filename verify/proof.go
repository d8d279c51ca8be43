package verify

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/signet-id/signet/verify/jose"
)

// Proof is what came with a token to show that its sender holds the key that the token is
// bound to. The zero value is a bearer token's: nothing.
type Proof struct {
	// DPoP is the proof of the request (RFC 9449 §4.2), sent with the scheme DPoP.
	DPoP string
	// Method and URL are those of the request that DPoP must be for, as the client has
	// sent it. A URL that begins with a slash is a path under ExternalURL.
	Method, URL string
	// Certificate is the one that the client has proven in the TLS handshake (RFC 8705 §3).
	Certificate *x509.Certificate
}

// VerifyProof accepts an access token like Verify, but a bound one too, if the proof fits.
// A token with a DPoP key needs a DPoP proof by that key, and a proof needs such a token;
// a token with a certificate needs that certificate. It asks nobody but the ReplayStore,
// which gets ctx. A *NonceError has the nonce that the next proof must carry.
func (v *Verifier) VerifyProof(ctx context.Context, token string, p Proof) (*Claims, error) {
	c, _, err := v.prove(ctx, token, p)
	return c, err
}

// prove also returns a nonce for the client's next proofs, if it needs a new one.
func (v *Verifier) prove(ctx context.Context, token string, p Proof) (c *Claims, nonce string, err error) {
	now := v.now()
	if c, err = v.verify(token, now); err == nil {
		nonce, err = v.checkProof(ctx, now, c, token, p)
	}
	v.count(err)
	if err != nil {
		return nil, nonce, err
	}
	return c, nonce, nil
}

// checkProof decides for each request anew: nothing about a proof is remembered with the
// token, except that it was used.
func (v *Verifier) checkProof(ctx context.Context, now time.Time, c *Claims, token string, p Proof) (nonce string, err error) {
	switch bound := c.Confirmation; {
	case p.DPoP != "" && bound.JKT == "":
		return "", ErrUnbound // RFC 9449 §7.1
	case p.DPoP != "":
		return v.checkDPoP(ctx, now, c, token, p)
	case bound.JKT != "":
		return "", ErrBound // RFC 9449 §7.2: no bearer token
	case bound.Certificate != "":
		return "", checkCertificate(bound.Certificate, p.Certificate)
	case v.proofs.required:
		return "", ErrUnbound
	}
	return "", nil
}

// Credentials are the parts of a request that say who asks: all values of the headers
// Authorization and DPoP, and what a proof must be for. Require reads them from a request
// of HTTP; adapters to other protocols do it for themselves.
type Credentials struct {
	Authorization, DPoP []string
	Method, URL         string            // as in Proof
	Certificate         *x509.Certificate // as in Proof
}

// VerifyCredentials finds the token of a request (RFC 6750 §2.1, RFC 9449 §7.1) and does
// what VerifyProof does. There must be one Authorization; the scheme DPoP goes with one
// proof, and Bearer with none. Like Require it logs, once, that Run was not called.
func (v *Verifier) VerifyCredentials(ctx context.Context, c Credentials) (*Claims, error) {
	claims, _, err := v.present(ctx, c)
	if err != nil {
		v.reportIdle(err)
	}
	return claims, err
}

func (v *Verifier) present(ctx context.Context, c Credentials) (claims *Claims, nonce string, err error) {
	scheme, token, err := credential(c.Authorization)
	if err != nil {
		return nil, "", err
	}
	p := Proof{Certificate: c.Certificate}
	switch {
	case scheme == schemeBearer && len(c.DPoP) > 0:
		// A proof that nobody checks is no proof: the client is to learn that at once.
		return nil, "", errProofBeside
	case scheme == schemeDPoP && (len(c.DPoP) != 1 || c.DPoP[0] == ""):
		v.count(ErrProof)
		return nil, "", wrong(ErrProof, "DPoP", "not exactly one header") // RFC 9449 §4.3 step 1
	case scheme == schemeDPoP:
		p.DPoP, p.Method, p.URL = c.DPoP[0], c.Method, c.URL
	}
	return v.prove(ctx, token, p)
}

// The schemes of the Authorization header.
const (
	schemeBearer = "Bearer"
	schemeDPoP   = "DPoP"
)

var (
	errNoToken     = errors.New("no token")
	errRequest     = errors.New("malformed authorization")
	errProofBeside = errors.New("a DPoP proof beside a bearer token")
)

// credential finds scheme and token. Two headers are an error: a proxy may have looked at
// the other one. A scheme that is not ours is as good as no token.
func credential(values []string) (scheme, token string, err error) {
	switch len(values) {
	case 0:
		return "", "", errNoToken
	case 1:
	default:
		return "", "", errRequest
	}
	scheme, token, _ = strings.Cut(values[0], " ")
	switch {
	case strings.EqualFold(scheme, schemeBearer):
		scheme = schemeBearer
	case strings.EqualFold(scheme, schemeDPoP):
		scheme = schemeDPoP
	default:
		return "", "", errNoToken
	}
	token = strings.Trim(token, " ")
	if token == "" {
		return "", "", errRequest
	}
	return scheme, token, nil
}

// proofRules is how proofs are checked. Set by New, never changed.
type proofRules struct {
	required    bool
	base        string        // what the client's URLs begin with; "": not known
	window      time.Duration // how far "iat" may be from now, to either side
	algorithms  []jose.Algorithm
	replay      ReplayStore
	nonces      *nonces                               // nil: none are asked for
	nonceKey    []byte                                // until New has put it there
	certificate func(*http.Request) *x509.Certificate // nil: the one of the connection
	mutualTLS   bool
}

// defaultProofWindow is what ProofWindow says.
const defaultProofWindow = time.Minute

// maxProofWindow is the widest window for "iat": each proof is remembered for that long.
const maxProofWindow = 5 * time.Minute

// check refuses what cannot work, and completes the rules.
func (p *proofRules) check(audience string) error {
	if p.window < time.Second || p.window > maxProofWindow {
		return errors.New("verify: the window for proofs must be between 1 second and 5 minutes")
	}
	for _, alg := range p.algorithms {
		if !slices.Contains(jose.Algorithms(), alg) {
			return errors.New("verify: an algorithm for proofs is not known")
		}
	}
	if len(p.algorithms) == 0 {
		p.algorithms = jose.Algorithms()
	}
	if p.replay == nil {
		p.replay = NewReplayMemory(defaultReplayMemory)
	}
	if p.base == "" {
		p.base = originOf(audience)
	} else if err := checkBase(p.base); err != nil {
		return err
	}
	if p.nonces == nil {
		return nil
	}
	key := p.nonceKey
	p.nonceKey = nil // fmt prints the fields of a Verifier
	return p.nonces.init(audience, key)
}

// originOf returns scheme, host and port of an audience that is the address of a service.
func originOf(audience string) string {
	u, err := url.Parse(audience)
	if err != nil || u.Host == "" || u.User != nil || !secureURL(u) {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

func checkBase(base string) error {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.User != nil || !secureURL(u) ||
		strings.ContainsAny(base, "?#") || strings.HasSuffix(base, "/") {
		return errors.New("verify: the external URL must be https, or http on this machine, without query and slash at the end")
	}
	if _, path, ok := splitURL(base); !ok || path != "" && removeDots(path) != path {
		return errors.New("verify: the external URL has a host or a path that no proof can be for")
	}
	return nil
}
