package oauth

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// The checks of what is asked about the person and the login.

// maxClasses and maxClassBytes bound acr_values.
const (
	maxClasses    = 20
	maxClassBytes = 1 << 10
)

// checkClaims keeps the claims that the client may have: by name one gets what the scope
// that covers it would give, so the client must be registered for that scope, and people
// are asked for it (OpenID Connect Core §5.5).
func checkClaims(_ context.Context, a *asking) error {
	text := a.form.Get("claims")
	if text == "" || !slices.Contains(a.req.Scopes, idp.ScopeOpenID) {
		return nil // §5.5: it belongs to OpenID Connect requests
	}
	wish, err := parseClaims(text)
	if err != nil {
		return err
	}
	a.claims = wish
	a.req.Claims = wish.names.Without(func(scope string) bool { return slices.Contains(a.client.Scopes, scope) })
	a.req.Subject = wish.subject
	return nil
}

// checkACR decides which classes of authentication will do. Essential ones must be met.
// acr_values and the client's default are wishes in OpenID Connect (§3.1.2.1); profiles
// that are not for older relying parties take them at their word, for RFC 9470 §5: a
// client that was sent to step up must not come back with the same token again and again.
func checkACR(_ context.Context, a *asking) error {
	text := a.form.Get("acr_values")
	if len(text) > maxClassBytes {
		return refuse(InvalidRequest, "acr_values is too long")
	}
	wanted := strings.Fields(text)
	if len(wanted) > maxClasses {
		return refuse(InvalidRequest, "acr_values has too many values")
	}
	if len(wanted) == 0 {
		wanted = a.claims.acr
	}
	if len(wanted) == 0 {
		wanted = a.client.DefaultACRValues
	}
	switch {
	case a.claims.mustACR:
		wanted = a.claims.acr
	case a.client.Profile == idp.OIDC:
		return nil
	}
	if len(wanted) > 0 && !slices.ContainsFunc(classes[:], func(have string) bool { return idp.MeetsACR(have, wanted) }) {
		return refuse(UnmetRequirements, "there is no login of that class here")
	}
	a.req.ACR = wanted
	return nil
}

// classes are what logins here can be worth.
var classes = [...]string{idp.ACRPassword}

func checkMaxAge(_ context.Context, a *asking) error {
	text := a.form.Get("max_age")
	if text == "" {
		if a.client.DefaultMaxAge != nil { // OpenID Connect Registration §2
			a.req.MaxAge = min(time.Duration(min(*a.client.DefaultMaxAge, int64(maxAge/time.Second)))*time.Second, maxAge)
		}
		return nil
	}
	seconds, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return refuse(InvalidRequest, "max_age must be a number of seconds")
	}
	a.req.MaxAge = min(time.Duration(seconds)*time.Second, maxAge)
	return nil
}

// checkIDTokenHint reads who is expected (OpenID Connect Core §3.1.2.1). The hint may be
// old. It logs nobody in; it only keeps everybody else out (OAU-17).
func checkIDTokenHint(_ context.Context, a *asking) error {
	hint := a.form.Get("id_token_hint")
	if hint == "" {
		return nil
	}
	sub, _, aud, err := a.checks.tokens.IDTokenHint(hint)
	if err != nil || aud != a.client.ID {
		return &Error{Code: InvalidRequest, Description: "id_token_hint is not an ID token of this client", Cause: err}
	}
	if a.req.Subject != "" && a.req.Subject != sub {
		return refuse(InvalidRequest, "id_token_hint and claims ask for two people")
	}
	a.req.Subject = sub
	return nil
}
