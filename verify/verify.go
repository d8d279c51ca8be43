// Package verify lets a service accept the access tokens of a signet issuer without
// asking the issuer for each of them, and still refuse a revoked one within moments.
//
//	v, err := verify.New("https://id.example.com", "https://orders.example.com")
//	go v.Run(ctx)
//	mux.Handle("/orders", v.Require("orders:read")(orders))
//
// Run follows the issuer's keys (OpenID Connect Discovery 1.0, RFC 7517) and its
// revocation feed. Verify (RFC 9068 §4, RFC 8725) only reads what Run has left behind:
// it takes no lock and dials nothing. A verifier that has heard nothing about
// revocations for too long refuses everything.
//
// Tokens that are bound to a key (RFC 9449, RFC 8705) are accepted with the proof of it.
//
// It deliberately does not do: opaque tokens and several audiences. A service with two
// names makes two verifiers.
package verify

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/signet-id/signet/verify/jose"
)

// The "typ" of the tokens that are accepted: RFC 9068 §2.1, and the issuer's ID tokens.
const (
	accessTokenType = "at+jwt"
	idTokenType     = "JWT"
)

// Verifier accepts tokens of one issuer for one audience. Its methods may be called by
// many goroutines at once.
type Verifier struct {
	// Set by New, never changed.
	issuer, audience string
	client           *http.Client
	now              func() time.Time
	maxStaleness     time.Duration
	leeway           time.Duration
	metadataURL      string
	keySetURL        string // empty: what the metadata says
	log              *slog.Logger
	acceptStale      bool
	remembered       int              // tokens
	accelerator      jose.Accelerator // nil: the standard library checks signatures
	proofs           proofRules
	description      [2]string    // name and documentation of the resource
	static           *jose.KeySet // nil but with InsecureStaticKeys
	bundle           *bundleFile  // nil but for NewOffline

	// Immutable snapshots, replaced by Run and read by Verify.
	keys      atomic.Pointer[jose.KeySet]
	rules     atomic.Pointer[ruleSet]
	confirmed atomic.Pointer[time.Time] // when the feed last confirmed that rules are complete
	agreed    atomic.Int64              // the issuer's clock then, unix seconds
	dead      atomic.Pointer[deadKeys]  // nil: no key was retired
	revision  atomic.Uint64             // counts changes of rules and dead; moves after them
	memory    *tokenMemory              // nil: no token is remembered

	ready    chan struct{} // closed at the first confirmation
	keysHere chan struct{} // closed when the issuer gave its keys for the first time
	wantKeys chan struct{} // holds one wish to fetch the keys again
	unknown  *unknownKeys
	running  atomic.Bool
	feed     follower // owned by Run

	cache cache                      // owned by Run
	kept  atomic.Pointer[checkpoint] // what the cache writes next

	keyKilled chan struct{} // holds the news of a rule against a key of the set

	position atomic.Pointer[position]
	trouble  atomic.Pointer[trouble]
	said     sayings     // in the log, by Run
	idle     atomic.Bool // the log has that Run was not called
	counters struct {
		verified                           tally
		refused, keyFetches, rulesReceived atomic.Uint64
	}
}

// New makes a verifier. The issuer is https (or http on this machine) and has no slash
// at the end; the audience is the name that the issuer knows this service by. Both are
// compared byte for byte. Nothing is fetched before Run, and nothing is accepted.
func New(issuer, audience string, opts ...Option) (*Verifier, error) {
	v := &Verifier{
		issuer: issuer, audience: audience,
		client: &http.Client{Transport: newTransport()}, now: time.Now,
		maxStaleness: defaultStaleness, leeway: maxLeeway, log: slog.Default(),
		ready: make(chan struct{}), keysHere: make(chan struct{}), wantKeys: make(chan struct{}, 1),
		keyKilled: make(chan struct{}, 1), unknown: newUnknownKeys(), proofs: proofRules{window: defaultProofWindow},
		remembered: defaultMemory,
		cache:      cache{limit: cacheBytes},
	}
	v.revision.Store(1) // no token is clear of revision 0
	for _, o := range opts {
		o(v)
	}
	if err := v.checkConfig(); err != nil {
		return nil, err
	}
	v.client, v.memory = ownClient(v.client), newTokenMemory(v.remembered)
	if v.static != nil {
		v.useStatic()
	}
	return v, nil
}

// Run fetches the issuer's keys and follows its revocations until ctx ends, and returns
// ctx.Err(). It survives any failure of the issuer. Only one Run may be active.
func (v *Verifier) Run(ctx context.Context) error {
	if !v.running.CompareAndSwap(false, true) {
		return errors.New("verify: Run is active already")
	}
	defer v.running.Store(false)
	if v.acceptStale {
		v.log.Warn("verify: revoked tokens are accepted while the revocation feed is silent")
	}
	if v.static != nil {
		<-ctx.Done() // nobody is asked
		return ctx.Err()
	}
	if v.bundle != nil {
		v.followBundle(ctx)
		return ctx.Err()
	}
	v.loadCache()
	var wg sync.WaitGroup
	wg.Go(func() { v.followCache(ctx) })
	wg.Go(func() { v.followKeys(ctx) })
	wg.Go(func() { v.followFeed(ctx) })
	wg.Go(func() { v.forgetRules(ctx) })
	wg.Wait()
	return ctx.Err()
}

