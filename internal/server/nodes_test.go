//go:build unix

package server_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/config"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/pgtest"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/server"
	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/verifytest"
)

// TestMain stops the PostgreSQL server that the tests have used.
func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

const things = "https://things.example"

// cluster is two nodes on one PostgreSQL database behind a balancer of connections.
type cluster struct {
	url   string
	nodes [2]*clusterNode
	key   secret.Text // of the client "app"
}

type clusterNode struct {
	url  string // of this node alone
	stop func() error
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	database := pgtest.Database(t)
	front := listener(t)
	c := &cluster{url: "http://" + front.Addr().String(), key: secret.New(secret.ClientSecret)}
	keyFile := filepath.Join(t.TempDir(), "key")
	if err := config.NewKey(keyFile); err != nil {
		t.Fatal(err)
	}
	var backs []string
	for i := range c.nodes {
		ln := listener(t)
		backs = append(backs, ln.Addr().String())
		c.nodes[i] = c.startNode(t, ln, keyFile, database, i == 0)
	}
	balance(t, front, backs)
	return c
}

func listener(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

func (c *cluster) startNode(t *testing.T, ln net.Listener, keyFile, database string, seed bool) *clusterNode {
	t.Helper()
	dir, err := os.MkdirTemp("", "s") // t.TempDir is too long for a socket's name
	if err != nil {
		t.Fatal(err)
	}
	cfg := config.Config{PublicURL: c.url, KeyFile: keyFile, DataDir: dir, Database: database}.WithDefaults()
	s, err := server.New(t.Context(), cfg, server.Options{Dev: true, InsecureCheapPasswords: true, Heartbeat: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if seed {
		if err := s.Seed(t.Context(), c.seed()); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, ln) }()
	n := &clusterNode{url: "http://" + ln.Addr().String()}
	n.stop = sync.OnceValue(func() error {
		cancel()
		return errors.Join(<-done, s.Close(), os.RemoveAll(dir))
	})
	t.Cleanup(func() {
		if err := n.stop(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func (c *cluster) seed() server.Seed {
	return server.Seed{
		Users:     []server.SeedUser{{User: idp.User{ID: secret.ID(), Username: "ann"}, Password: password}},
		Resources: []idp.Resource{{ID: things, Name: "Things", Scopes: []idp.Scope{{Name: "things.read", Title: map[string]string{"en": "See things"}}}}},
		Clients: []idp.Client{{
			ID: "app", SecretHash: secret.Hash("client_secret", c.key),
			ClientMetadata: idp.ClientMetadata{
				Name: "App", FirstParty: true, ApplicationType: "web", TokenEndpointAuthMethod: idp.AuthBasic, Profile: idp.OAuth21,
				RedirectURIs: []string{redirect}, Scopes: []string{"openid", "things.read"},
				GrantTypes: []string{idp.GrantAuthorizationCode, idp.GrantRefreshToken, idp.GrantClientCredentials},
			},
		}},
	}
}

// balance gives each connection to the next node that takes it.
func balance(t *testing.T, front net.Listener, backs []string) {
	t.Helper()
	var turn atomic.Int64
	var all sync.WaitGroup
	all.Go(func() {
		for {
			client, err := front.Accept()
			if err != nil {
				return
			}
			all.Go(func() { forward(client, backs, int(turn.Add(1))) })
		}
	})
	t.Cleanup(func() {
		front.Close()
		http.DefaultClient.CloseIdleConnections()
	})
}

func forward(client net.Conn, backs []string, turn int) {
	defer client.Close()
	for i := range backs {
		back, err := net.Dial("tcp", backs[(turn+i)%len(backs)])
		if err != nil {
			continue
		}
		go func() {
			_, _ = io.Copy(back, client)
			_ = back.(*net.TCPConn).CloseWrite()
		}()
		_, _ = io.Copy(client, back)
		back.Close()
		return
	}
}

// each request takes a connection of its own, so the next node.
var eachAnew = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func (c *cluster) post(t *testing.T, at string, form url.Values) (int, map[string]string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", at, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("app", c.key.Reveal())
	answer, err := eachAnew.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	members := map[string]string{}
	for _, m := range member.FindAllStringSubmatch(string(body), -1) {
		members[m[1]] = m[2]
	}
	return answer.StatusCode, members
}

func (c *cluster) issue(t *testing.T, at string) string {
	t.Helper()
	code, tokens := c.post(t, at+"/token", url.Values{"grant_type": {"client_credentials"}, "scope": {"things.read"}})
	if code != http.StatusOK || tokens["access_token"] == "" {
		t.Fatalf("token: %d %v", code, tokens)
	}
	return tokens["access_token"]
}

func (c *cluster) revoke(t *testing.T, at, token string) {
	t.Helper()
	if code, answer := c.post(t, at+"/revoke", url.Values{"token": {token}}); code != http.StatusOK {
		t.Fatalf("revoke: %d %v", code, answer)
	}
}

// eventually waits for what other parts do in the background.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(15 * time.Second)
	for !holds() {
		select {
		case <-deadline:
			t.Fatal("does not happen: " + what)
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// TestNodes_FeedIsResumedElsewhere: a verifier follows the revocations of one node; those
// of the other come as well, and when its node goes away it goes on at the other one,
// where it was. TOK-12, STO-03
func TestNodes_FeedIsResumedElsewhere(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	v, err := verify.New(c.url, things, verify.HTTPClient(&http.Client{Transport: &http.Transport{}}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- v.Run(ctx) }()
	defer func() { stop(); <-ended }()
	select {
	case <-v.Ready():
	case <-time.After(15 * time.Second):
		t.Fatal("the verifier does not become ready:", v.Status().LastTrouble)
	}
	refused := func(token string) func() bool {
		return func() bool {
			_, err := v.Verify(t.Context(), token)
			if err != nil && !errors.Is(err, verify.ErrRevoked) {
				t.Fatalf("refused for another reason: %v", err)
			}
			return err != nil
		}
	}
	kept := c.issue(t, c.url)
	var dead []string
	for _, from := range c.nodes {
		for _, at := range c.nodes {
			token := c.issue(t, from.url)
			if refused(token)() {
				t.Fatal("a good token is refused")
			}
			c.revoke(t, at.url, token)
			eventually(t, "the token is refused", refused(token))
			dead = append(dead, token)
		}
	}
	epoch := v.Status().Epoch
	for _, n := range c.nodes[:1] {
		if err := n.stop(); err != nil {
			t.Fatal(err)
		}
	}
	token := c.issue(t, c.url)
	c.revoke(t, c.url, token)
	eventually(t, "the token is refused with one node gone", refused(token))
	for _, token := range dead {
		if !refused(token)() {
			t.Error("a revoked token is good again on the other node")
		}
	}
	if refused(kept)() {
		t.Error("a good token is refused on the other node")
	}
	if now := v.Status(); now.Epoch != epoch || now.Position != 5 {
		t.Errorf("the log is another one: epoch %s, then %s at %d", epoch, now.Epoch, now.Position)
	}
}

// TestNodes_ShareOneBudget: whoever guesses a password has as many attempts on two nodes
// as on one. LOG-03
func TestNodes_ShareOneBudget(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	b := &browser{t: t, s: &running{url: c.url}, cookies: map[string]string{}, client: eachAnew}
	var codes []int
	for range 8 {
		codes = append(codes, b.login("wrong "+password))
	}
	refused, limited := 0, 0
	for _, code := range codes {
		switch code {
		case http.StatusTooManyRequests:
			limited++
		case http.StatusOK, http.StatusUnauthorized, http.StatusForbidden, http.StatusUnprocessableEntity:
			refused++
		}
	}
	if refused != 5 || limited != 3 {
		t.Errorf("8 attempts on two nodes with a budget of 5 in all: %v", codes)
	}
}

// TestNodes_AnyRequestAnywhere: a login that begins on one node goes on on the other, with
// each form and cookie; a code that was made on one is redeemed on the other. The
// transcripts of test/script do so with every flow.
func TestNodes_AnyRequestAnywhere(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	b := &browser{t: t, s: &running{url: c.url}, cookies: map[string]string{}, client: eachAnew}
	b.login(password)
	form := url.Values{
		"response_type": {"code"}, "client_id": {"app"}, "redirect_uri": {redirect}, "scope": {"openid things.read"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
	}
	answer, page := b.do("GET", c.url+"/authorize?"+form.Encode(), nil)
	at, err := answer.Location()
	if err != nil {
		t.Fatalf("authorize: %s: %s", answer.Status, page)
	}
	code := at.Query().Get("code")
	status, tokens := c.post(t, c.url+"/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirect},
		"code_verifier": {"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"},
	})
	for range 6 {
		if status != http.StatusOK || tokens["refresh_token"] == "" {
			t.Fatalf("token: %d %v", status, tokens)
		}
		status, tokens = c.post(t, c.url+"/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens["refresh_token"]}})
	}
}

// TestNodes_TOK14_OneProof: of requests with one proof, to two nodes at once, one succeeds.
func TestNodes_TOK14_OneProof(t *testing.T) {
	t.Parallel()
	c, key := startCluster(t), verifytest.NewDPoPKey(t)
	ask := func(at, proof string) int {
		form := url.Values{"grant_type": {"client_credentials"}, "scope": {"things.read"}}
		r, err := http.NewRequestWithContext(t.Context(), "POST", at+"/token", strings.NewReader(form.Encode()))
		if err != nil {
			t.Error(err)
			return 0
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("DPoP", proof)
		r.SetBasicAuth("app", c.key.Reveal())
		answer, err := eachAnew.Do(r)
		if err != nil {
			t.Error(err)
			return 0
		}
		answer.Body.Close()
		return answer.StatusCode
	}
	for range 10 {
		proof := key.Proof("POST", c.url+"/token", "", "", verifytest.Claims{"ath": nil})
		var good, refused atomic.Int64
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				switch ask(c.nodes[i%2].url, proof) {
				case http.StatusOK:
					good.Add(1)
				case http.StatusBadRequest:
					refused.Add(1)
				}
			})
		}
		all.Wait()
		if good.Load() != 1 || refused.Load() != 7 {
			t.Fatalf("%d succeeded, %d were refused", good.Load(), refused.Load())
		}
	}
}
