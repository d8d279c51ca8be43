package admin

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/token"
)

// TokenQuestion asks what an opaque token is worth. It has the hashes by which the token is
// stored, and not the token: who answers learns nothing that could be used.
type TokenQuestion struct {
	Kind   secret.Prefix `json:"kind"`             // what the token begins with
	Hash   []byte        `json:"hash"`             // secret.Hash of the token
	Handle []byte        `json:"handle,omitempty"` // of a refresh token: secret.Hash of its family's handle
}

// inspected are the kinds that can be looked up, with the purposes that their hashes are bound to.
var inspected = map[secret.Prefix]string{
	secret.Refresh: "refresh", secret.Code: "code", secret.Session: "session", secret.Invitation: "registration_token",
	secret.ClientSecret: "client_secret", secret.Management: "registration_access",
}

// QuestionAbout returns the question about a token; ok is false for those that cannot be
// looked up.
func QuestionAbout(tok string) (q TokenQuestion, ok bool) {
	if _, handle, hash, err := token.ParseRefresh(tok); err == nil {
		return TokenQuestion{secret.Refresh, hash[:], handle[:]}, true
	}
	for kind, purpose := range inspected {
		if t, _, err := secret.Parse(kind, tok); err == nil {
			hash := secret.Hash(purpose, t)
			return TokenQuestion{Kind: kind, Hash: hash[:]}, true
		}
	}
	return TokenQuestion{}, false
}