// Ready is closed when the keys and all revocations are here for the first time.
func (v *Verifier) Ready() <-chan struct{} { return v.ready }

// Verify accepts a bearer token or says why not (see the errors of this package). It
// does no I/O. A token that is bound to a key needs VerifyProof. The claims may be
// shared with other requests.
func (v *Verifier) Verify(ctx context.Context, token string) (*Claims, error) {
	return v.VerifyProof(ctx, token, Proof{})
}

// verify holds the order: who signed it, what it says, whether it was taken back, and
// only then whether we would know. So a bad token is called bad even without a feed.
// Whether its sender has proven the key that it is bound to is the caller's to ask.
func (v *Verifier) verify(token string, now time.Time) (*Claims, error) {
	keys := v.keys.Load()
	if keys == nil {
		return nil, ErrNotReady
	}
	k, hash := v.memory.find(token, keys)
	var c *Claims
	if k != nil {
		c = k.claims
	} else {
		var err error
		if c, err = v.read(token, keys); err != nil {
			return nil, err
		}
	}
	switch {
	case c.Issuer != v.issuer:
		return nil, ErrIssuer
	case c.Audience != v.audience:
		return nil, ErrAudience
	}
	if k == nil || !k.holds(now) {
		if err := v.checkTimes(now, c.IssuedAt, c.NotBefore, c.ExpiresAt); err != nil {
			return nil, err
		}
	}
	if err := v.checkKnown(now, c, k); err != nil {
		return nil, err
	}
	if k == nil && v.memory.again(hash) {
		v.memory.put(newKnownToken(token, keys, c, v.leeway), hash)
	}
	return c, nil
}

// rooms is memory for verifying, used again and again.
var rooms = sync.Pool{New: func() any { return new([]byte) }}

// read checks type and signature of an access token and reads its claims.
func (v *Verifier) read(token string, keys *jose.KeySet) (*Claims, error) {
	room := rooms.Get().(*[]byte)
	defer rooms.Put(room)
	out, key, err := keys.VerifyInto(*room, token, accessTokenType)
	*room = out
	if err != nil {
		v.noteUnknownKey(token, err)
		return nil, err
	}
	p, payload := &parsed{}, out[len(token):]
	c := &p.claims
	if !parseFlat(string(payload), p) { // the claims are parts of one string
		if c, err = ParseClaims(payload); err != nil {
			return nil, err
		}
	}
	c.KeyID = key.ID()
	return c, nil
}

// open checks type and signature.
func (v *Verifier) open(token, typ string) (payload []byte, kid string, err error) {
	keys := v.keys.Load()
	if keys == nil {
		return nil, "", ErrNotReady
	}
	payload, key, err := keys.Verify(token, typ)
	if err != nil {
		v.noteUnknownKey(token, err)
		return nil, "", err
	}
	return payload, key.ID(), nil
}

// noteUnknownKey wishes for the keys when a token names one that is not known.
func (v *Verifier) noteUnknownKey(token string, err error) {
	if errors.Is(err, ErrUnknownKey) {
		v.askForKeyOf(token)
	}
}

// checkTimes: RFC 7519 §4.1.4 to §4.1.6. At exp the token is over.
func (v *Verifier) checkTimes(now, issued, notBefore, expires time.Time) error {
	switch {
	case !now.Before(expires.Add(v.leeway)):
		return ErrExpired
	case issued.After(now.Add(maxLeeway)):
		return wrong(ErrNotYetValid, "iat", "in the future")
	case notBefore.After(now.Add(v.leeway)):
		return wrong(ErrNotYetValid, "nbf", "in the future")
	}
	return nil
}

// checkKnown asks the rules, unless it has asked these very rules about a token that is
// remembered.
func (v *Verifier) checkKnown(now time.Time, c *Claims, k *knownToken) error {
	if k == nil {
		return v.checkRevoked(now, c)
	}
	// Read before the rules: one that comes meanwhile is of a later revision.
	revision := v.revision.Load()
	if k.cleared.Load() == revision {
		return v.checkHeard(now)
	}
	if err := v.checkRevoked(now, c); err != nil {
		return err
	}
	k.cleared.Store(revision)
	return nil
}

// checkRevoked asks the rules, and refuses when they may be incomplete.
func (v *Verifier) checkRevoked(now time.Time, c *Claims) error {
	rules := v.rules.Load()
	if rules == nil {
		return ErrNotReady
	}
	if err := rules.check(c); err != nil {
		return err
	}
	if err := v.dead.Load().check(c.KeyID); err != nil {
		return err
	}
	return v.checkHeard(now)
}

// checkHeard refuses when the rules may be incomplete: an attacker who cuts the line must
// not keep a revoked token alive.
func (v *Verifier) checkHeard(now time.Time) error {
	heard := v.confirmed.Load()
	switch {
	case heard == nil:
		return ErrNotReady
	case v.stale(now, *heard) && !v.acceptStale:
		return ErrStale
	}
	return nil
}

// stale reports whether the last confirmation is too old. The monotonic clock stands
// still while a machine sleeps and the wall clock can be set back: the larger age
// counts, and a clock that was set back counts as stale.
func (v *Verifier) stale(now, heard time.Time) bool {
	wall, limit := time.Duration(now.UnixNano()-heard.UnixNano()), v.staleAfter()
	return wall > limit || wall < -maxLeeway || now.Sub(heard) > limit
}
