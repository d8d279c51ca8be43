package registration

import (
	"slices"

	"github.com/signet-id/signet/internal/clientkey"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/verify/jose"
)

// checkKeys: a client that signs has keys in one place (RFC 7591 §2), and none that
// are secret.
func checkKeys(m idp.ClientMetadata) error {
	signs := m.TokenEndpointAuthMethod == idp.AuthPrivateKeyJWT
	switch {
	case len(m.JWKS) > 0 && m.JWKSURI != "":
		return invalid("jwks and jwks_uri are both there; give one of them (RFC 7591 §2)")
	case signs && len(m.JWKS) == 0 && m.JWKSURI == "":
		return invalid("private_key_jwt needs the client's public keys: give jwks, or jwks_uri where they are")
	case !signs && m.TokenEndpointAuthAlg != "":
		return invalid("token_endpoint_auth_signing_alg is for private_key_jwt only")
	}
	if m.JWKSURI != "" {
		if err := checkLink(m.JWKSURI); err != nil {
			return invalid("jwks_uri %s", err)
		}
	}
	if alg := m.TokenEndpointAuthAlg; alg != "" && !slices.Contains(clientkey.Algorithms(m.Profile), jose.Algorithm(alg)) {
		return invalid("token_endpoint_auth_signing_alg is none that profile %s allows", m.Profile)
	}
	if len(m.JWKS) == 0 {
		return nil
	}
	if len(m.JWKS) > clientkey.MaxSet {
		return invalid("jwks is longer than %d bytes", clientkey.MaxSet)
	}
	set, err := clientkey.Parse(m.JWKS, jose.RS256)
	if err != nil {
		return invalid("jwks is not a set of public keys, each with a kid of its own and of an algorithm that there is: %s", err)
	}
	if len(set.Keys()) == 0 {
		return invalid("jwks has no key for signatures")
	}
	return nil
}

// CheckServes: what a client may introspect are tokens for services that exist, and it must
// be able to prove that it is the one (RFC 7662 §4).
func CheckServes(m idp.ClientMetadata, services []idp.Resource) error {
	if len(m.Resources) > 0 && m.TokenEndpointAuthMethod == idp.AuthNone {
		return invalid("resources is for clients that can prove themselves: others cannot introspect tokens")
	}
	for i, id := range m.Resources {
		known := slices.ContainsFunc(services, func(r idp.Resource) bool { return r.ID == id })
		if !known || slices.Contains(m.Resources[:i], id) {
			return invalid("resources[%d] is no resource, or stands there twice; add it first", i)
		}
	}
	return nil
}

// checkSecurityProfile holds a client of profile fapi2 to what that promises (FAPI 2.0 §5.3.2).
// That its requests are pushed and its tokens bound follows from the profile itself.
func checkSecurityProfile(m idp.ClientMetadata) error {
	if m.Profile != idp.FAPI2 {
		return nil
	}
	switch {
	case m.TokenEndpointAuthMethod != idp.AuthPrivateKeyJWT:
		return invalid("security_profile fapi2 needs token_endpoint_auth_method private_key_jwt")
	case m.ApplicationType != "web":
		return invalid("security_profile fapi2 is for confidential clients of application_type web")
	case m.IDTokenAlg == "" || m.IDTokenAlg == "RS256":
		return invalid("security_profile fapi2 has no RS256: give id_token_signed_response_alg")
	case m.UserinfoAlg == "RS256" || m.RequestObjectAlg == "RS256":
		return invalid("security_profile fapi2 has no RS256")
	}
	return nil
}
