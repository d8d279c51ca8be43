package clientkey

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/outbound"
	"github.com/signet-id/signet/verify/jose"
)

// How long what a jwks_uri answered is used.
const (
	leastFresh = time.Minute    // however little its Cache-Control says
	mostFresh  = time.Hour      // however much
	mostStale  = 24 * time.Hour // while it answers nothing usable

	// betweenAsking is how soon a key that is not known is looked for again. Strangers
	// can cause it, by naming the client and a key.
	betweenAsking = 10 * time.Second
	// mostPause is how long a failing address is left alone at most.
	mostPause = 5 * time.Minute

	maxEntries = 10_000 // clients
)

// Fetcher calls addresses: outbound.Client.
type Fetcher interface {
	Get(ctx context.Context, address, accept string) (outbound.Document, error)
}

// Cache is the keys of all clients. It is for many goroutines.
type Cache struct {
	fetch     Fetcher
	strangers Fetcher // for clients that no operator added
	now       func() time.Time

	mu      sync.Mutex // guards entries and what is in them
	entries map[string]*entry
}

// entry is what is known of one client's keys.
type entry struct {
	from     source
	doc      []byte // nil: none yet
	sets     map[jose.Algorithm]*jose.KeySet
	fresh    time.Time // until then nobody asks without a reason
	usable   time.Time // until then the document counts
	asked    time.Time
	failures int
	flight   chan struct{} // closed when the fetch that is under way is over; else nil
}

// source is where a client's keys come from: one of the two.
type source struct {
	jwks, uri string
	stranger  bool
}

// New returns an empty cache. Key sets of clients that no operator added are fetched by
// strangers, so that theirs delay nobody else's.
func New(fetch, strangers Fetcher, now func() time.Time) *Cache {
	return &Cache{fetch: fetch, strangers: strangers, now: now, entries: map[string]*entry{}}
}

// Verify checks a compact JWS that a client signed, of the given typ, as jose.KeySet does.
// rsa is the algorithm of RSA keys that name none. A key that is not known yet may have
// been published a moment ago, so the client's jwks_uri is asked again, at most once in ten seconds.
func (c *Cache) Verify(ctx context.Context, client idp.Client, rsa jose.Algorithm, tok, typ string) (payload []byte, key *jose.Key, err error) {
	set, err := c.set(ctx, client, rsa, false)
	if err != nil {
		return nil, nil, err
	}
	payload, key, err = set.Verify(tok, typ)
	if !errors.Is(err, jose.ErrUnknownKey) || client.JWKSURI == "" {
		return payload, key, err
	}
	again, refreshErr := c.set(ctx, client, rsa, true)
	if refreshErr != nil || again == set {
		return nil, nil, err
	}
	return again.Verify(tok, typ)
}

// set returns a client's keys. With anew they are asked for even if there are some.
func (c *Cache) set(ctx context.Context, client idp.Client, rsa jose.Algorithm, anew bool) (*jose.KeySet, error) {
	from := source{string(client.JWKS), client.JWKSURI, client.Origin != idp.OriginOperator}
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entry(client.ID, from)
	if from.uri == "" {
		if from.jwks == "" {
			return nil, errNoKeys
		}
		e.doc = client.JWKS
		return e.parsed(rsa)
	}
	if now := c.now(); anew || e.doc == nil || !now.Before(e.fresh) {
		if err := c.refresh(ctx, e, now); err != nil {
			return nil, err
		}
	}
	if e.doc == nil || !c.now().Before(e.usable) {
		return nil, fmt.Errorf("jwks_uri: %w", errNoKeys)
	}
	return e.parsed(rsa)
}

// entry finds or makes the entry of a client. What was known of another source is gone.
func (c *Cache) entry(id string, from source) *entry {
	e := c.entries[id]
	if e == nil || e.from != from {
		if e == nil && len(c.entries) >= maxEntries {
			for other := range c.entries { // any: it is asked for again
				delete(c.entries, other)
				break
			}
		}
		e = &entry{from: from}
		c.entries[id] = e
	}
	return e
}

// refresh asks the jwks_uri, unless somebody asked it just now; then it waits for him. It
// gives up the lock meanwhile. That nothing usable came is no error: what was known stays.
func (c *Cache) refresh(ctx context.Context, e *entry, now time.Time) error {
	if flight := e.flight; flight != nil {
		c.mu.Unlock()
		defer c.mu.Lock()
		select {
		case <-flight:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if since := now.Sub(e.asked); since >= 0 && since < e.pause() {
		return nil
	}
	e.asked, e.flight = now, make(chan struct{})
	fetch := c.fetch
	if e.from.stranger {
		fetch = c.strangers
	}
	c.mu.Unlock()
	// Whoever asked first may go away: the others wait for the answer.
	doc, err := fetch.Get(context.WithoutCancel(ctx), e.from.uri, "application/jwk-set+json, application/json")
	if err == nil {
		_, err = Parse(doc.Body, jose.RS256)
	}
	c.mu.Lock()
	close(e.flight)
	e.flight = nil
	if err != nil {
		e.failures++
		return nil
	}
	e.failures, e.fresh, e.usable = 0, doc.Expires(leastFresh, mostFresh), doc.At.Add(mostStale)
	if !slices.Equal(e.doc, doc.Body) {
		e.doc, e.sets = doc.Body, nil
	}
	return nil
}

// pause is how long nobody is asked after the last time: the longer, the more often it failed.
func (e *entry) pause() time.Duration {
	return min(betweenAsking<<min(e.failures, 10), mostPause)
}

// parsed returns the document's keys.
func (e *entry) parsed(rsa jose.Algorithm) (*jose.KeySet, error) {
	if set := e.sets[rsa]; set != nil {
		return set, nil
	}
	set, err := Parse(e.doc, rsa)
	if err != nil {
		return nil, err
	}
	if e.sets == nil {
		e.sets = map[jose.Algorithm]*jose.KeySet{}
	}
	e.sets[rsa] = set
	return set, nil
}
