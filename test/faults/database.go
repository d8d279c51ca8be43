//go:build unix

package main

import (
	"errors"
	"net/url"
	"os"

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
