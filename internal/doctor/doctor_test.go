//go:build unix

package doctor_test

import (
	"context"
	"crypto/x509"
	"database/sql"
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/doctor"
	"github.com/signet-id/signet/internal/pgtest"
	"golang.org/x/net/dns/dnsmessage"
)

// What fits has no problem, behind a proxy as with TLS of its own.
func TestExamine_Well(t *testing.T) {
	t.Parallel()
	p := newPatient(t)
	p.behind(appending, nil)
	p.serve()
	f := p.examine()
	f.noProblems(t)
	for _, check := range []string{"configuration", "files", "server", "database", "clock", "address", "certificate", "public url", "cookies"} {
		f.want(t, check, doctor.OK)
	}
	f.want(t, "proxy", doctor.OK, "127.0.0.1 passes on the client's address (127.0.0.1)", `"https"`)
	f.want(t, "mail", doctor.Skipped, "no smtp.host")

	own := newPatient(t)
	own.writePair(own.ca.issue(t, fitting))
	own.serve()
	f = own.examine()
	f.noProblems(t)
	f.want(t, "proxy", doctor.OK, "there is none")
	f.want(t, "certificate", doctor.OK, "at localhost:")
}

// What a reverse proxy does to requests and answers can be seen from both ends only.
func TestExamine_Proxy(t *testing.T) {
	t.Parallel()
	strip := func(r *httputil.ProxyRequest) { delete(r.Out.Header, "X-Forwarded-For") }
	rows := []struct {
		name    string
		rewrite func(*httputil.ProxyRequest)
		change  func(*http.Response) error
		trusted string
		check   string
		words   []string
	}{
		{"forwards nothing", strip, nil, "", "proxy", []string{"sends no X-Forwarded-For", "proxy_set_header X-Forwarded-For"}},
		{"forwards what visitors write", func(r *httputil.ProxyRequest) {
			r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"]
		}, nil, "", "proxy", []string{"passes on the X-Forwarded-For that visitors write"}},
		{"is not named", appending, nil, "[10.9.9.9]", "proxy", []string{"trusted_proxies does not name", "trusted_proxies: [10.9.9.9, 127.0.0.1]"}},
		{"gives cookies a path", appending, func(res *http.Response) error {
			for i, line := range res.Header["Set-Cookie"] {
				res.Header["Set-Cookie"][i] = strings.Replace(line, "Path=/", "Path=/id", 1)
			}
			return nil
		}, "", "cookies", []string{"without Path=/", "proxy_cookie_path"}},
		{"gives cookies a domain", appending, func(res *http.Response) error {
			for i, line := range res.Header["Set-Cookie"] {
				res.Header["Set-Cookie"][i] = line + "; Domain=localhost"
			}
			return nil
		}, "", "cookies", []string{"with a Domain"}},
		{"drops cookies", appending, func(res *http.Response) error { res.Header.Del("Set-Cookie"); return nil }, "", "cookies", []string{"without a cookie"}},
		{"has no such path", appending, func(res *http.Response) error {
			if strings.HasPrefix(res.Request.URL.Path, "/.well-known/") {
				res.StatusCode = http.StatusNotFound
			}
			return nil
		}, "", "public url", []string{"answers 404", "let the reverse proxy pass everything"}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := newPatient(t)
			p.behind(row.rewrite, row.change)
			if row.trusted != "" {
				p.values["trusted_proxies"] = row.trusted
			}
			p.serve()
			p.examine().want(t, row.check, doctor.Problem, row.words...)
		})
	}
}

// Another server behind the public URL is another issuer.
func TestExamine_OtherIssuer(t *testing.T) {
	t.Parallel()
	other, p := newPatient(t), newPatient(t)
	other.serve()
	p.serve()
	p.values["public_url"] = other.values["public_url"]
	f := p.examine()
	f.want(t, "public url", doctor.OK) // it is the issuer that the file names now
	f.want(t, "proxy", doctor.Skipped, "none of the requests")
	p.values["public_url"] = strings.Replace(other.values["public_url"], "localhost", "127.0.0.1", 1)
	p.examine().want(t, "public url", doctor.Problem, "another issuer answers there")
}

