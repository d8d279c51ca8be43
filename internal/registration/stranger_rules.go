package registration

import (
	"net/url"
	"slices"

	"github.com/signet-id/signet/internal/idp"
)

const (
	maxName     = 80  // bytes of a name, as for operators
	maxIdent    = 255 // bytes of software_id and the like
	maxContacts = 10
)

// checkStranger holds a client to rules that no operator needs: he knows what he writes.
func checkStranger(m idp.ClientMetadata) error {
	switch m.TokenEndpointAuthMethod {
	case idp.AuthNone, idp.AuthBasic, idp.AuthPost, idp.AuthPrivateKeyJWT:
	default:
		return invalid("token_endpoint_auth_method is none that is supported")
	}
	for i, a := range m.Contacts {
		if _, err := idp.Mailbox(a); err != nil || i >= maxContacts {
			return invalid("contacts[%d] is no e-mail address, or one of more than %d", i, maxContacts)
		}
	}
	for name, text := range map[string]string{"software_id": m.SoftwareID, "software_version": m.SoftwareVersion} {
		if !PlainText(text, maxIdent) {
			return invalid("%s is longer than %d bytes, or has characters that cannot be seen", name, maxIdent)
		}
	}
	if len(m.JWKS) > 0 && m.JWKSURI != "" { // RFC 7591 §2
		return invalid("jwks must not stand beside jwks_uri")
	}
	// OpenID Connect Dynamic Client Registration §2: these are https, without exception;
	// the logo is fetched by this server, so that nobody is counted by loading it (CLI-05).
	for name, link := range map[string]string{"initiate_login_uri": m.InitiateLoginURI, "logo_uri": m.LogoURI} {
		if link == "" {
			continue
		}
		if u, err := parseURI(link); err != nil {
			return invalid("%s %s", name, err)
		} else if u.Scheme != "https" || u.Hostname() == "" {
			return invalid("%s is not https", name)
		}
	}
	return nil
}

// LoopbackOnly reports whether people can be sent to this computer only: then any program
// on it may be who asks.
func LoopbackOnly(redirectURIs []string) bool {
	return len(redirectURIs) > 0 && !slices.ContainsFunc(redirectURIs, func(s string) bool {
		u, err := url.Parse(s)
		return err != nil || u.Scheme != "http" || !loopback(u.Hostname())
	})
}

// registeredPrefix begins the ids of clients that registered themselves, and of no others.
const registeredPrefix = "dyn-"
