//go:build unix

package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/signet-id/signet/internal/config"
	"github.com/signet-id/signet/internal/passhash"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/server"
	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/jose"
)

// way is one way for a service to find out who asks.
type way struct {
	name  string
	each  int // requests of a slice
	check func() error
}

// measureWays compares what one request costs whoever must answer it: a password that is
// hashed, a token that is looked up at the issuer, and a token that the service checks
// itself. All take turns in one process on one core; of the look-up both ends count.
func measureWays(rounds int) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ways, end, err := waysOf(ctx)
	if err != nil {
		return err
	}
	defer end()
	took := make([][]float64, len(ways))
	for round := range rounds + 1 {
		for i, w := range ways {
			d, err := w.slice()
			if err != nil {
				return fmt.Errorf("%s: %w", w.name, err)
			}
			if round > 0 { // the first round warms up
				took[i] = append(took[i], d)
			}
		}
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "one request\tprocessor time, µs\t÷ a JWT checked at first sight (median of ratios)")
	for i := range ways {
		fmt.Fprintf(w, "%s\t%.2f\t%.4g\n", ways[i].name, middle(took[i], nil), middle(took[i], took[len(ways)-2]))
	}
	return w.Flush()
}

// slice returns the microseconds of processor time that a request took.
func (w way) slice() (float64, error) {
	before, err := ownCPU()
	if err != nil {
		return 0, err
	}
	for range w.each {
		if err := w.check(); err != nil {
			return 0, err
		}
	}
	after, err := ownCPU()
	return (after - before).Seconds() * 1e6 / float64(w.each), err
}

func ownCPU() (time.Duration, error) {
	var u syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), err
}

// middle is the median of values, or of their ratios to others of the same rounds.
func middle(values, others []float64) float64 {
	samples := make([]float64, len(values))
	for i, v := range values {
		samples[i] = v
		if others != nil {
			samples[i] /= others[i]
		}
	}
	return medianOf(samples)
}

func waysOf(ctx context.Context) (ways []way, end func(), err error) {
	hasher := passhash.New(passhash.Config{Workers: 1})
	phc, err := hasher.Hash(ctx, secret.NewText(password))
	if err != nil {
		return nil, nil, err
	}
	issuer, end, err := startIssuer(ctx)
	if err != nil {
		return nil, nil, err
	}
	token, set, err := issuer.token(ctx)
	if err != nil {
		return nil, end, err
	}
	first, err := verify.New(issuer.url, resource, verify.InsecureStaticKeys(set), verify.TokenMemory(0))
	if err != nil {
		return nil, end, err
	}
	again, err := verify.New(issuer.url, resource, verify.InsecureStaticKeys(set))
	if err != nil {
		return nil, end, err
	}
	good := func(v *verify.Verifier) func() error {
		return func() error { _, err := v.Verify(ctx, token); return err }
	}
	return []way{
		{"Basic: argon2id, 19 MiB, t = 2", 8, func() error {
			if ok, _, err := hasher.Verify(ctx, phc, secret.NewText(password)); err != nil || !ok {
				return errors.Join(err, errors.New("the password is wrong"))
			}
			return nil
		}},
		{"asked at the issuer: POST /introspect, both ends", 200, func() error { return issuer.introspect(ctx, token) }},
		{"JWT, EdDSA, at first sight", 2000, good(first)},
		{"JWT, EdDSA, seen before", 200_000, good(again)},
	}, end, nil
}

// localIssuer is a provider in this process.
type localIssuer struct {
	url  string
	http *http.Client
}

func startIssuer(ctx context.Context) (i localIssuer, end func(), err error) {
	dir, err := os.MkdirTemp("", "signet-bench")
	if err != nil {
		return i, nil, err
	}
	key, keyFile := secret.Key(), filepath.Join(dir, "key")
	if err := os.WriteFile(keyFile, []byte(base64.StdEncoding.EncodeToString(key[:])), 0o600); err != nil {
		return i, nil, err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return i, nil, err
	}
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	i = localIssuer{"http://localhost:" + port, &http.Client{}}
	s, err := server.New(ctx, config.Config{PublicURL: i.url, KeyFile: keyFile, DataDir: dir, Database: "sqlite:" + filepath.Join(dir, "signet.db")}.WithDefaults(),
		server.Options{Dev: true, InsecureCheapPasswords: true})
	if err != nil {
		return i, nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, ln) }()
	end = func() {
		stop()
		if err := errors.Join(<-ended, s.Close(), os.RemoveAll(dir)); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
		}
	}
	return i, end, s.Seed(ctx, seed())
}

// token returns an access token and the keys that it is checked with.
func (i localIssuer) token(ctx context.Context) (string, *jose.KeySet, error) {
	answer, err := i.post(ctx, "/token", clientCredentials(0))
	if err != nil {
		return "", nil, err
	}
	_, token, _ := strings.Cut(answer, `"access_token":"`)
	token, _, _ = strings.Cut(token, `"`)
	res, err := i.http.Get(i.url + "/jwks.json")
	if err != nil {
		return "", nil, err
	}
	defer res.Body.Close()
	doc, err := io.ReadAll(res.Body)
	if err != nil {
		return "", nil, err
	}
	set, err := jose.ParseKeySet(doc)
	return token, set, err
}

func (i localIssuer) introspect(ctx context.Context, token string) error {
	answer, err := i.post(ctx, "/introspect", url.Values{"token": {token}})
	if err == nil && !strings.HasPrefix(answer, `{"active":true`) {
		err = errors.New("not active")
	}
	return err
}

func (i localIssuer) post(ctx context.Context, path string, form url.Values) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, i.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("web", clientSecret("web").Reveal())
	res, err := i.http.Do(r)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", path, res.Status, body)
	}
	return string(body), err
}
