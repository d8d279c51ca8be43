package calendar

import (
	"net/http"
	"strings"
	"sync/atomic"
)

// counts is what the verifier does not count by itself. It is counted outside of Verify, in
// which no processor waits for another.
type counts struct {
	requests atomic.Uint64 // to the API
	lookups  atomic.Uint64 // questions to the issuer that are about a token
}

// status is what a calendar tells about its checking of tokens: nothing that is secret, and
// what an operator would look at.
type status struct {
	Accepting   bool   `json:"accepting"`
	Requests    uint64 `json:"requests"`
	Verified    uint64 `json:"verified"`
	Refused     uint64 `json:"refused"`
	KeyFetches  uint64 `json:"key_fetches"`
	Lookups     uint64 `json:"lookups"`
	Rules       int    `json:"rules"`
	Position    int64  `json:"position"`
	StalenessMS int64  `json:"staleness_ms"`
}

func (a *App) status() status {
	v := a.verifier.Status()
	return status{
		Accepting: v.Accepting, Requests: a.counts.requests.Load(), Verified: v.Verified, Refused: v.Refused,
		KeyFetches: v.KeyFetches, Lookups: a.counts.lookups.Load(),
		Rules: v.Rules, Position: v.Position, StalenessMS: v.Staleness.Milliseconds(),
	}
}

func (a *App) showStatus(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, a.status()) }

// api protects a handler of the API, and counts who comes.
func (a *App) api(scope string, h http.HandlerFunc) http.Handler {
	protected := a.verifier.Require(scope)(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.counts.requests.Add(1)
		protected.ServeHTTP(w, r)
	})
}

// RoundTrip sends what the verifier asks the issuer. Metadata, keys and the revocation feed
// are about no token; whatever else it asked would be.
func (c *counts) RoundTrip(req *http.Request) (*http.Response, error) {
	path := req.URL.Path
	if !strings.HasSuffix(path, "/jwks.json") && !strings.HasSuffix(path, "/revocations") && !strings.Contains(path, "/.well-known/") {
		c.lookups.Add(1)
	}
	return http.DefaultTransport.RoundTrip(req)
}
