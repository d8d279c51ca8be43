package oauth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/outbound"
	"github.com/signet-id/signet/internal/registration"
)

// DocumentsConfig says whose metadata documents make clients. The zero value: nobody's.
type DocumentsConfig struct {
	On       bool
	Loopback bool     // also http addresses of this computer: for development only
	Allow    []string // hosts; empty: all that are not denied
	Deny     []string // hosts
}

const (
	documentLeast = 5 * time.Minute // a document is not fetched more often, whatever it says of itself,
	documentMost  = 24 * time.Hour  // and not more seldom
	documentPause = 10 * time.Second

	// What strangers may cause (DOS-03): addresses that were never fetched with success.
	documentsPerNetwork = 30
	documentsInAll      = 1000
	documentsWindow     = time.Hour
	maxDocuments        = 2000 // clients of documents
	maxFailing          = 4096 // addresses whose last failure is remembered
)

// documentStore keeps what documents say.
type documentStore interface {
	LimitReached(ctx context.Context, limits []idp.Limit, now time.Time) (bool, error)
	CountAttempt(ctx context.Context, limits []idp.Limit, now time.Time) (time.Duration, error)
	PutDocumentClient(ctx context.Context, by idp.Actor, c idp.Client, most int, now time.Time) (idp.Client, error)
}

// documentGetter fetches what a client named: outbound.Client, which knows what it must
// not connect to (CLI-05, NET-01).
type documentGetter interface {
	Get(ctx context.Context, address, accept string) (outbound.Document, error)
}

// documents is a Directory in which a client whose id is an https address is what the
// document there says (draft-ietf-oauth-client-id-metadata-document-03). What it says is
// a row of the database, like every client, so that whatever hangs on clients does; how
// long it may be believed is remembered here, each node for itself. A document that is
// gone or wrong is no client any more.
//
// Neither failures nor wrong documents are remembered as answers (§5.2): for ten seconds
// nobody is asked again, and whoever comes then is told to come back.
type documents struct {
	Directory
	cfg    DocumentsConfig
	policy registration.Policy
	get    documentGetter
	keys   keyMaker
	store  documentStore
	now    func() time.Time

	mu      sync.Mutex // guards all below
	fresh   map[string]time.Time
	failing map[string]time.Time
	flights map[string]*flight
}

// flight is a fetch under way, for all who wait for it.
type flight struct {
	done   chan struct{}
	client idp.Client
	err    error
}

func newDocuments(cfg *Config) *documents {
	return &documents{
		Directory: cfg.Directory, cfg: cfg.Documents, policy: registration.Policy{Scopes: cfg.Registration.Scopes}, get: cfg.Outbound.Strangers(), keys: cfg.Keys, store: cfg.Store, now: cfg.Now,
		fresh: map[string]time.Time{}, failing: map[string]time.Time{}, flights: map[string]*flight{},
	}
}

// documentError says why an address is no client; what it says is for developers.
type documentError struct{ reason string }

func (e *documentError) Error() string { return "client metadata document: " + e.reason }

func (e *documentError) Unwrap() error { return idp.ErrNotFound }

// Client returns a client as its document says it is now.
func (d *documents) Client(ctx context.Context, id string) (idp.Client, error) {
	known, err := d.Directory.Client(ctx, id)
	if err != nil && !errors.Is(err, idp.ErrNotFound) || err == nil && known.Origin != idp.OriginDocument {
		return known, err
	}
	if err != nil && !strings.Contains(id, "://") {
		return known, err // nobody meant an address
	}
	if reason := d.refused(id); reason != "" {
		return idp.Client{}, &documentError{reason}
	}
	there := err == nil
	if there && (known.Disabled() || d.isFresh(id)) {
		return known, nil
	}
	return d.fetch(ctx, id, known, there)
}

// refused says why an id is not the address of a document that may be asked for.
func (d *documents) refused(id string) string {
	u, ok := registration.DocumentID(id, d.cfg.Loopback)
	switch {
	case !d.cfg.On:
		return "such documents are not read here (client_id_metadata_documents)"
	case !ok:
		return "the id must be an https address with a path"
	case len(d.cfg.Allow) > 0 && !slices.Contains(d.cfg.Allow, u.Hostname()):
		return "its host is not among those that the operator allows (client_id_hosts_allowed)"
	case slices.Contains(d.cfg.Deny, u.Hostname()):
		return "its host is among those that the operator denies (client_id_hosts_denied)"
	}
	return ""
}

func (d *documents) isFresh(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now().Before(d.fresh[id])
}

