package admin_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/signet-id/signet/internal/admin"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

type failingHasher struct{ err error }

func (h failingHasher) Hash(context.Context, secret.Text) (string, error) { return "", h.err }

// Waiting helps who is told that we are busy, and not who has no database. The cause is
// the log's alone.
func TestUnavailable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("hashing queue is full: %w", idp.ErrUnavailable), "busy; try again in a few seconds"},
		{fmt.Errorf("%w: %w", idp.ErrUnavailable, dialNobody(t)), "the database does not answer; look what it is with: signet doctor"},
		{fmt.Errorf("%w: read: %w", idp.ErrUnavailable, io.ErrUnexpectedEOF), "the database does not answer; look what it is with: signet doctor"},
	} {
		a := newAPIWith(t, failingHasher{c.err})
		got := decode[admin.Error](t, a.do(http.StatusServiceUnavailable, "POST", "/users", `{"username":"ann","password":"`+goodPassword+`"}`))
		if got.Code != "unavailable" || got.Message != c.want {
			t.Errorf("%v: %q %q", c.err, got.Code, got.Message)
		}
	}
}

// dialNobody is what a line to a port says where nobody listens.
func dialNobody(t *testing.T) error {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err == nil {
		conn.Close()
		t.Fatal("somebody listens")
	}
	return err
}