func TestExamine_Certificate(t *testing.T) {
	t.Parallel()
	now := time.Now()
	rows := []struct {
		name   string
		change func(*x509.Certificate)
		state  doctor.State
		words  []string
	}{
		{"fits", fitting, doctor.OK, []string{"good until"}},
		{"of another host", func(c *x509.Certificate) { c.DNSNames = []string{"other.example"} }, doctor.Problem, []string{"is for other.example, 127.0.0.1, not for localhost"}},
		{"expired", func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Minute) }, doctor.Problem, []string{"has expired", "renew"}},
		{"of tomorrow", func(c *x509.Certificate) { c.NotBefore = now.Add(24 * time.Hour) }, doctor.Problem, []string{"begins on"}},
		{"expires soon", func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = now.Add(-80*24*time.Hour), now.Add(9*24*time.Hour+time.Hour)
		}, doctor.Warning, []string{"expires in 9 days"}},
		{"lives six days", func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(-time.Hour), now.Add(6*24*time.Hour) }, doctor.OK, nil},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := newPatient(t)
			p.writePair(p.ca.issue(t, row.change))
			p.examine().want(t, "certificate", row.state, append(row.words, "in "+filepath.Join(p.dir, "tls.crt"))...) // nobody serves yet
			p.serve()
			p.examine().want(t, "certificate", row.state, append(row.words, "at localhost:")...)
		})
	}
	t.Run("of nobody known", func(t *testing.T) {
		t.Parallel()
		p := newPatient(t)
		p.writePair(newAuthority(t).issue(t, fitting))
		p.examine().want(t, "certificate", doctor.Problem, "is not trusted", "an authority that browsers trust")
	})
	t.Run("without the chain", func(t *testing.T) {
		t.Parallel()
		p := newPatient(t)
		pair := p.ca.issue(t, fitting)
		pair.Certificate = pair.Certificate[:1]
		p.writePair(pair)
		p.examine().want(t, "certificate", doctor.Problem, "is not trusted", "serve the whole chain, leaf first")
	})
	t.Run("nobody speaks TLS", func(t *testing.T) {
		t.Parallel()
		p := newPatient(t)
		p.values["public_url"], p.values["trusted_proxies"] = "https://localhost:"+strings.Split(p.values["listen"], ":")[1], "[127.0.0.1]"
		p.examine().want(t, "certificate", doctor.Problem, "nobody speaks TLS", "tls_cert and tls_key")
	})
}

// The clock is compared with the Date of the public URL, and with PostgreSQL's.
func TestExamine_Clock(t *testing.T) {
	t.Parallel()
	p := newPatient(t)
	p.serve()
	p.examine().want(t, "clock", doctor.OK, "the same as that of")
	p.ahead = 20 * time.Second
	p.examine().want(t, "clock", doctor.Warning, "s off that of")
	p.ahead = -2 * time.Minute
	p.examine().want(t, "clock", doctor.Problem, "s off that of", "timedatectl")

	shared := newPatient(t)
	shared.values["database"] = "'" + pgtest.Database(t) + "'"
	shared.examine().want(t, "clock", doctor.OK, "off the database's")
	shared.ahead = 3 * time.Second
	shared.examine().want(t, "clock", doctor.Problem, "off the database's; a server is not ready with more than 1s")
}

func TestExamine_Postgres(t *testing.T) {
	t.Parallel()
	at := pgtest.Database(t)
	p := newPatient(t)
	p.values["database"] = "'" + at + "'"
	f := p.examine()
	f.want(t, "database", doctor.OK, "PostgreSQL", "empty: the first start fills it")
	f.want(t, "keys", doctor.Skipped)
	stop := p.serve()
	f = p.examine() // while it runs
	f.want(t, "database", doctor.OK, "writable, with schema")
	f.want(t, "keys", doctor.OK, "key_file opens")
	stop()
	p.values["database"] = "'" + strings.Replace(at, "/test", "/missing", 1) + "'"
	p.examine().want(t, "database", doctor.Problem, "does not exist", "CREATE DATABASE")
	p.values["database"] = "postgres://signet@127.0.0.1:1/signet?sslmode=disable"
	f = p.examine()
	f.want(t, "database", doctor.Problem, "refused", "is PostgreSQL running there")
	f.want(t, "clock", doctor.Skipped)
}