// fetch asks the address, once for all who want to know at the same time.
func (d *documents) fetch(ctx context.Context, id string, known idp.Client, there bool) (idp.Client, error) {
	d.mu.Lock()
	f, flying := d.flights[id]
	if !flying {
		if d.now().Before(d.failing[id]) {
			d.mu.Unlock()
			return idp.Client{}, fmt.Errorf("client metadata document was just asked for in vain: %w", idp.ErrUnavailable)
		}
		f = &flight{done: make(chan struct{})}
		d.flights[id] = f
		// Nobody else's answer depends on whether this browser waits. Outbound has its own time.
		go d.fly(context.WithoutCancel(ctx), f, id, known, there)
	}
	d.mu.Unlock()
	select {
	case <-f.done:
		return f.client, f.err
	case <-ctx.Done():
		return idp.Client{}, ctx.Err()
	}
}

func (d *documents) fly(ctx context.Context, f *flight, id string, known idp.Client, there bool) {
	var until time.Time
	f.client, until, f.err = d.ask(ctx, id, known, there)
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	delete(d.flights, id)
	if f.err != nil {
		delete(d.fresh, id)
		remember(d.failing, id, now.Add(documentPause), maxFailing, now)
	} else {
		delete(d.failing, id)
		remember(d.fresh, id, until, maxDocuments, now)
	}
	close(f.done)
}

// remember keeps a time under a name, in a map that does not grow beyond most: what has
// passed goes first, then anything, which costs a fetch.
func remember(times map[string]time.Time, name string, until time.Time, most int, now time.Time) {
	if _, there := times[name]; !there && len(times) >= most {
		for other, t := range times {
			if !now.Before(t) {
				delete(times, other)
			}
		}
		for other := range times {
			if len(times) < most {
				break
			}
			delete(times, other)
		}
	}
	times[name] = until
}

// ask fetches and reads the document, and stores what has changed.
func (d *documents) ask(ctx context.Context, id string, known idp.Client, there bool) (idp.Client, time.Time, error) {
	now := d.now()
	if !there { // who comes back is bounded by the age of what is known
		limits := strangerLimits("document", edge.NetworkOf(ctx), documentsPerNetwork, documentsInAll, documentsWindow)
		if err := countWithin(ctx, d.store, limits, now); err != nil {
			if errors.Is(err, idp.ErrLimited) {
				err = fmt.Errorf("client metadata documents: %w", errors.Join(err, idp.ErrUnavailable))
			}
			return idp.Client{}, time.Time{}, err
		}
	}
	m, until, err := d.read(ctx, id)
	if err != nil {
		return idp.Client{}, time.Time{}, err
	}
	if there && sameMetadata(known.ClientMetadata, m) {
		return known, until, nil
	}
	if err := d.keys.NeedFor(ctx, m, now); err != nil {
		return idp.Client{}, time.Time{}, err
	}
	c, err := d.store.PutDocumentClient(ctx, idp.Actor{Kind: "system", ID: "documents"},
		idp.Client{ID: id, CreatedAt: now, Origin: idp.OriginDocument, ClientMetadata: m}, maxDocuments, now)
	switch {
	case errors.Is(err, idp.ErrExists):
		err = &documentError{"an operator has deleted the client"}
	case errors.Is(err, idp.ErrLimited):
		err = errors.Join(err, idp.ErrUnavailable)
	}
	return c, until, err
}

func (d *documents) read(ctx context.Context, id string) (m idp.ClientMetadata, until time.Time, err error) {
	doc, err := d.get.Get(ctx, id, "application/json")
	if err != nil {
		return m, until, &documentError{"the address did not answer with a document"}
	}
	if doc.MediaType != "application/json" && !(strings.HasPrefix(doc.MediaType, "application/") && strings.HasSuffix(doc.MediaType, "+json")) {
		return m, until, &documentError{"the answer is not application/json"}
	}
	said, err := registration.Parse(doc.Body)
	if err == nil {
		var known map[string]bool
		if known, err = knownScopes(ctx, d.Directory, d.policy.Scopes); err != nil {
			return m, until, err
		}
		m, err = d.policy.AdmitDocument(id, said, known)
	}
	if e, ok := errors.AsType[*registration.Unacceptable](err); ok {
		return m, until, &documentError{e.Message}
	}
	return m, doc.Expires(documentLeast, documentMost), err
}

// sameMetadata compares what would be stored.
func sameMetadata(a, b idp.ClientMetadata) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}

// presentDocuments is the Directory for endpoints to which no person comes: a document
// that is known serves a public client as long as its grants live, for nothing of it
// matters there. Whoever proves itself by a key does so with the keys of now.
type presentDocuments struct{ *documents }

func (d presentDocuments) Client(ctx context.Context, id string) (idp.Client, error) {
	c, err := d.Directory.Client(ctx, id)
	if err == nil && c.Origin == idp.OriginDocument && c.Public() && d.refused(id) == "" {
		return c, nil
	}
	if err == nil && c.Origin != idp.OriginDocument {
		return c, nil
	}
	if _, ok := registration.DocumentID(id, d.cfg.Loopback); !ok && err != nil {
		return c, err // nobody's address: the work of one look-up (CLI-03)
	}
	return d.documents.Client(ctx, id)
}
