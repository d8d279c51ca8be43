package verify

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/signet-id/signet/verify/jose"
)

// When keys are fetched: regularly, long before the issuer could use one that it
// published since (an hour), and sooner when a token names a key that is not known.
// Between two fetches lies a pause, whoever wants them, and it grows while they fail.
// Each verifier draws its own times: a fleet that starts together does not come together.
const (
	keyRefresh = 5 * time.Minute
	keyPause   = 30 * time.Second
	keyRetry   = 2 * time.Minute // the longest pause between failures, before jitter
)

// Only the issuer itself shortens the pause, by a signed rule against a key of the set:
// another key signs from then on. It is published a moment later, on some nodes later
// than on others, so the set is fetched until the dead key is out of it, a few times.
const (
	keyHaste = time.Second
	keyTries = 10
)

// askForKeys notes a wish without waiting. Any number of wishes is one fetch.
func (v *Verifier) askForKeys() {
	select {
	case v.wantKeys <- struct{}{}:
	default:
	}
}

// followKeys finds the key set and keeps it fresh. What fails leaves the old set.
func (v *Verifier) followKeys(ctx context.Context) {
	var (
		uri   string
		wait  backoff
		tries int // that are left
		fails int // in a row
	)
	for ctx.Err() == nil {
		err := v.refreshKeys(ctx, &uri)
		if ctx.Err() != nil {
			return
		}
		v.report("keys", err)
		if fails++; err == nil {
			fails = 0
		}
		if !v.haveKeys() {
			wait.sleep(ctx) // nothing can be verified or confirmed yet
			continue
		}
		sleep(ctx, keyHaste)
		if tries > 0 && v.setHasDeadKey() {
			tries--
			continue
		}
		if tries = 0; v.awaitKeys(ctx, fails) {
			tries = keyTries - 1
		}
	}
}

// awaitKeys waits until the set is to be fetched again, after so many failures in a row.
// killed says that a rule against one of its keys has come.
func (v *Verifier) awaitKeys(ctx context.Context, fails int) (killed bool) {
	pause := keyPause
	if fails > 0 {
		pause = min(keyPause<<min(fails-1, 4), keyRetry)
		pause += rand.N(pause / 4)
	}
	select {
	case <-ctx.Done():
		return false
	case <-v.keyKilled:
		return true
	case <-time.After(pause - keyHaste):
	}
	if fails > 0 {
		return false
	}
	select {
	case <-ctx.Done():
	case <-v.keyKilled:
		return true
	case <-v.wantKeys:
	case <-time.After(keyRefresh - keyPause - rand.N(keyRefresh/10)):
	}
	return false
}

// noteKilled looks for rules against keys of the set.
func (v *Verifier) noteKilled(rules []Rule) {
	keys := v.keys.Load()
	for _, r := range rules {
		if r.Kind != RuleKey {
			continue
		}
		if _, ours := keys.Key(r.ID); ours {
			select {
			case v.keyKilled <- struct{}{}:
			default:
			}
		}
	}
}

// setHasDeadKey reports whether the set is older than a rule against one of its keys.
func (v *Verifier) setHasDeadKey() bool {
	dead := v.dead.Load()
	return slices.ContainsFunc(v.keys.Load().Keys(), func(k *jose.Key) bool { return dead.check(k.ID()) != nil })
}

// refreshKeys fetches the key set and replaces the old one if the new one is good.
func (v *Verifier) refreshKeys(ctx context.Context, uri *string) (err error) {
	if *uri == "" {
		if *uri, err = v.discover(ctx); err != nil {
			return fmt.Errorf("discovery: %w", err)
		}
	}
	select { // this fetch fulfils a wish that was made before it
	case <-v.wantKeys:
	default:
	}
	v.counters.keyFetches.Add(1)
	doc, err := v.fetch(ctx, *uri, "application/json", "application/jwk-set+json")
	if err != nil {
		return err
	}
	keys, err := jose.ParseKeySet(doc)
	if err != nil {
		return err
	}
	v.useKeys(keys)
	if !v.haveKeys() {
		close(v.keysHere)
	}
	return nil
}

// haveKeys reports whether the issuer has given its keys. Those of a file do not count: a
// key in it may be revoked by a rule that the issuer has forgotten since, so the feed is
// not believed before.
func (v *Verifier) haveKeys() bool {
	select {
	case <-v.keysHere:
		return true
	default:
		return false
	}
}

// useKeys replaces the key set. A set that says the same leaves the old one, with all
// that was learned about it, in place.
func (v *Verifier) useKeys(keys *jose.KeySet) {
	old := v.keys.Load()
	if old != nil && old.Equal(keys) {
		return
	}
	if v.accelerator != nil {
		keys = keys.Accelerated(v.accelerator)
	}
	v.keys.Store(keys)
}

// backoff is a growing pause with jitter, so that a thousand verifiers do not come back
// at the same moment.
type backoff struct{ pause time.Duration }

const (
	minPause = 100 * time.Millisecond
	maxPause = 5 * time.Second
)

func (b *backoff) reset() { b.pause = 0 }

func (b *backoff) sleep(ctx context.Context) {
	b.pause = min(max(2*b.pause, 2*minPause), maxPause)
	sleep(ctx, minPause+rand.N(b.pause-minPause))
}

// sleep waits until d has passed or ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
