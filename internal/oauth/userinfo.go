package oauth

import (
	"context"
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

const maxUserinfoForm = 32 << 10

// userinfoStore is what the userinfo endpoint needs of the database.
type userinfoStore interface {
	standingStore
	TokenRevoked(ctx context.Context, n idp.TokenNames, now time.Time) (bool, error)
}

// userinfoEndpoint is /userinfo (OpenID Connect Core §5.3): claims about the person who
// signed in, for an access token whose audience is the issuer itself.
type userinfoEndpoint struct {
	issuer    string
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
	bearer, err := bearerToken(w, r)
	if err != nil {
		return err
	}
	now := e.now()
	claims, err := e.tokens.Verify(bearer, e.issuer, now)
	if err != nil {
		return badToken(err)
	}
	if c, err := e.directory.Client(r.Context(), claims.ClientID); err == nil {
		e.cors.allow(w, r, c)
	}
	s, err := e.standing(r.Context(), claims, now)
	if err != nil {
		return err
	}
	if !claims.HasScope(idp.ScopeOpenID) {
		return refuse(InsufficientScope, "the scope openid is required")
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

// bearerToken takes the token from the header or, with POST, the form: from one of them
// only, and never from the query (RFC 6750 §2, OAuth 2.1 §5.1).
func bearerToken(w http.ResponseWriter, r *http.Request) (string, error) {
	lines := r.Header.Values("Authorization")
	if len(lines) > 1 {
		return "", refuse(InvalidRequest, "more than one Authorization header")
	}
	body, err := bodyToken(w, r)
	if err != nil {
		return "", err
	}
	if len(lines) == 0 {
		if body == "" {
			return "", errNoToken
		}
		return body, nil
	}
	scheme, value, _ := strings.Cut(lines[0], " ")
	switch {
	case !strings.EqualFold(scheme, "Bearer"):
		return "", errNoToken
	case body != "":
		return "", refuse(InvalidRequest, "more than one way to send the access token")
	}
	return strings.TrimLeft(value, " "), nil
}

func bodyToken(w http.ResponseWriter, r *http.Request) (string, error) {
	if r.Method != http.MethodPost || r.Header.Get("Content-Type") == "" {
		return "", nil
	}
	form, err := edge.Form(w, r, maxUserinfoForm)
	if err != nil {
		return "", formError(err)
	}
	return form.Get("access_token"), nil
}

// refuse answers with a challenge (RFC 6750 §3).
func (e *userinfoEndpoint) refuse(w http.ResponseWriter, r *http.Request, err error) {
	problem := asError(err)
	challenge := `Bearer realm="` + e.issuer + `"`
	if problem == errNoToken {
		w.Header().Set("WWW-Authenticate", challenge)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	status := problem.status()
	switch problem.Code {
	case InvalidToken:
		status = http.StatusUnauthorized
	case InsufficientScope:
		status = http.StatusForbidden
	}
	if status < http.StatusInternalServerError {
		challenge += `, error="` + string(problem.Code) + `", error_description="` + problem.Description + `"`
		if problem.Code == InsufficientScope {
			challenge += `, scope="openid"`
		}
		w.Header().Set("WWW-Authenticate", challenge)
	}
	jsonErrors{e.issuer}.writeStatus(w, status, problem)
}
