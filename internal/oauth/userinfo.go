package oauth

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/token"
	"github.com/signet-id/signet/verify"
)

// userinfoStore is what the userinfo endpoint needs of the database.
type userinfoStore interface {
	standingStore
	TokenRevoked(ctx context.Context, n idp.TokenNames, now time.Time) (bool, error)
}

// userinfoEndpoint is /userinfo (OpenID Connect Core §5.3): claims about the person who
// signed in, for an access token whose audience is the issuer itself.
type userinfoEndpoint struct {
	issuer    string
	proofs    *proofs
	tokens    *token.Issuer
	directory clientDirectory
	store     userinfoStore
	cors      crossOrigin
	now       func() time.Time
}

// errNoToken: whoever asks without a token is told how, not what was wrong (RFC 6750 §3.1).
var errNoToken = &Error{Code: InvalidToken}

func (e *userinfoEndpoint) serve(w http.ResponseWriter, r *http.Request) error {
	e.cors.vary(w)
	given, err := presentedToken(w, r)
	if err != nil {
		return err
	}
	now := e.now()
	claims, err := e.read(given, now)
	if err != nil {
		return badToken(err)
	}
	c, unknown := e.directory.Client(r.Context(), claims.ClientID)
	if unknown == nil {
		e.cors.allow(w, r, c)
	}
	var key possession
	if given.bound {
		key, err = e.proofs.ofToken(w, r, "/userinfo", claims, given.token, unknown != nil || needsNonce(c), now)
		if err != nil {
			return err
		}
	}
	s, err := e.standing(r.Context(), claims, now)
	if err != nil {
		return err
	}
	if !claims.HasScope(idp.ScopeOpenID) {
		return refuse(InsufficientScope, "the scope openid is required")
	}
	if err := e.proofs.use(r.Context(), key, now); err != nil {
		return err
	}
	return e.answer(w, s, claims.Scopes)
}

// answer writes JSON, or a JWT for a client that is registered for one (OpenID Connect
// Core §5.3.2).
func (e *userinfoEndpoint) answer(w http.ResponseWriter, s idp.Standing, scopes []string) error {
	body, signed, err := e.tokens.Userinfo(s.Client, s.User, scopes, byName(s).Userinfo)
	if err != nil {
		return err
	}
	mediaType := "application/json"
	if signed {
		mediaType = "application/jwt"
	}
	writePrivate(w, http.StatusOK, mediaType, body)
	return nil
}

// byName is which claims the client gets because it asked for them by name: those whose
// scope it may still ask for.
func byName(s idp.Standing) idp.ClaimsRequest {
	return s.Grant.Claims.Without(func(scope string) bool { return slices.Contains(s.Client.Scopes, scope) })
}

// standing asks the database whether what the token was made from still stands.
func (e *userinfoEndpoint) standing(ctx context.Context, claims *verify.Claims, now time.Time) (idp.Standing, error) {
	if claims.GrantID == "" { // a client's own token: nobody to tell about
		return idp.Standing{}, badToken(errNoPerson)
	}
	s, err := e.store.Standing(ctx, claims.GrantID, now)
	if errors.Is(err, idp.ErrNotFound) {
		return idp.Standing{}, badToken(err)
	}
	if err != nil {
		return idp.Standing{}, err
	}
	if err := standing(s, claims.ClientID, now); err != nil {
		return idp.Standing{}, badToken(err)
	}
	if s.User.ID != claims.Subject {
		return idp.Standing{}, badToken(errNoPerson)
	}
	names := idp.TokenNames{JTI: claims.ID, ClientID: claims.ClientID, KeyID: claims.KeyID, IssuedAt: claims.IssuedAt}
	revoked, err := e.store.TokenRevoked(ctx, names, now)
	if err != nil {
		return idp.Standing{}, err
	}
	if revoked {
		return idp.Standing{}, badToken(errRevoked)
	}
	return s, nil
}

var errNoPerson = errors.New("token is not about this person")

func badToken(cause error) error {
	return &Error{Code: InvalidToken, Description: "the access token is not valid", Cause: cause}
}
