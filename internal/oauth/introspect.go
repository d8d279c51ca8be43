package oauth

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/token"
	"github.com/signet-id/signet/verify"
)

// introspectStore is what the introspection endpoint needs of the database.
type introspectStore interface {
	standingStore
	Refresh(ctx context.Context, handleHash [32]byte, now time.Time) (idp.RefreshToken, idp.Standing, error)
	TokenRevoked(ctx context.Context, n idp.TokenNames, now time.Time) (bool, error)
}

// introspectEndpoint is POST /introspect (RFC 7662): what a token is worth at this moment. It
// tells the service that the token was made for, and the client that it was made for.
// Whoever else asks hears what he would hear of a made-up token (TOK-11).
type introspectEndpoint struct {
	issuer  string
	clients *clientAuth
	tokens  *token.Issuer
	store   introspectStore
	now     func() time.Time
}

// introspection is RFC 7662 §2.2, and what revocations name tokens by.
type introspection struct {
	Active    bool                 `json:"active"`
	Scope     string               `json:"scope,omitempty"`
	ClientID  string               `json:"client_id,omitempty"`
	Username  string               `json:"username,omitempty"`
	TokenType string               `json:"token_type,omitempty"`
	ExpiresAt int64                `json:"exp,omitempty"`
	IssuedAt  int64                `json:"iat,omitempty"`
	NotBefore int64                `json:"nbf,omitempty"`
	Subject   string               `json:"sub,omitempty"`
	Audience  string               `json:"aud,omitempty"`
	Issuer    string               `json:"iss,omitempty"`
	ID        string               `json:"jti,omitempty"`
	SessionID string               `json:"sid,omitempty"`
	GrantID   string               `json:"grant_id,omitempty"`
	AuthTime  int64                `json:"auth_time,omitempty"`
	ACR       string               `json:"acr,omitempty"`
	AMR       []string             `json:"amr,omitempty"`
	Binding   *introspectedBinding `json:"cnf,omitempty"`
}

// introspectedBinding is the key that a token is bound to (RFC 9449 §6.2, RFC 8705 §3.2).
type introspectedBinding struct {
	JKT         string `json:"jkt,omitempty"`
	Certificate string `json:"x5t#S256,omitempty"`
}

func (e *introspectEndpoint) serve(w http.ResponseWriter, r *http.Request) error {
	form, err := edge.Form(w, r, maxTokenForm)
	if err != nil {
		return formError(err)
	}
	c, err := e.clients.authenticate(r, form)
	if err != nil {
		return err
	}
	if c.Public() { // RFC 7662 §4: else anybody could try tokens out
		return refuse(UnauthorizedClient, "introspection is for clients that can prove themselves")
	}
	given := form.Get("token")
	if given == "" {
		return refuse(InvalidRequest, "token is required")
	}
	// token_type_hint is not needed: the kinds look different (§2.1 allows to ignore it).
	answer, err := e.introspect(r.Context(), c.Client, given, e.now())
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// introspect returns the zero answer for whatever is not alive, or not the caller's business.
func (e *introspectEndpoint) introspect(ctx context.Context, c idp.Client, given string, now time.Time) (introspection, error) {
	if _, handleHash, hash, err := token.ParseRefresh(given); err == nil {
		return e.ofRefresh(ctx, c, handleHash, hash, now)
	}
	claims, err := e.tokens.Inspect(given, now)
	if err != nil || claims.ClientID != c.ID && !slices.Contains(c.Resources, claims.Audience) {
		return introspection{}, nil
	}
	username, alive, err := e.alive(ctx, claims, now)
	if err != nil || !alive {
		return introspection{}, err
	}
	return e.ofAccess(claims, username), nil
}

// alive asks the database what userinfo asks: user, client, session, grant, and rules.
func (e *introspectEndpoint) alive(ctx context.Context, claims *verify.Claims, now time.Time) (username string, alive bool, err error) {
	if claims.GrantID == "" { // the client's own token (RFC 6749 §4.4)
		client, err := e.clients.store.Client(ctx, claims.ClientID)
		if errors.Is(err, idp.ErrNotFound) || err == nil && client.Disabled() {
			return "", false, nil
		}
		if err != nil {
			return "", false, err
		}
	} else {
		s, err := e.store.Standing(ctx, claims.GrantID, now)
		if errors.Is(err, idp.ErrNotFound) {
			return "", false, nil
		}
		if err != nil {
			return "", false, err
		}
		if standing(s, claims.ClientID, now) != nil || s.User.ID != claims.Subject {
			return "", false, nil
		}
		username = s.User.Username
	}
	names := idp.TokenNames{JTI: claims.ID, ClientID: claims.ClientID, KeyID: claims.KeyID, IssuedAt: claims.IssuedAt}
	revoked, err := e.store.TokenRevoked(ctx, names, now)
	return username, !revoked, err
}

func (e *introspectEndpoint) ofAccess(c *verify.Claims, username string) introspection {
	answer := introspection{
		Active: true, Scope: strings.Join(c.Scopes, " "), ClientID: c.ClientID, Username: username, TokenType: "Bearer",
		ExpiresAt: seconds(c.ExpiresAt), IssuedAt: seconds(c.IssuedAt), NotBefore: seconds(c.NotBefore), Subject: c.Subject,
		Audience: c.Audience, Issuer: c.Issuer, ID: c.ID, SessionID: c.SessionID, GrantID: c.GrantID, AuthTime: seconds(c.AuthTime),
		ACR: c.ACR, AMR: c.AMR,
	}
	if c.Confirmation != (verify.Confirmation{}) {
		answer.Binding = &introspectedBinding{JKT: c.Confirmation.JKT, Certificate: c.Confirmation.Certificate}
		if c.Confirmation.JKT != "" {
			answer.TokenType = "DPoP"
		}
	}
	return answer
}

// ofRefresh tells a client about its own refresh token. A token that was used is dead, also
// while a retry with it would still be answered; asking is no use, and ends no grant.
func (e *introspectEndpoint) ofRefresh(ctx context.Context, c idp.Client, handleHash, hash [32]byte, now time.Time) (introspection, error) {
	family, s, err := e.store.Refresh(ctx, handleHash, now)
	if errors.Is(err, idp.ErrNotFound) {
		return introspection{}, nil
	}
	if err != nil {
		return introspection{}, err
	}
	if subtle.ConstantTimeCompare(family.CurrentHash[:], hash[:]) != 1 || standing(s, c.ID, now) != nil {
		return introspection{}, nil
	}
	return introspection{
		Active: true, Scope: strings.Join(s.Grant.Scopes, " "), ClientID: c.ID, Username: s.User.Username, ExpiresAt: seconds(family.ExpiresAt),
		IssuedAt: seconds(s.Grant.CreatedAt), Subject: s.User.ID, Issuer: e.issuer, SessionID: s.Grant.SessionID, GrantID: s.Grant.ID,
		AuthTime: seconds(s.Grant.AuthTime), ACR: s.Grant.ACR, AMR: s.Grant.AMR,
	}, nil
}

func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
