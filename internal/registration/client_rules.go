package registration

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

const (
	maxURIs   = 50
	maxURI    = 2048 // bytes
	maxScopes = 200
)

var clientID = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

// responseParameters are the names that authorization and logout responses add to a
// redirect URI. A registered query must not bring its own (OAU-08).
var responseParameters = []string{
	"code", "state", "iss", "error", "error_description", "error_uri", "response", "session_state",
	"access_token", "token_type", "expires_in", "id_token", "scope",
}

// checkClientID keeps the two kinds of subjects apart: a user's id has 22 base62
// characters, and client ids are the subjects of client_credentials tokens.
func checkClientID(id string) error {
	if !clientID.MatchString(id) {
		return invalid("client_id must begin with a small letter or a digit and go on with those, '.', '_' or '-', at most 63 in all")
	}
	if secret.IsID(id) {
		return invalid("client_id has the form of a user's id; choose another")
	}
	if strings.HasPrefix(id, registeredPrefix) {
		return invalid("client_id begins with dyn-, as those of clients that register themselves do; choose another")
	}
	return nil
}

// withDefaults fills in what follows from the rest (RFC 7591 §2).
func withDefaults(m idp.ClientMetadata) idp.ClientMetadata {
	if m.ApplicationType == "" {
		m.ApplicationType = "web"
	}
	if m.TokenEndpointAuthMethod == "" {
		m.TokenEndpointAuthMethod = idp.AuthBasic
		if m.ApplicationType == "native" {
			m.TokenEndpointAuthMethod = idp.AuthNone
		}
	}
	if m.Profile == "" {
		m.Profile = idp.OAuth21
	}
	if m.GrantTypes == nil {
		m.GrantTypes = []string{idp.GrantAuthorizationCode, idp.GrantRefreshToken}
	}
	if m.Scopes == nil && (slices.Contains(m.GrantTypes, idp.GrantAuthorizationCode) || slices.Contains(m.GrantTypes, idp.GrantDeviceCode)) {
		m.Scopes = []string{idp.ScopeOpenID, idp.ScopeProfile, idp.ScopeEmail}
	}
	return m
}

// checkClient holds a client to the rules. known are all scopes that exist.
func checkClient(m idp.ClientMetadata, known map[string]bool) error {
	if !strings.ContainsFunc(m.Name, visible) || !plainText(m.Name, 80) || strings.TrimSpace(m.Name) != m.Name {
		return invalid("client_name is what people read: give one, of at most 80 bytes that can be seen")
	}
	if m.ApplicationType != "web" && m.ApplicationType != "native" {
		return invalid("application_type is neither web nor native")
	}
	switch m.TokenEndpointAuthMethod {
	case idp.AuthNone, idp.AuthBasic, idp.AuthPost, idp.AuthPrivateKeyJWT:
	default:
		return invalid("token_endpoint_auth_method is none of none, client_secret_basic, client_secret_post, private_key_jwt")
	}
	switch m.Profile {
	case idp.OAuth21, idp.OIDC, idp.FAPI2:
	default:
		return invalid("security_profile is none of oauth21, oidc, fapi2")
	}
	if m.IDTokenAlg != "" && !slices.Contains(SigningAlgorithms[:], m.IDTokenAlg) {
		return invalid("id_token_signed_response_alg is none of %s", strings.Join(SigningAlgorithms[:], ", "))
	}
	if err := checkKeys(m); err != nil {
		return err
	}
	if err := checkSecurityProfile(m); err != nil {
		return err
	}
	if err := checkGrantTypes(m); err != nil {
		return err
	}
	if err := checkRequests(m); err != nil {
		return err
	}
	if len(m.Scopes) > maxScopes {
		return invalid("scopes has more than %d names", maxScopes)
	}
	for i, s := range m.Scopes {
		if !known[s] || slices.Contains(m.Scopes[:i], s) {
			return invalid("scopes[%d] belongs to no resource, or stands there twice; add its resource first", i)
		}
	}
	if err := checkLogout(m); err != nil {
		return err
	}
	return checkAddresses(m)
}

func checkGrantTypes(m idp.ClientMetadata) error {
	for i, g := range m.GrantTypes {
		switch g {
		case idp.GrantAuthorizationCode, idp.GrantRefreshToken, idp.GrantClientCredentials, idp.GrantDeviceCode:
		default:
			return invalid("grant_types[%d] is none of authorization_code, refresh_token, client_credentials, "+idp.GrantDeviceCode, i)
		}
		if slices.Contains(m.GrantTypes[:i], g) {
			return invalid("grant_types[%d] stands there twice", i)
		}
	}
	code, device := slices.Contains(m.GrantTypes, idp.GrantAuthorizationCode), slices.Contains(m.GrantTypes, idp.GrantDeviceCode)
	switch {
	case len(m.GrantTypes) == 0:
		return invalid("grant_types is empty: the client could ask for nothing")
	case slices.Contains(m.GrantTypes, idp.GrantClientCredentials) && m.TokenEndpointAuthMethod == idp.AuthNone:
		return invalid("grant_types has client_credentials, which a client without a secret cannot use (RFC 6749 §4.4)")
	case slices.Contains(m.GrantTypes, idp.GrantRefreshToken) && !code && !device:
		return invalid("grant_types has refresh_token without authorization_code or " + idp.GrantDeviceCode + ", from which they come")
	case code && len(m.RedirectURIs) == 0:
		return invalid("redirect_uris is empty; authorization_code needs one")
	case !code && len(m.RedirectURIs) > 0:
		return invalid("redirect_uris without the grant type authorization_code are never used")
	}
	return nil
}

