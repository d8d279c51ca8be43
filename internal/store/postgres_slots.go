package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/signet-id/signet/internal/idp"
)

const (
	defaultConnections = 16 // that write, and as many that read
	dialTime           = 5 * time.Second
)

// postgresConfig reads a name like postgres://user@host/database?sslmode=verify-full. The
// parameters are those of libpq, and pool_max_conns.
func postgresConfig(dsn string) (cfg *pgx.ConnConfig, connections int, err error) {
	if cfg, err = pgx.ParseConfig(dsn); err != nil {
		return nil, 0, fmt.Errorf("%w: %w", idp.ErrInvalid, err) // without the password: pgx leaves it out
	}
	connections = 2 * defaultConnections
	if given, ok := cfg.RuntimeParams["pool_max_conns"]; ok {
		if connections, err = strconv.Atoi(given); err != nil || connections < 4 || connections > 1000 {
			return nil, 0, fmt.Errorf("pool_max_conns must be a number from 4 to 1000: %w", idp.ErrInvalid)
		}
		delete(cfg.RuntimeParams, "pool_max_conns")
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = dialTime
	}
	if cfg.ValidateConnect == nil {
		cfg.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	for name, value := range map[string]string{
		"application_name":  "signet",
		"statement_timeout": milliseconds(statementTime),
		// A node that stands still must not keep the locks that others wait for.
		"idle_in_transaction_session_timeout": milliseconds(verbTime),
		// Every query has its index. A plan that was made while a table was empty reads
		// it from end to end for as long as the statement stays prepared.
		"enable_seqscan": "off",
		"jit":            "off",
	} {
		if cfg.RuntimeParams[name] == "" {
			cfg.RuntimeParams[name] = value
		}
	}
	return cfg, connections / 2, nil
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// prepareSession: a commit that was answered is on the disk, whatever the server's
// default; a stronger setting stays.
func prepareSession(ctx context.Context, c *pgx.Conn) error {
	// What a dead node waits for is given up soon. Not every platform can tell (PostgreSQL
	// 20.3.1), so a refusal is no error.
	_, _ = c.Exec(ctx, "SET client_connection_check_interval = 500")
	_, err := c.Exec(ctx, "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'")
	return err
}

// slots are connections that stay open with the statements that were prepared on them.
// One that is lost is dialled anew by whoever needs it next.
type slots struct {
	pool    *sql.DB
	session string     // statement that each connection begins with
	free    chan *conn // nil is a connection that must be dialled
	waiting atomic.Int64
	closing chan struct{}
	once    sync.Once
}

func newSlots(pool *sql.DB, n int, session string) *slots {
	s := &slots{pool: pool, session: session, free: make(chan *conn, n), closing: make(chan struct{})}
	for range n {
		s.free <- nil
	}
	return s
}

// take lends a connection; it must be given back. A caller waits for one for a while, as
// long as not too many do.
func (s *slots) take(ctx context.Context) (*conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.waiting.Add(1) > queueLen {
		s.waiting.Add(-1)
		return nil, fmt.Errorf("too many wait for the database: %w", idp.ErrUnavailable)
	}
	defer s.waiting.Add(-1)
	limit := time.NewTimer(verbTime)
	defer limit.Stop()
	select {
	case <-s.closing:
		return nil, fmt.Errorf("database is closed: %w", idp.ErrUnavailable)
	default:
	}
	select {
	case c := <-s.free:
		if c != nil {
			return c, nil
		}
		c, err := s.dial()
		if err != nil {
			s.free <- nil
		}
		return c, err
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-limit.C:
		return nil, fmt.Errorf("no connection to the database became free: %w", idp.ErrUnavailable)
	case <-s.closing:
		return nil, fmt.Errorf("database is closed: %w", idp.ErrUnavailable)
	}
}

// give takes a connection back; nil and dead ones are places for new ones.
func (s *slots) give(c *conn) {
	if c != nil && c.dead() {
		c.hangUp()
		c = nil
	}
	s.free <- c
}

// renewed replaces a connection if it is dead. With an error there is none to give back
// but the place: nil.
func (s *slots) renewed(c *conn) (*conn, error) {
	if !c.dead() {
		return c, nil
	}
	c.hangUp()
	return s.dial()
}

// proven asks a connection whether it is alive, and replaces it if it is not.
func (s *slots) proven(c *conn) (*conn, error) {
	if err := c.script("SELECT 1"); err == nil || !c.dead() {
		return c, err
	}
	return s.renewed(c)
}

// dial does not end with the caller: the connection serves others too.
func (s *slots) dial() (*conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), dialTime)
	defer cancel()
	raw, err := s.pool.Conn(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	c := newConn(raw, postgresDialect)
	c.ctx = ctx
	defer func() { c.ctx = context.Background() }()
	if s.session != "" {
		err = c.script(s.session)
	}
	if err == nil {
		c.timeline, err = timeline(c)
	}
	if err != nil {
		c.hangUp()
		return nil, unavailable(err)
	}
	return c, nil
}

// close waits for the connections that are lent.
func (s *slots) close() error {
	var errs []error
	s.once.Do(func() {
		close(s.closing)
		for range cap(s.free) {
			if c := <-s.free; c != nil {
				errs = append(errs, c.sql.Close())
			}
		}
	})
	return errors.Join(errs...)
}

// limit bounds the statements that follow; the caller calls the result when they are through.
func (c *conn) limit(ctx context.Context, d time.Duration) (done func()) {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), d)
	c.ctx = limited
	return func() {
		cancel()
		c.ctx = context.Background()
	}
}

// dead reports whether the connection was lost.
func (c *conn) dead() bool {
	dead := false
	err := c.sql.Raw(func(driver any) error {
		dead = driver.(*stdlib.Conn).Conn().IsClosed()
		return nil
	})
	return dead || err != nil
}

// hangUp gives up a connection of which nothing good is expected.
func (c *conn) hangUp() { _ = c.sql.Close() }

// pause waits, but no longer than ctx lives.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
