//go:build unix

package main

import (
	"context"
	"errors"
	"net/url"
	"os"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signet-id/signet/internal/pgtest"
)

// database is a PostgreSQL server of our own, reached through a proxy.
type database struct {
	cluster  *pgtest.Cluster
	proxy    *proxy
	dir      string
	proxyDir string
}

// newDatabase starts one; the caller closes it.
func newDatabase() (d *database, err error) {
	d = &database{}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	if d.dir, err = os.MkdirTemp("/tmp", "pgfault"); err != nil {
		return d, err
	}
	cluster, err := pgtest.New(d.dir, true)
	if err != nil {
		return d, err
	}
	if err := cluster.Start(); err != nil {
		return d, err
	}
	d.cluster = cluster
	if err := cluster.CreateDatabase("signet", ""); err != nil {
		return d, err
	}
	if d.proxyDir, err = socketDir(); err != nil {
		return d, err
	}
	d.proxy, err = newProxy(d.proxyDir, d.dir)
	return d, err
}

func (d *database) url() string {
	return "postgres:///signet?user=postgres&sslmode=disable&host=" + url.QueryEscape(d.proxyDir)
}

// settled returns true when every transaction that is open now has ended: a dead process's
// last message may still be in the server's hands, which commits it when its turn comes.
func (d *database) settled() bool {
	ctx, cancel := context.WithTimeout(context.Background(), readyWithin)
	defer cancel()
	c, err := pgx.Connect(ctx, d.cluster.URL("signet"))
	if err != nil {
		return false // it is away; ask again
	}
	defer c.Close(ctx)
	var now time.Time
	if err := c.QueryRow(ctx, "SELECT clock_timestamp()").Scan(&now); err != nil {
		return false
	}
	for {
		open := 0
		err := c.QueryRow(ctx, `SELECT COUNT(*) FROM pg_stat_activity
			WHERE datname = 'signet' AND pid <> pg_backend_pid() AND state <> 'idle' AND xact_start < $1`, now).Scan(&open)
		if err != nil || open == 0 {
			return err == nil
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return false
		}
	}
}

func (d *database) close() error {
	var errs []error
	if d.proxy != nil {
		errs = append(errs, d.proxy.close())
	}
	if d.cluster != nil {
		errs = append(errs, d.cluster.Stop())
	}
	for _, dir := range []string{d.dir, d.proxyDir} {
		if dir != "" {
			errs = append(errs, os.RemoveAll(dir))
		}
	}
	return errors.Join(errs...)
}
