package store

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/signet-id/signet/internal/idp"
)

const (
	maxCachedClients = 10_000
	changesAtOnce    = 100 // more than that are read as one
)

// Directory keeps the clients and services parsed in memory, for they are asked for at
// every request and change seldom. It follows the changes log and is never behind it:
// while it has not caught up with a change, or nobody runs it, it asks the database.
//
// What it does not hold it reads from the database and does not remember: a stranger
// who asks for a million clients that do not exist fills nothing.
type Directory struct {
	db      *DB
	current atomic.Pointer[directory] // nil while nobody follows the log
}

// directory is the state of things at one number of the changes log. It never changes.
type directory struct {
	seq       int64
	clients   map[string]idp.Client
	resources []idp.Resource
	byID      map[string]idp.Resource
	byScope   map[string]idp.Resource
	origins   map[string]bool // nil if there are more clients than are held
}

// NewDirectory returns a Directory over db. It answers at once, from the database; Run makes it quick.
func NewDirectory(db *DB) *Directory { return &Directory{db: db} }

// Run follows the changes log until ctx ends. While the database does not answer, the
// directory holds nothing and asks it at each request.
func (d *Directory) Run(ctx context.Context) error {
	events, stop := d.db.Watch()
	defer stop()
	defer d.current.Store(nil)
	for {
		if err := d.catchUp(ctx); err != nil && ctx.Err() == nil {
			d.current.Store(nil)
			d.db.log.Warn("directory cannot follow the changes log", "error", err)
		}
		select {
		case <-events:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// fresh returns the state if it is the newest one, else nil.
func (d *Directory) fresh() *directory {
	s := d.current.Load()
	if s == nil || d.db.behind.Load() || s.seq != d.db.changeSeq.Load() {
		return nil
	}
	return s
}

// Client returns a client by id, disabled or not. Its lists must not be changed.
func (d *Directory) Client(ctx context.Context, id string) (idp.Client, error) {
	if s := d.fresh(); s != nil {
		if c, ok := s.clients[id]; ok {
			return c, nil
		}
	}
	return d.db.Client(ctx, id)
}

// Resource returns a service by its identifier.
func (d *Directory) Resource(ctx context.Context, id string) (idp.Resource, error) {
	if s := d.fresh(); s != nil {
		if r, ok := s.byID[id]; ok {
			return r, nil
		}
	}
	return d.db.Resource(ctx, id)
}

// ResourceByScope returns the service to which a scope belongs.
func (d *Directory) ResourceByScope(ctx context.Context, scope string) (idp.Resource, error) {
	if s := d.fresh(); s != nil {
		if r, ok := s.byScope[scope]; ok {
			return r, nil
		}
	}
	return d.db.ResourceByScope(ctx, scope)
}

// Resources returns all services by id.
func (d *Directory) Resources(ctx context.Context) ([]idp.Resource, error) {
	if s := d.fresh(); s != nil {
		return slices.Clone(s.resources), nil
	}
	return d.db.Resources(ctx)
}

// Origins returns the browser origins of all enabled clients: what a CORS preflight may
// be answered with. The map must not be changed.
func (d *Directory) Origins(ctx context.Context) (map[string]bool, error) {
	if s := d.fresh(); s != nil && s.origins != nil {
		return s.origins, nil
	}
	clients, err := d.db.Clients(ctx)
	if err != nil {
		return nil, err
	}
	return origins(slices.Values(clients)), nil
}

// catchUp brings the state to the end of the log. The number is read before the rows, so
// rows may be newer than it says, never older.
func (d *Directory) catchUp(ctx context.Context) error {
	for {
		seq := d.db.changeSeq.Load()
		s := d.current.Load()
		if s != nil && s.seq == seq {
			return nil
		}
		next, err := d.next(ctx, s, seq)
		if err != nil {
			return err
		}
		d.current.Store(next)
	}
}

func (d *Directory) next(ctx context.Context, s *directory, seq int64) (*directory, error) {
	if s == nil {
		return d.readAll(ctx, seq)
	}
	changes, err := d.db.Changes(ctx, s.seq, changesAtOnce+1)
	if err != nil {
		return nil, err
	}
	if len(changes) == 0 || len(changes) > changesAtOnce || changes[0].Seq != s.seq+1 || s.origins == nil {
		return d.readAll(ctx, seq) // too many, or some are gone
	}
	clients := maps.Clone(s.clients)
	for _, c := range changes {
		if c.Kind != "client" || c.Seq > seq {
			continue // a change after seq is on its way to us
		}
		client, err := d.db.Client(ctx, c.ID)
		switch {
		case errors.Is(err, idp.ErrNotFound):
			delete(clients, c.ID)
		case err != nil:
			return nil, err
		default:
			clients[c.ID] = client
		}
	}
	return d.newDirectory(ctx, seq, clients)
}

func (d *Directory) readAll(ctx context.Context, seq int64) (*directory, error) {
	all, err := d.db.Clients(ctx)
	if err != nil {
		return nil, err
	}
	clients := make(map[string]idp.Client, min(len(all), maxCachedClients+1))
	for _, c := range all[:min(len(all), maxCachedClients+1)] {
		clients[c.ID] = c
	}
	return d.newDirectory(ctx, seq, clients)
}

func (d *Directory) newDirectory(ctx context.Context, seq int64, clients map[string]idp.Client) (*directory, error) {
	resources, err := d.db.Resources(ctx)
	if err != nil {
		return nil, err
	}
	s := &directory{
		seq: seq, clients: clients, resources: resources, byID: map[string]idp.Resource{}, byScope: map[string]idp.Resource{},
	}
	if len(clients) <= maxCachedClients {
		s.origins = origins(maps.Values(clients))
	}
	for _, r := range resources {
		s.byID[r.ID] = r
		for _, scope := range r.Scopes {
			s.byScope[scope.Name] = r
		}
	}
	return s, nil
}

func origins(clients iter.Seq[idp.Client]) map[string]bool {
	all := map[string]bool{}
	for c := range clients {
		for _, o := range c.Origins {
			if !c.Disabled() {
				all[o] = true
			}
		}
	}
	return all
}