// Looking at a file changes nothing in its directory, and whoever has it is left alone.
func TestExamine_SQLite(t *testing.T) {
	t.Parallel()
	p := newPatient(t)
	p.values["database"] = "'sqlite:db/signet.db'"
	if err := os.Mkdir(filepath.Join(p.dir, "db"), 0o700); err != nil {
		t.Fatal(err)
	}
	f := p.examine()
	f.noProblems(t)
	f.want(t, "database", doctor.OK, "does not exist yet")
	if _, err := os.Stat(filepath.Join(p.dir, "data")); err == nil {
		t.Error("the data directory was made")
	}
	stop := p.serve()
	p.examine().want(t, "keys", doctor.Skipped, "as it was when it started")
	stop()
	before := listing(t, p.dir)
	f = p.examine()
	f.noProblems(t)
	f.want(t, "database", doctor.OK, "SQLite", "writable, with schema")
	f.want(t, "keys", doctor.OK)
	if after := listing(t, p.dir); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
	p.alter("INSERT INTO migrations (version, name) VALUES (9999, 'of a newer release')")
	p.examine().want(t, "database", doctor.Warning, "schema 9999 of a newer release")
	p.alter("DELETE FROM migrations WHERE version > 1")
	f = p.examine()
	f.want(t, "database", doctor.OK, "with schema 1: the next start brings it to")
	f.want(t, "keys", doctor.Skipped, "older than this program")
	if err := os.WriteFile(filepath.Join(p.dir, "db", "signet.db-wal"), []byte("left behind"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.examine().want(t, "database", doctor.Skipped, "was not closed")
	if err := os.Remove(filepath.Join(p.dir, "db", "signet.db-wal")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.dir, "db", "signet.db"), []byte(strings.Repeat("a letter\n", 200)), 0o600); err != nil {
		t.Fatal(err)
	}
	p.examine().want(t, "database", doctor.Problem, "not a database")
}

// alter changes the database of a server that is stopped.
func (p *patient) alter(statement string) {
	p.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(p.dir, "db", "signet.db"))
	if err != nil {
		p.t.Fatal(err)
	}
	_, err = db.ExecContext(p.t.Context(), statement)
	if err := errors.Join(err, db.Close()); err != nil {
		p.t.Fatal(err)
	}
}

func listing(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		// Directories too: files that were there for a moment only change their times.
		if base := filepath.Base(path); base != "data" && base != "signet.yaml" {
			b.WriteString(path + " " + info.Mode().String() + " " + info.ModTime().String() + "\n")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Secrets that others can read, directories that are open, a port that is taken.
func TestExamine_FilesAndPort(t *testing.T) {
	t.Parallel()
	p := newPatient(t)
	if err := os.Chmod(filepath.Join(p.dir, "key"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(p.dir, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", p.values["listen"])
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	f := p.examine()
	f.want(t, "files", doctor.Problem, "has mode 0644", "chmod 600 "+filepath.Join(p.dir, "key"))
	f.want(t, "files", doctor.Warning, "other users can look into it", "chmod 700")
	f.want(t, "server", doctor.Problem, "another program listens at "+p.values["listen"])
	if err := os.Remove(filepath.Join(p.dir, "key")); err != nil {
		t.Fatal(err)
	}
	p.examine().want(t, "files", doctor.Problem, "no such file", "only for a new database: signet key new")
	path := p.file()
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	p.examine().want(t, "configuration", doctor.Problem, "has mode 0666", "chmod 644")
}

func TestExamine_Address(t *testing.T) {
	t.Parallel()
	p := newPatient(t)
	p.values["public_url"], p.values["trusted_proxies"] = "https://id.example", "[127.0.0.1]"
	p.dns = names(t, map[string][4]byte{"here.example.": {127, 0, 0, 1}, "id.example.": {127, 0, 0, 1}})
	p.examine().want(t, "address", doctor.Warning, "leads to this machine only (127.0.0.1)")
	p.values["public_url"] = "https://missing.example"
	p.examine().want(t, "address", doctor.Problem, "missing.example is not known to DNS", "A or AAAA record")
	p.values["public_url"] = "https://127.0.0.1"
	p.examine().want(t, "address", doctor.Warning, "passkeys do not work with it")
}

// names answers from a table, on loopback.
func names(t *testing.T, table map[string][4]byte) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var asked atomic.Int64
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			asked.Add(1)
			var q dnsmessage.Message
			if q.Unpack(buf[:n]) != nil || len(q.Questions) != 1 {
				continue
			}
			a := dnsmessage.Message{Header: dnsmessage.Header{ID: q.ID, Response: true, RecursionAvailable: true}, Questions: q.Questions}
			ip, known := table[q.Questions[0].Name.String()]
			if !known {
				a.RCode = dnsmessage.RCodeNameError
			} else if q.Questions[0].Type == dnsmessage.TypeA {
				a.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Questions[0].Name, Class: dnsmessage.ClassINET}, Body: &dnsmessage.AResource{A: ip},
				}}
			}
			if reply, err := a.Pack(); err == nil {
				_, _ = conn.WriteTo(reply, from)
			}
		}
	}()
	t.Cleanup(func() {
		conn.Close()
		<-done
		if asked.Load() == 0 {
			t.Error("nobody asked for a name")
		}
	})
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}