func checkAddresses(m idp.ClientMetadata) error {
	for _, list := range []struct {
		name  string
		items []string
		check func(string) error
	}{
		{"redirect_uris", m.RedirectURIs, func(s string) error { return checkRedirect(s, m.ApplicationType == "native") }},
		{"post_logout_redirect_uris", m.PostLogoutRedirectURIs, func(s string) error { return checkRedirect(s, m.ApplicationType == "native") }},
		{"web_origins", m.Origins, checkOrigin},
	} {
		if len(list.items) > maxURIs {
			return invalid("%s has more than %d elements", list.name, maxURIs)
		}
		for i, s := range list.items {
			if err := list.check(s); err != nil {
				return invalid("%s[%d] %s", list.name, i, err)
			}
			if slices.Contains(list.items[:i], s) {
				return invalid("%s[%d] stands there twice", list.name, i)
			}
		}
	}
	for name, link := range map[string]string{"client_uri": m.ClientURI, "policy_uri": m.PolicyURI, "tos_uri": m.TermsURI, "logo_uri": m.LogoURI} {
		if link != "" {
			if err := checkLink(link); err != nil {
				return invalid("%s %s", name, err)
			}
		}
	}
	return nil
}

// checkRedirect accepts an address that codes may be sent to (RFC 9700 §2.1, RFC 8252 §7):
// https; http on loopback; for apps on a person's own device also a private-use scheme.
// It must be written as browsers write it, so that comparing bytes is comparing targets.
func checkRedirect(s string, native bool) error {
	u, err := parseURI(s)
	if err != nil {
		return err
	}
	switch {
	case u.Scheme == "https" || u.Scheme == "http":
		if err := checkWeb(u); err != nil {
			return err
		}
	case !native:
		return errors.New("is not https (or http on loopback); other schemes are for native clients")
	case !privateUse(u.Scheme):
		return errors.New("has a scheme without a dot; use a domain of yours in reverse, like com.example.app (RFC 8252 §7.1)")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return errors.New("has a malformed query")
	}
	for _, name := range responseParameters {
		if query.Has(name) {
			return errors.New("has a query with a name that answers use")
		}
	}
	return nil
}

// parseURI accepts absolute URIs in the one spelling that everybody understands alike.
func parseURI(s string) (*url.URL, error) {
	if len(s) > maxURI {
		return nil, fmt.Errorf("is longer than %d bytes", maxURI)
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`\"<>^{|}`+"`", r) }) {
		return nil, errors.New("has blanks, backslashes or other characters that do not belong in an address")
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" {
		return nil, errors.New("is not an absolute address")
	}
	switch {
	case strings.Contains(s, "#"):
		return nil, errors.New("has a fragment (RFC 6749 §3.1.2)")
	case strings.Contains(s, "*"):
		return nil, errors.New("has a wildcard; addresses are compared byte for byte, so register each")
	case u.User != nil || strings.Contains(u.Host, "@"):
		return nil, errors.New("has a user name in it")
	case !strings.HasPrefix(s, u.Scheme+":"):
		return nil, errors.New("has capital letters in its scheme")
	case strings.ToLower(u.Host) != u.Host:
		return nil, errors.New("has capital letters in its host")
	case strings.ContainsFunc(u.Host, notInHost): // decoded: %D0%B0 looks like an a
		return nil, errors.New("has a host with other characters than a-z, 0-9, '.', '-' and '_'; write other alphabets as browsers do, with xn--")
	case strings.HasSuffix(u.Hostname(), "."):
		return nil, errors.New("has a dot at the end of its host")
	}
	for segment := range strings.SplitSeq(u.Path, "/") { // decoded: %2e%2e is found, too
		if name, _, _ := strings.Cut(segment, ";"); name == "." || name == ".." {
			return nil, errors.New("has a path with . or .. in it")
		}
	}
	return u, nil
}

// notInHost: people read hosts to learn who asks, and operators name those that may not: a
// host has one spelling, in letters that do not look like others (OAU-16).
func notInHost(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("-._:[]", r)
}

func checkWeb(u *url.URL) error {
	switch {
	case u.Opaque != "" || u.Hostname() == "":
		return errors.New("has no host")
	case strings.HasSuffix(u.Host, ":"):
		return errors.New("has an empty port")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return errors.New("is plain http; only loopback hosts may be (RFC 9700 §2.6)")
	}
	return nil
}

// privateUse: a scheme with a dot is a domain in reverse. Without one it may be
// javascript, data, mailto, or another app's.
func privateUse(scheme string) bool {
	return strings.Contains(scheme, ".") && !strings.HasPrefix(scheme, ".") && !strings.HasSuffix(scheme, ".")
}

// checkOrigin accepts what browsers send as Origin: scheme, host, perhaps a port.
func checkOrigin(s string) error {
	u, err := parseURI(s)
	if err != nil {
		return err
	}
	if u.Scheme != "https" && u.Scheme != "http" {
		return errors.New("is not https (or http on loopback)")
	}
	if err := checkWeb(u); err != nil {
		return err
	}
	if s != u.Scheme+"://"+u.Host || u.Scheme == "https" && u.Port() == "443" || u.Scheme == "http" && u.Port() == "80" {
		return errors.New("is not an origin as browsers send it, like https://app.example.com")
	}
	return nil
}

// checkLink accepts what people may be sent to by a click.
func checkLink(s string) error {
	u, err := url.Parse(s)
	if err != nil || len(s) > maxURI || u.User != nil || !plainText(s, maxURI) {
		return errors.New("is not an address")
	}
	if u.Scheme != "https" && u.Scheme != "http" {
		return errors.New("is not https (or http on loopback)")
	}
	return checkWeb(u)
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.Unmap().IsLoopback()
}
