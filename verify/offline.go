package verify

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/signet-id/signet/verify/jose"
)

// Bundle names a file of "signet key bundle": keys and revocations of an issuer at one
// moment, for places without a network. All fields are mandatory.
type Bundle struct {
	File string
	// Signers are the RFC 7638 thumbprints of the keys that may sign the file: what
	// "signet key bundle" says. They must reach this machine by a way that the file's bearer
	// cannot change. The issuer's keys rotate every 30 days: then this is to be changed, too;
	// the present key and its successor may both stand here.
	Signers []string
	// MaxAge is how old a bundle may be: what was revoked since it was made is accepted
	// here for so long. A bundle also says itself when its time is over.
	MaxAge time.Duration
}

// NewOffline makes a verifier that opens no connection: its keys and revocations come from
// a file, which Run reads, and reads again when it was replaced. An older bundle never
// takes the place of a newer one while Run is active; after a new start, MaxAge alone
// bounds how old it may be. A bundle that is too old makes every answer ErrStale.
//
// MaxStaleness, InsecureAcceptStale and Cache are refused: MaxAge says what may be stale.
func NewOffline(issuer, audience string, b Bundle, opts ...Option) (*Verifier, error) {
	for _, s := range b.Signers {
		if !jose.IsThumbprint(s) {
			return nil, errors.New("verify: a signer of the bundle is not a thumbprint")
		}
	}
	if b.File == "" || len(b.Signers) == 0 || b.MaxAge <= 0 {
		return nil, errors.New("verify: a bundle needs a file, its signers, and a greatest age")
	}
	b.Signers = slices.Clone(b.Signers)
	return New(issuer, audience, append(slices.Clone(opts), func(v *Verifier) {
		v.bundle = &bundleFile{Bundle: b}
	})...)
}

// checkBundle refuses options that a verifier of a bundle does not have.
func (v *Verifier) checkBundle() error {
	if v.bundle != nil && (v.maxStaleness != defaultStaleness || v.acceptStale || v.cache.file != "") {
		return errors.New("verify: for a bundle MaxAge says what may be stale, and there is no cache")
	}
	return nil
}

// InsecureStaticKeys makes a verifier that opens no connection and accepts whatever these
// keys signed: nothing is ever revoked, and a key that the issuer rotates in is unknown until
// the program is started with it. jose.ParseKeySet reads a file of the issuer's jwks_uri.
// NewOffline also knows revocations.
func InsecureStaticKeys(keys *jose.KeySet) Option { return func(v *Verifier) { v.static = keys } }

// useStatic makes a verifier of fixed keys ready.
func (v *Verifier) useStatic() {
	v.acceptStale = true
	v.useRules(newRuleSet())
	v.useKeys(v.static)
	v.confirm(time.Time{})
}

// bundleFile is what a verifier knows of its file. Only Run touches what stands below.
type bundleFile struct {
	Bundle
	window atomic.Int64 // how old the present bundle may be: MaxAge, or less if it says so

	size    int64 // of the file that was read last
	changed time.Time
	made    int64 // the issuer's clock in the present bundle, unix milliseconds
}

const (
	bundleLook = 5 * time.Second // between two looks at the file
	maxBundle  = 32 << 20        // bytes: some 200,000 rules
)

// followBundle reads the file whenever it was replaced.
func (v *Verifier) followBundle(ctx context.Context) {
	for ctx.Err() == nil {
		v.report("bundle", v.lookAtBundle())
		sleep(ctx, bundleLook)
	}
}

func (v *Verifier) lookAtBundle() error {
	f, err := os.Open(v.bundle.File)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() == v.bundle.size && info.ModTime().Equal(v.bundle.changed) {
		return err
	}
	doc, err := io.ReadAll(io.LimitReader(f, maxBundle+2))
	if err != nil {
		return err
	}
	v.bundle.size, v.bundle.changed = info.Size(), info.ModTime()
	return v.takeBundle(strings.TrimSuffix(string(doc), "\n"))
}

// takeBundle replaces what is known by what a bundle says, if it is the issuer's and newer.
func (v *Verifier) takeBundle(doc string) error {
	b, signer, err := openBundle(doc, v.bundle.Signers)
	if err != nil {
		return err
	}
	now, held := v.now(), v.bundle
	switch {
	case b.issuer != v.issuer || b.audience != v.issuer+"/bundle":
		return errOther
	case v.dead.Load().check(signer) != nil || slices.ContainsFunc(b.rules, func(r Rule) bool { return r.Kind == RuleKey && r.ID == signer }):
		return errSigner
	case b.issued.After(now.Add(maxLeeway)):
		return errClock
	case b.now < held.made:
		return errBundleOlder
	case b.now == held.made:
		return nil
	}
	set := newRuleSet()
	set.add(b.rules, now, false)
	// In this order a token is never checked with newer keys and older rules, nor are older
	// rules believed for longer.
	v.useRules(set)
	v.useKeys(b.keys)
	v.bury(b.rules, now)
	v.counters.rulesReceived.Add(uint64(len(b.rules)))
	v.position.Store(&position{b.epoch, b.to})
	held.made = b.now
	if v.confirmed.Load() == nil {
		held.window.Store(int64(b.window(held.MaxAge))) // before anybody is let in
	}
	v.confirm(b.issued)
	held.window.Store(int64(b.window(held.MaxAge)))
	return nil
}

// staleAfter returns how old the last confirmation may be.
func (v *Verifier) staleAfter() time.Duration {
	if v.bundle != nil {
		return time.Duration(v.bundle.window.Load())
	}
	return v.maxStaleness
}
