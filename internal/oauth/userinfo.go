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
	writeJSON(w, http.StatusOK, claimsAbout(s.User, claims.Scopes))
	return nil
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

// userClaims is what a person's scopes tell (OpenID Connect Core §5.1, §5.4).
type userClaims struct {
	Subject             string       `json:"sub"`
	Name                string       `json:"name,omitempty"`
	GivenName           string       `json:"given_name,omitempty"`
	FamilyName          string       `json:"family_name,omitempty"`
	MiddleName          string       `json:"middle_name,omitempty"`
	Nickname            string       `json:"nickname,omitempty"`
	PreferredUsername   string       `json:"preferred_username,omitempty"`
	Profile             string       `json:"profile,omitempty"`
	Picture             string       `json:"picture,omitempty"`
	Website             string       `json:"website,omitempty"`
	Gender              string       `json:"gender,omitempty"`
	Birthdate           string       `json:"birthdate,omitempty"`
	Zoneinfo            string       `json:"zoneinfo,omitempty"`
	Locale              string       `json:"locale,omitempty"`
	UpdatedAt           int64        `json:"updated_at,omitempty"` // seconds
	Email               string       `json:"email,omitempty"`
	EmailVerified       *bool        `json:"email_verified,omitempty"`
	Address             *idp.Address `json:"address,omitempty"`
	PhoneNumber         string       `json:"phone_number,omitempty"`
	PhoneNumberVerified *bool        `json:"phone_number_verified,omitempty"`
	Groups              []string     `json:"groups,omitempty"`
}

func claimsAbout(u idp.User, scopes []string) userClaims {
	c := userClaims{Subject: u.ID}
	has := func(scope string) bool { return slices.Contains(scopes, scope) }
	if has(idp.ScopeProfile) {
		c.profile(u)
	}
	if has(idp.ScopeEmail) && u.Email != "" {
		c.Email, c.EmailVerified = u.Email, &u.EmailVerified
	}
	if has(idp.ScopeAddress) {
		c.Address = u.Profile.Address
	}
	if has(idp.ScopePhone) && u.Profile.PhoneNumber != "" {
		c.PhoneNumber, c.PhoneNumberVerified = u.Profile.PhoneNumber, &u.Profile.PhoneNumberVerified
	}
	if has(idp.ScopeGroups) {
		c.Groups = u.Groups
	}
	return c
}

func (c *userClaims) profile(u idp.User) {
	p := u.Profile
	c.Name, c.GivenName, c.FamilyName, c.MiddleName, c.Nickname = p.Name, p.GivenName, p.FamilyName, p.MiddleName, p.Nickname
	c.PreferredUsername, c.Profile, c.Picture, c.Website = u.Username, p.Profile, p.Picture, p.Website
	c.Gender, c.Birthdate, c.Zoneinfo, c.Locale = p.Gender, p.Birthdate, p.Zoneinfo, p.Locale
	c.UpdatedAt = u.UpdatedAt.Unix()
}
