package admin_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

// busyHasher has no place for the next callers.
type busyHasher struct{ busy, asked int }

func (h *busyHasher) Hash(context.Context, secret.Text) (string, error) {
	if h.asked++; h.asked <= h.busy {
		return "", fmt.Errorf("hashing queue is slow: %w", idp.ErrUnavailable)
	}
	return "$argon2id$", nil
}

// The first "user add" meets the measurement of the machine, which takes the hasher's
// places on a slow one: an operator waits longer than somebody who signs in, but not for ever.
func TestUsers_PasswordWaitsForTheHasher(t *testing.T) {
	t.Parallel()
	h := &busyHasher{busy: 3}
	a := newAPIWith(t, h)
	a.do(http.StatusCreated, "POST", "/users", `{"username":"ann","password":"`+goodPassword+`"}`)
	*h = busyHasher{busy: 3}
	a.do(http.StatusNoContent, "PUT", "/users/ann/password", `{"password":"`+goodPassword+` again"}`)
	*h = busyHasher{busy: 1 << 30}
	a.do(http.StatusServiceUnavailable, "POST", "/users", `{"username":"bob","password":"`+goodPassword+`"}`)
	if h.asked < 2 || h.asked > 14 {
		t.Errorf("asked %d times; the hasher waits two seconds each, the command line thirty", h.asked)
	}
	a.do(http.StatusNotFound, "GET", "/users/bob", "")
}
