package server_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/config"
)

// slowRequest is a request of which the server has the beginning.
type slowRequest struct {
	conn net.Conn
	rest string
}

func (r *running) begin(t *testing.T, id, clientSecret string, form url.Values) slowRequest {
	t.Helper()
	conn, err := net.Dial("tcp", r.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	body := form.Encode()
	basic := base64.StdEncoding.EncodeToString([]byte(id + ":" + clientSecret))
	_, err = fmt.Fprintf(conn, "POST /token HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
		basic, len(body))
	if err != nil {
		t.Fatal(err)
	}
	// The server asks for the body when a handler reads it: now it is being answered.
	answer := make([]byte, len("HTTP/1.1 100 Continue\r\n\r\n"))
	if _, err := io.ReadFull(conn, answer); err != nil || !strings.Contains(string(answer), "100") {
		t.Fatalf("%q, %v", answer, err)
	}
	if _, err := io.WriteString(conn, body[:5]); err != nil {
		t.Fatal(err)
	}
	return slowRequest{conn, body[5:]}
}

func (q slowRequest) finish(t *testing.T) (status int, members map[string]any) {
	t.Helper()
	if _, err := io.WriteString(q.conn, q.rest); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(q.conn), nil)
	if err != nil {
		t.Fatalf("a request that was being answered was cut: %v", err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(&members); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, members
}

// TestServer_Drain_AnswersWhatItHasBegun: a request that was begun when the server was
// told to stop is answered, what it was told is true after the restart, and the port is
// free at once.
func TestServer_Drain_AnswersWhatItHasBegun(t *testing.T) {
	t.Parallel()
	s := start(t, true, nil)
	clientSecret := s.seed(t)
	b := &browser{t: t, s: s, cookies: map[string]string{}}
	b.login(password)
	var begun []slowRequest
	for range 5 {
		begun = append(begun, s.begin(t, "app", clientSecret.Reveal(), url.Values{
			"grant_type": {"authorization_code"}, "code": {b.authorize()}, "redirect_uri": {redirect},
		}))
	}
	stopped := make(chan error, 1)
	go func() { stopped <- s.stop() }()
	until(t, "accepts no more", func() bool {
		conn, err := net.Dial("tcp", s.address)
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	var tokens []string
	for _, q := range begun {
		status, members := q.finish(t)
		token, _ := members["refresh_token"].(string)
		if status != http.StatusOK || token == "" {
			t.Errorf("%d: %v", status, members["error"])
		}
		tokens = append(tokens, token)
	}
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	r := startAt(t, s.place, true, nil)
	b.s = r
	for _, token := range tokens {
		if answer := b.refresh(clientSecret, token); answer["access_token"] == "" {
			t.Errorf("after the restart: %v", answer)
		}
	}
}

// TestServer_Drain_Delay: a node that was told to stop says so at once, and goes on with
// its work until the load balancer has noticed.
func TestServer_Drain_Delay(t *testing.T) {
	t.Parallel()
	s := start(t, true, func(c *config.Config) { c.Limits.DrainDelay = 3 * time.Second })
	clientSecret := s.seed(t)
	feed, err := http.Get(s.url + "/revocations")
	if err != nil {
		t.Fatal(err)
	}
	defer feed.Body.Close()
	stopped := make(chan error, 1)
	go func() { stopped <- s.stop() }()
	until(t, "not ready", func() bool {
		code, _ := s.get(t, "/readyz")
		return code == http.StatusServiceUnavailable
	})
	if _, text := s.get(t, "/readyz?verbose"); text != "accepting requests: not ready\n" {
		t.Errorf("verbose: %s", text)
	}
	b, tokens := s.enter(t, clientSecret) // new connections, new writes
	if answer := b.refresh(clientSecret, tokens["refresh_token"]); answer["access_token"] == "" {
		t.Errorf("refresh while it drains: %v", answer)
	}
	if _, err := feed.Body.Read(make([]byte, 1)); err != nil {
		t.Errorf("the feed ended before its time: %v", err)
	}
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, feed.Body); err != nil {
		t.Logf("the feed ended with %v", err)
	}
	ln, err := net.Listen("tcp", s.address)
	if err != nil {
		t.Fatalf("the port is not free: %v", err)
	}
	ln.Close()
}
