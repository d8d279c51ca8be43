//go:build unix

package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/signet-id/signet/internal/config"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/pgtest"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/server"
)

// The people and apps of the measurement.
const (
	userName = "ann"
	password = "correct horse battery staple"
	resource = "http://127.0.0.1:1"
	scope    = "things:read"
	redirect = "http://127.0.0.1:1/callback"
)

// addresses is what the child tells its parent.
type addresses struct{ Signet, Bare, Control string }

func clientSecret(id string) secret.Text {
	return secret.FromBytes(secret.ClientSecret, secret.Hash("bench", secret.NewText(id)))
}

// serveChild serves signet, the bare handlers and the control address until its
// standard input ends.
func serveChild(postgres bool) error {
	dir, err := os.MkdirTemp("", "signet-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	listeners, at, err := listen()
	if err != nil {
		return err
	}
	key := secret.Key()
	keyFile := filepath.Join(dir, "key")
	if err := os.WriteFile(keyFile, []byte(base64.StdEncoding.EncodeToString(key[:])), 0o600); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	databases := databases{ours: "sqlite:" + filepath.Join(dir, "signet.db"), bare: "sqlite:" + filepath.Join(dir, "bare.db")}
	if postgres {
		if err := databases.startPostgres(dir); err != nil {
			return err
		}
		defer databases.cluster.Stop()
	}
	s, err := server.New(ctx, config.Config{PublicURL: at.Signet, KeyFile: keyFile, DataDir: dir, Database: databases.ours}.WithDefaults(),
		server.Options{Dev: true, InsecureCheapPasswords: true})
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Seed(ctx, seed()); err != nil {
		return err
	}
	bare, err := newBare(databases.bare)
	if err != nil {
		return err
	}
	defer bare.close()
	done := make(chan error, 3)
	go func() { done <- s.Run(ctx, listeners[0]) }()
	go func() { done <- http.Serve(listeners[1], bare.handler()) }()
	go func() { done <- http.Serve(listeners[2], http.HandlerFunc(databases.cpu)) }()
	if err := json.NewEncoder(os.Stdout).Encode(at); err != nil {
		return err
	}
	go func() { _, err := io.Copy(io.Discard, os.Stdin); done <- err }()
	return <-done
}

func listen() (listeners [3]net.Listener, at addresses, err error) {
	for i := range listeners {
		if listeners[i], err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return listeners, at, err
		}
	}
	// The issuer is localhost, as in signet dev.
	_, port, err := net.SplitHostPort(listeners[0].Addr().String())
	at = addresses{
		Signet: "http://localhost:" + port,
		Bare:   "http://" + listeners[1].Addr().String(), Control: "http://" + listeners[2].Addr().String(),
	}
	return listeners, at, err
}

// databases are the two that are written to.
type databases struct {
	ours, bare string
	cluster    *pgtest.Cluster // nil: SQLite
}

// startPostgres replaces them by two of a server that syncs to the disk.
func (d *databases) startPostgres(dir string) error {
	if err := os.Chmod(dir, 0o755); err != nil { // its user is another one
		return err
	}
	home := filepath.Join(dir, "pg")
	if err := os.Mkdir(home, 0o755); err != nil {
		return err
	}
	cluster, err := pgtest.New(home, true)
	if err != nil {
		return err
	}
	if err := cluster.Start(); err != nil {
		return err
	}
	d.cluster, d.ours, d.bare = cluster, cluster.URL("signet"), cluster.URL("bare")
	return errors.Join(cluster.CreateDatabase("signet", ""), cluster.CreateDatabase("bare", ""))
}

// cpu answers with the processor time that this process and PostgreSQL have used, in nanoseconds.
func (d *databases) cpu(w http.ResponseWriter, _ *http.Request) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	database := time.Duration(0)
	if d.cluster != nil {
		database = d.cluster.CPU()
	}
	fmt.Fprint(w, u.Utime.Nano()+u.Stime.Nano(), " ", database.Nanoseconds())
}

func seed() server.Seed {
	return server.Seed{
		Users: []server.SeedUser{{User: idp.User{ID: secret.ID(), Username: userName, Email: "ann@example.com"}, Password: password}},
		Resources: []idp.Resource{{
			ID: resource, Name: "Things", TokenFormat: "jwt", Alg: "EdDSA",
			Scopes: []idp.Scope{{Name: scope, Title: map[string]string{"en": "See things"}}},
		}},
		// Codes and refresh tokens have clients of their own: a person may have so many grants of one.
		Clients: []idp.Client{client("web", "EdDSA"), client("web-rs256", "RS256"), client("fresh", "EdDSA"), client("fresh-rs256", "RS256")},
	}
}

func client(id, idTokenAlg string) idp.Client {
	return idp.Client{
		ID: id, SecretHash: secret.Hash("client_secret", clientSecret(id)),
		ClientMetadata: idp.ClientMetadata{
			Name: id, FirstParty: true, ApplicationType: "web", TokenEndpointAuthMethod: idp.AuthBasic, Profile: idp.OAuth21,
			RedirectURIs: []string{redirect}, Scopes: []string{idp.ScopeOpenID, idp.ScopeProfile, scope},
			GrantTypes: []string{idp.GrantAuthorizationCode, idp.GrantRefreshToken, idp.GrantClientCredentials}, IDTokenAlg: idTokenAlg,
		},
	}
}
