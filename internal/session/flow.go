package session

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

// Flow returns the hash of the browser's flow cookie and makes the cookie if there is none,
// or none that can be believed.
func (m *Manager) Flow(w http.ResponseWriter, r *http.Request) [32]byte {
	hash, err := m.FlowHash(r)
	if err == nil {
		return hash
	}
	cookie := secret.New(secret.Flow)
	setCookie(w, r, flowCookie, cookie)
	return secret.Hash("flow", cookie)
}

// FlowHash returns the hash of the browser's flow cookie; idp.ErrNotFound if there is none.
func (m *Manager) FlowHash(r *http.Request) ([32]byte, error) {
	cookie, err := readCookie(r, flowCookie)
	if err != nil {
		return [32]byte{}, fmt.Errorf("flow: %w", err)
	}
	return secret.Hash("flow", cookie), nil
}

// CSRF returns the value that this browser's forms carry; empty without a flow cookie, so
// pages call Flow first. It is an HMAC keyed by the flow cookie over the session cookie:
// another site can read neither, and a login makes all values from before worthless.
func (m *Manager) CSRF(r *http.Request) string {
	value, err := csrf(r)
	if err != nil {
		return ""
	}
	return value
}

// CheckCSRF refuses a form whose value is not this browser's (OAU-15).
func (m *Manager) CheckCSRF(r *http.Request, token string) error {
	want, err := csrf(r)
	if err != nil {
		return fmt.Errorf("anti-CSRF value: %w: %v", idp.ErrDenied, err)
	}
	if subtle.ConstantTimeCompare([]byte(want), []byte(token)) != 1 {
		return fmt.Errorf("anti-CSRF value: %w", idp.ErrDenied)
	}
	return nil
}

// csrf derives the value. The session cookie counts as it was sent, whether its session
// lives or not: a form must not become void by a look-up.
func csrf(r *http.Request) (string, error) {
	flow, err := readCookie(r, flowCookie)
	if err != nil {
		return "", err
	}
	login, err := readCookie(r, sessionCookie)
	if errors.Is(err, ErrDuplicate) {
		return "", err
	}
	mac := hmac.New(sha256.New, []byte(flow.Reveal()))
	mac.Write([]byte("signet:csrf\x00"))
	mac.Write([]byte(login.Reveal()))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), nil
}
