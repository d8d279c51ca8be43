package server_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/config"
)

// dial connects from one of this machine's own addresses, 127.0.0.0/8.
func (r *running) dial(t *testing.T, from string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	conn, err := d.DialContext(t.Context(), "tcp4", strings.Replace(strings.TrimPrefix(r.url, "http://"), "localhost", "127.0.0.1", 1))
	if err != nil {
		t.Skip("connections from other loopback addresses are not possible here:", err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// served reports whether a whole request on the connection is answered, after which it is idle.
func served(conn net.Conn) bool {
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		return false
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err == nil && answer.StatusCode == http.StatusOK
}

// begin sends half a request and waits until the server has seen it: then the connection
// is busy. The server asks for the rest with "100 Continue".
func begin(t *testing.T, conn net.Conn) {
	t.Helper()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	head := "POST /token HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 12\r\n\r\n"
	if _, err := io.WriteString(conn, head); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, "100") {
		t.Fatalf("%q, %v", line, err)
	}
}

// cut reports whether the other side has closed the connection.
func cut(conn net.Conn) bool {
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	_, err := io.Copy(io.Discard, conn)
	return !errors.Is(err, os.ErrDeadlineExceeded)
}

// TestServer_DOS01_OneNetworkTakesNotAll: what one address opens beyond its share costs
// its own idle connections, and nothing when all of them are busy; others are served.
func TestServer_DOS01_OneNetworkTakesNotAll(t *testing.T) {
	t.Parallel()
	s := start(t, false, func(c *config.Config) { c.Limits.MaxConnections, c.Limits.ReadTimeout = 128, time.Minute }) // a share is 8
	const evil = "127.0.0.2"
	var conns []net.Conn
	for range 8 {
		c := s.dial(t, evil)
		if !served(c) {
			t.Fatal("not served within its share")
		}
		conns = append(conns, c)
	}
	if c := s.dial(t, evil); !served(c) || !cut(conns[0]) {
		t.Error("the newcomer did not take the place of the longest idle one")
	} else {
		conns[0] = c
	}
	for _, c := range conns {
		begin(t, c)
	}
	if c := s.dial(t, evil); served(c) {
		t.Error("served beyond its share")
	}
	if c := s.dial(t, "127.0.0.3"); !served(c) {
		t.Error("another address is not served")
	}
}

// TestServer_DOS01_ProxiesAreExempt: everybody comes through them.
func TestServer_DOS01_ProxiesAreExempt(t *testing.T) {
	t.Parallel()
	s := start(t, false, func(c *config.Config) {
		c.Limits.MaxConnections, c.Limits.ReadTimeout, c.TrustedProxies = 32, time.Minute, []string{"127.0.0.2"}
	})
	for range 20 {
		begin(t, s.dial(t, "127.0.0.2"))
	}
	if c := s.dial(t, "127.0.0.2"); !served(c) {
		t.Error("a proxy has a share like a stranger")
	}
}

// TestServer_DOS01_IdleGiveWay: when no place is left, the connection that has been idle
// longest is given up for a newcomer; busy ones never are.
func TestServer_DOS01_IdleGiveWay(t *testing.T) {
	t.Parallel()
	s := start(t, false, func(c *config.Config) { c.Limits.MaxConnections, c.Limits.ReadTimeout = 3, time.Minute })
	busy, silent, idle := s.dial(t, "127.0.0.2"), s.dial(t, "127.0.0.3"), s.dial(t, "127.0.0.4")
	begin(t, busy)
	if !served(idle) {
		t.Fatal("not served")
	}
	if c := s.dial(t, "127.0.0.5"); !served(c) || !cut(silent) {
		t.Error("the newcomer did not take the place of the one that never spoke")
	}
	if c := s.dial(t, "127.0.0.6"); !served(c) || !cut(idle) {
		t.Error("the newcomer did not take the place of the idle one")
	}
	if _, err := io.WriteString(busy, "grant_type=x"); err != nil {
		t.Error(err)
	}
	if answer, err := bufio.NewReader(busy).ReadString(' '); err != nil || !strings.Contains(answer, "HTTP/1.1") {
		t.Errorf("the busy connection was given up: %q, %v", answer, err)
	}
}
