//go:build unix

package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/verify"
)

const (
	issuer   = "http://localhost:1" // nobody is there: whoever asks is led to a node
	resource = "http://127.0.0.1:2"
	redirect = "http://127.0.0.1:3/callback"
	scope    = "things:read"
	// RFC 7636, appendix B.
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// plan is what a run is made of.
type plan struct {
	seed   uint64
	people int
	nodes  int
	pg     *database // nil: SQLite, or the server that url names
	url    string    // of a PostgreSQL server that nothing happens to
	data   string    // directory for the SQLite file; empty: beside the rest
}

// world is the servers, the people, a service that verifies tokens, and the ledger.
type world struct {
	ledger
	seed     uint64
	rng      *rand.Rand
	dir      string
	issuer   string
	client   string
	secret   string
	nodes    []*node
	people   []*person
	pg       *database
	clock    atomic.Pointer[clockSetting] // of all nodes and the verifier
	verifier *verify.Verifier
	feed     *http.Client
	cleanup  []func() error
}

// newWorld starts the servers; the caller closes it.
func newWorld(pl plan) (*world, error) {
	dir, err := os.MkdirTemp("/tmp", "faults")
	if err != nil {
		return nil, err
	}
	w := &world{
		seed: pl.seed, rng: rand.New(rand.NewPCG(pl.seed, 0)), dir: dir, issuer: issuer, pg: pl.pg,
		ledger: ledger{revoked: map[string]bool{}},
	}
	w.cleanup = append(w.cleanup, func() error { return os.RemoveAll(dir) })
	w.clock.Store(&clockSetting{})
	if err := w.start(pl); err != nil {
		return nil, errors.Join(err, w.close())
	}
	for i := range pl.people {
		w.people = append(w.people, newPerson(w, i))
	}
	return w, nil
}

func (w *world) start(pl plan) error {
	key := secret.Key()
	keyFile := filepath.Join(w.dir, "key")
	if err := os.WriteFile(keyFile, []byte(base64.StdEncoding.EncodeToString(key[:])), 0o600); err != nil {
		return err
	}
	for i := range pl.nodes {
		dir := filepath.Join(w.dir, fmt.Sprint("n", i))
		if err := os.Mkdir(dir, 0o700); err != nil {
			return err
		}
		set := settings{Issuer: issuer, KeyFile: keyFile, DataDir: dir}
		switch {
		case w.pg != nil:
			set.Database = w.pg.url()
		case pl.url != "":
			set.Database = pl.url
		case pl.data != "":
			set.Database = "sqlite:" + filepath.Join(pl.data, "signet.db")
		default:
			set.Database = "sqlite:" + filepath.Join(dir, "signet.db")
		}
		n := newNode(set)
		w.nodes = append(w.nodes, n)
		w.cleanup = append(w.cleanup, n.stop)
		if err := errors.Join(n.start(), n.ready()); err != nil {
			return err
		}
		if i == 0 {
			if err := w.furnish(n); err != nil {
				return err
			}
		}
	}
	return w.follow()
}

// furnish makes the service and the app.
func (w *world) furnish(n *node) error {
	a := n.manage("PUT", "/resources/"+url.PathEscape(resource), map[string]any{
		"name": "Things", "access_token_lifetime": 3600,
		"scopes": []map[string]any{{"name": scope, "title": map[string]string{"en": "See things"}}},
	})
	if !a.ok() {
		return fmt.Errorf("make a resource: %s", a)
	}
	a = n.manage("POST", "/clients", map[string]any{
		"client_id": "app", "client_name": "App", "first_party": true, "redirect_uris": []string{redirect},
		"scopes": []string{"openid", scope}, "id_token_signed_response_alg": "EdDSA",
	})
	var made struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	if !a.ok() || a.json(&made) != nil || made.Secret == "" {
		return fmt.Errorf("make a client: %s", a)
	}
	w.client, w.secret = made.ID, made.Secret
	return nil
}

// follow starts a service that verifies tokens with the SDK.
func (w *world) follow() error {
	w.feed = client(func(ctx context.Context) (net.Conn, error) {
		n := w.any(rand.New(rand.NewPCG(w.seed, uint64(time.Now().UnixNano()))))
		if n == nil {
			return nil, errors.New("no server is up")
		}
		return new(net.Dialer).DialContext(ctx, "tcp", *n.addr.Load())
	})
	v, err := verify.New(issuer, resource, verify.HTTPClient(w.feed), verify.Clock(w.now))
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- v.Run(ctx) }()
	w.cleanup = append(w.cleanup, func() error {
		stop()
		<-done // it says that it was stopped
		return nil
	})
	w.verifier = v
	select {
	case <-v.Ready():
		return nil
	case <-time.After(readyWithin):
		return fmt.Errorf("the verifier is not ready: %s", v.Status().LastTrouble)
	}
}

func (w *world) close() error {
	var errs []error
	for i := len(w.cleanup) - 1; i >= 0; i-- {
		errs = append(errs, w.cleanup[i]())
	}
	w.cleanup = nil
	return errors.Join(errs...)
}

// now is the time of the servers.
func (w *world) now() time.Time {
	set := w.clock.Load()
	if !set.Frozen.IsZero() {
		return set.Frozen
	}
	return time.Now().Add(set.Offset).Round(0)
}

// since is how far away a time is for the servers, in either direction.
func (w *world) since(t time.Time) time.Duration { return w.now().Sub(t).Abs() }

// any returns a node that is up, or nil.
func (w *world) any(rng *rand.Rand) *node {
	first := rng.IntN(len(w.nodes))
	for i := range w.nodes {
		if n := w.nodes[(first+i)%len(w.nodes)]; n.up.Load() {
			return n
		}
	}
	return nil
}

// judge counts refusals, and finds answers that nobody should ever get.
func (w *world) judge(a answer, path string) answer {
	switch {
	case a.err != nil:
	case a.status == http.StatusServiceUnavailable:
		w.refused.Add(1)
	case a.status >= 500:
		w.find(strange, "%s: %s", path, a)
	}
	return a
}

// crowd lets all people act at once until the result is called.
func (w *world) crowd() (stop func()) {
	done := make(chan struct{})
	var all sync.WaitGroup
	for _, p := range w.people {
		all.Go(func() { p.live(done) })
	}
	return sync.OnceFunc(func() {
		close(done)
		all.Wait()
	})
}

// until waits for a condition, and says what did not come true.
func until(what string, limit time.Duration, met func() bool) error {
	deadline := time.Now().Add(limit)
	for !met() {
		if time.Now().After(deadline) {
			return fmt.Errorf("after %s: not %s", limit, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return nil
}

// more waits until so many more writes were acknowledged.
func (w *world) more(n int) error {
	goal := w.acked.Load() + int64(n)
	return until(fmt.Sprint(n, " more acknowledged writes"), readyWithin, func() bool {
		return w.acked.Load() >= goal || len(w.broken()) >= maxFindings
	})
}