// TokenAnswer is what the server knows of an opaque token. It never has the token in it.
type TokenAnswer struct {
	State     string    `json:"state"`            // live, dead or unknown
	Reason    string    `json:"reason,omitempty"` // why it is not live
	ClientID  string    `json:"client_id,omitempty"`
	UserID    string    `json:"user_id,omitempty"`
	Username  string    `json:"username,omitempty"`
	Scopes    []string  `json:"scopes,omitempty"`
	Resource  string    `json:"resource,omitempty"`
	GrantID   string    `json:"grant_id,omitempty"`
	SessionID string    `json:"session_id,omitempty"`
	CreatedAt time.Time `json:"created_at,omitzero"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// The states of a token. Of one that is over, most kinds leave no trace: it is unknown then.
const (
	tokenLive    = "live"
	tokenDead    = "dead"
	tokenUnknown = "unknown"
)

// inspectionStore finds tokens by their hashes.
type inspectionStore interface {
	Refresh(ctx context.Context, handleHash [32]byte, now time.Time) (idp.RefreshToken, idp.Standing, error)
	Code(ctx context.Context, hash [32]byte, now time.Time) (idp.Code, idp.Standing, error)
	Session(ctx context.Context, secretHash [32]byte, now time.Time) (idp.Session, idp.User, error)
	RegistrationToken(ctx context.Context, hash [32]byte, now time.Time) (idp.RegistrationToken, error)
	Clients(ctx context.Context) ([]idp.Client, error)
}

// tokenInspection is POST /tokens/inspect: for an operator who found a token somewhere. It
// uses nothing up: unlike its owner, an operator may look at a token and leave it as it is.
type tokenInspection struct {
	store inspectionStore
	now   func() time.Time
}

func (e tokenInspection) inspect(w http.ResponseWriter, r *http.Request) error {
	var q TokenQuestion
	if err := readJSON(r, &q); err != nil {
		return err
	}
	var hash, handle [32]byte
	if len(q.Hash) != len(hash) || (len(q.Handle) == len(handle)) != (q.Kind == secret.Refresh) {
		return invalid("hash, and handle for refresh tokens, are 32 bytes in base64")
	}
	copy(hash[:], q.Hash)
	copy(handle[:], q.Handle)
	answer, err := e.find(r.Context(), q.Kind, hash, handle, e.now())
	if errors.Is(err, idp.ErrNotFound) {
		answer, err = TokenAnswer{State: tokenUnknown, Reason: "this server never made it, or it is over: expired, revoked or used up"}, nil
	}
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, answer)
}

func (e tokenInspection) find(ctx context.Context, kind secret.Prefix, hash, handle [32]byte, now time.Time) (TokenAnswer, error) {
	switch kind {
	case secret.Refresh:
		return e.ofRefresh(ctx, handle, hash, now)
	case secret.Code:
		return e.ofCode(ctx, hash, now)
	case secret.Session:
		return e.ofSession(ctx, hash, now)
	case secret.Invitation:
		return e.ofRegistrationToken(ctx, hash, now)
	case secret.ClientSecret:
		return e.ofClient(ctx, hash, func(c idp.Client) [32]byte { return c.SecretHash })
	case secret.Management:
		return e.ofClient(ctx, hash, func(c idp.Client) [32]byte { return c.RegistrationHash })
	}
	return TokenAnswer{}, invalid("kind is none that can be looked up")
}

func (e tokenInspection) ofRefresh(ctx context.Context, handle, hash [32]byte, now time.Time) (TokenAnswer, error) {
	family, s, err := e.store.Refresh(ctx, handle, now)
	if err != nil {
		return TokenAnswer{}, err
	}
	a := ofStanding(s, now)
	a.ExpiresAt = family.ExpiresAt
	if a.State == tokenLive && subtle.ConstantTimeCompare(family.CurrentHash[:], hash[:]) != 1 {
		a.State, a.Reason = tokenDead, "it was used; another of its grant has taken its place, and whoever uses it again ends the grant"
	}
	return a, nil
}

func (e tokenInspection) ofCode(ctx context.Context, hash [32]byte, now time.Time) (TokenAnswer, error) {
	code, s, err := e.store.Code(ctx, hash, now)
	if err != nil {
		return TokenAnswer{}, err
	}
	a := ofStanding(s, now)
	a.ExpiresAt = code.ExpiresAt
	if a.State == tokenLive && !code.RedeemedAt.IsZero() {
		a.State, a.Reason = tokenDead, "it was redeemed; whoever redeems it again ends the grant"
	}
	return a, nil
}

// ClientDisabled is the reason of a token that a client's enabling brings back.
const ClientDisabled = "its client is disabled"

// ofStanding tells what a token's grant is worth now.
func ofStanding(s idp.Standing, now time.Time) TokenAnswer {
	a := TokenAnswer{
		State: tokenLive, ClientID: s.Grant.ClientID, UserID: s.Grant.UserID, Username: s.User.Username, Scopes: s.Grant.Scopes,
		Resource: s.Grant.Resource, GrantID: s.Grant.ID, SessionID: s.Grant.SessionID, CreatedAt: s.Grant.CreatedAt,
	}
	switch {
	case !s.Grant.RevokedAt.IsZero() || !now.Before(s.Grant.ExpiresAt):
		a.Reason = "its grant was revoked or has expired"
	case s.User.ID == "" || s.User.Disabled():
		a.Reason = "its person is disabled or gone"
	case s.Client.Disabled():
		a.Reason = ClientDisabled
	case !s.Grant.Offline() && !s.SessionLive:
		a.Reason = "the login that it came from is over"
	}
	if a.Reason != "" {
		a.State = tokenDead
	}
	return a
}

func (e tokenInspection) ofSession(ctx context.Context, hash [32]byte, now time.Time) (TokenAnswer, error) {
	s, u, err := e.store.Session(ctx, hash, now)
	if err != nil {
		return TokenAnswer{}, err
	}
	return TokenAnswer{State: tokenLive, UserID: u.ID, Username: u.Username, SessionID: s.ID, CreatedAt: s.CreatedAt, ExpiresAt: s.ExpiresAt}, nil
}

func (e tokenInspection) ofRegistrationToken(ctx context.Context, hash [32]byte, now time.Time) (TokenAnswer, error) {
	r, err := e.store.RegistrationToken(ctx, hash, now)
	if err != nil {
		return TokenAnswer{}, err
	}
	return TokenAnswer{State: tokenLive, CreatedAt: r.CreatedAt, ExpiresAt: r.ExpiresAt}, nil
}

// ofClient finds the client that a hash belongs to. Clients without a secret have a hash of
// zeros, which no secret has and nobody may ask about.
func (e tokenInspection) ofClient(ctx context.Context, hash [32]byte, hashOf func(idp.Client) [32]byte) (TokenAnswer, error) {
	all, err := e.store.Clients(ctx)
	if err != nil {
		return TokenAnswer{}, err
	}
	for _, c := range all {
		if known := hashOf(c); hash == [32]byte{} || subtle.ConstantTimeCompare(known[:], hash[:]) != 1 {
			continue
		}
		a := TokenAnswer{State: tokenLive, ClientID: c.ID, Scopes: c.Scopes, CreatedAt: c.CreatedAt}
		if c.Disabled() {
			a.State, a.Reason = tokenDead, ClientDisabled
		}
		return a, nil
	}
	return TokenAnswer{}, idp.ErrNotFound
}
