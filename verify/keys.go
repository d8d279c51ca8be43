package verify

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/signet-id/signet/verify/jose"
)

// When keys are fetched: regularly, and sooner when a token names a key that is not
// known. Between two fetches lies a pause, whoever wants them.
const (
	keyRefresh = 5 * time.Minute
	keyPause   = 30 * time.Second
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
		uri  string
		wait backoff
	)
	for ctx.Err() == nil {
		err := v.refreshKeys(ctx, &uri)
		v.report("keys", err)
		if v.keys.Load() == nil {
			wait.sleep(ctx) // nothing can be verified yet
			continue
		}
		sleep(ctx, keyPause)
		if err != nil {
			continue
		}
		select {
		case <-ctx.Done():
		case <-v.wantKeys:
		case <-time.After(keyRefresh - keyPause):
		}
	}
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
	if v.keys.Swap(keys) == nil {
		close(v.keysHere)
	}
	return nil
}

// report remembers what went wrong in the background, and logs it. A fault of the
// network is no reason to stop.
func (v *Verifier) report(part string, err error) {
	if err == nil {
		return
	}
	text := part + ": " + err.Error()
	v.trouble.Store(&text)
	v.log.Warn("verify: background work failed", "part", part, "error", err)
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
