package admin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/registration"
	"github.com/signet-id/signet/internal/secret"
)

// RegistrationToken is a right to register clients (RFC 7591 §1.2) as the API shows it:
// never the token.
type RegistrationToken struct {
	ID        string              `json:"id"`
	Name      string              `json:"name,omitempty"`
	Profile   idp.SecurityProfile `json:"security_profile"` // of the clients that it registers
	UsesLeft  int                 `json:"uses_left"`
	CreatedAt time.Time           `json:"created_at"`
	ExpiresAt time.Time           `json:"expires_at"`
	RevokedAt time.Time           `json:"revoked_at,omitzero"`
}

// RegistrationTokenWithSecret is the answer when a token was made: the one time it is shown.
type RegistrationTokenWithSecret struct {
	RegistrationToken
	Token string `json:"token,omitempty"`
}

// NewRegistrationToken asks for a token.
type NewRegistrationToken struct {
	Name      string              `json:"name,omitempty"`
	Profile   idp.SecurityProfile `json:"security_profile,omitempty"` // empty: oauth21
	Uses      int                 `json:"uses"`                       // left out: 1
	ExpiresIn int64               `json:"expires_in"`                 // seconds; left out: a day
}

const (
	maxTokenUses     = 1000
	maxTokenLifetime = 90 * 24 * time.Hour
)

type registrationTokenStore interface {
	AddRegistrationToken(ctx context.Context, by idp.Actor, r idp.RegistrationToken, now time.Time) error
	RegistrationTokens(ctx context.Context, now time.Time) ([]idp.RegistrationToken, error)
	RevokeRegistrationToken(ctx context.Context, by idp.Actor, id string, now time.Time) error
}

type registrationTokens struct {
	store registrationTokenStore
	now   func() time.Time
}

func (e registrationTokens) create(w http.ResponseWriter, r *http.Request) error {
	req := NewRegistrationToken{Profile: idp.OAuth21, Uses: 1, ExpiresIn: int64((24 * time.Hour).Seconds())}
	if err := readJSON(r, &req); err != nil {
		return err
	}
	switch {
	case !registration.PlainText(req.Name, 80):
		return invalid("name is longer than 80 bytes, or has characters that cannot be seen")
	case req.Profile != idp.OAuth21 && req.Profile != idp.OIDC:
		return invalid("security_profile is neither oauth21 nor oidc")
	case req.Uses < 1 || req.Uses > maxTokenUses:
		return invalid("uses is not a number from 1 to %d", maxTokenUses)
	case req.ExpiresIn < 60 || req.ExpiresIn > int64(maxTokenLifetime.Seconds()):
		return invalid("expires_in is not a number of seconds from a minute to 90 days")
	}
	now, token := e.now(), secret.New(secret.Invitation)
	t := idp.RegistrationToken{
		ID: secret.ID(), Hash: secret.Hash("registration_token", token), Name: req.Name, Profile: req.Profile,
		UsesLeft: req.Uses, CreatedAt: now, ExpiresAt: now.Add(time.Duration(req.ExpiresIn) * time.Second),
	}
	if err := e.store.AddRegistrationToken(r.Context(), operator(r), t, now); err != nil {
		return err
	}
	return writeJSON(w, http.StatusCreated, RegistrationTokenWithSecret{registrationTokenAnswer(t), token.Reveal()})
}

func (e registrationTokens) list(w http.ResponseWriter, r *http.Request) error {
	found, err := e.store.RegistrationTokens(r.Context(), e.now())
	if err != nil {
		return err
	}
	answer := make([]RegistrationToken, 0, len(found))
	for _, t := range found {
		answer = append(answer, registrationTokenAnswer(t))
	}
	return writeJSON(w, http.StatusOK, answer)
}

func (e registrationTokens) revoke(w http.ResponseWriter, r *http.Request) error {
	err := e.store.RevokeRegistrationToken(r.Context(), operator(r), r.PathValue("token"), e.now())
	if errors.Is(err, idp.ErrNotFound) {
		return &Error{Status: http.StatusNotFound, Code: "not_found", Message: "no registration token has this id, or it has expired", Cause: err}
	}
	if err != nil {
		return err
	}
	return done(w)
}

func registrationTokenAnswer(t idp.RegistrationToken) RegistrationToken {
	return RegistrationToken{
		ID: t.ID, Name: t.Name, Profile: t.Profile, UsesLeft: t.UsesLeft, CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt, RevokedAt: t.RevokedAt,
	}
}
