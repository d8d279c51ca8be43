package registration

import (
	"slices"
	"strings"

	"github.com/signet-id/signet/internal/idp"
)

// checkRequests holds a client to what its authorization requests and the answers to them
// can be here.
func checkRequests(m idp.ClientMetadata) error {
	for i, mode := range m.ResponseModes {
		if mode != "query" && mode != "form_post" || slices.Contains(m.ResponseModes[:i], mode) {
			return invalid("response_modes[%d] is neither query nor form_post, or stands there twice", i)
		}
	}
	if m.UserinfoAlg != "" && !slices.Contains(SigningAlgorithms[:], m.UserinfoAlg) {
		return invalid("userinfo_signed_response_alg is none of %s", strings.Join(SigningAlgorithms[:], ", "))
	}
	switch m.RequestObjectAlg {
	case "", "RS256", "PS256", "ES256", "EdDSA", "Ed25519":
	default:
		return invalid("request_object_signing_alg is none of RS256, PS256, ES256, EdDSA, Ed25519")
	}
	if m.RequireSignedRequest && len(m.JWKS) == 0 && m.JWKSURI == "" {
		return invalid("require_signed_request_object needs the client's public keys: jwks or jwks_uri")
	}
	if m.DefaultMaxAge != nil && *m.DefaultMaxAge < 0 {
		return invalid("default_max_age is less than no time")
	}
	for i, class := range m.DefaultACRValues {
		// Whoever asks for what nobody can have would be turned away at each login.
		if !idp.MeetsACR(idp.ACRPassword, []string{class}) || slices.Contains(m.DefaultACRValues[:i], class) {
			return invalid("default_acr_values[%d] is no class of login that there is here (%s), or stands there twice", i, idp.ACRPassword)
		}
	}
	return nil
}
