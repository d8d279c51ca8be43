package registration

import (
	"net/url"
	"slices"
	"strings"

	"github.com/signet-id/signet/internal/idp"
)

// maxDocumentID bounds an address that is a client's id: it is stored, and shown in parts.
const maxDocumentID = 255

// NewID makes the id of a client that registers itself. It is nobody's else: operators
// cannot choose it, and addresses of documents begin in another way.
func NewID(random string) string { return registeredPrefix + strings.ToLower(random) }

// DocumentID reports whether a client's id may be the address of its metadata document
// (draft-ietf-oauth-client-id-metadata-document-03 §3), in the one spelling that is
// compared. With loopback, http on this computer is one as well: for development only.
func DocumentID(id string, loopbackToo bool) (*url.URL, bool) {
	if !strings.HasPrefix(id, "https://") && !(loopbackToo && strings.HasPrefix(id, "http://")) || len(id) > maxDocumentID {
		return nil, false
	}
	u, err := ParseWebURI(id) // no fragment, no user, no dot segments, no other spelling of scheme and host
	if err != nil || u.Path == "" || u.RawQuery != "" || u.ForceQuery {
		return nil, false
	}
	return u, true
}

// AdmitDocument is Admit for the document at a client's address. No secret can be shared
// that way, so it proves itself with a key or not at all.
func (p Policy) AdmitDocument(id string, d Document, known map[string]bool) (idp.ClientMetadata, error) {
	if d.ClientID != id { // byte for byte: whoever may publish there may not speak for another
		return idp.ClientMetadata{}, invalid("client_id is not the address of the document")
	}
	if d.ClientSecret != nil || d.ClientSecretExpiresAt != nil {
		return idp.ClientMetadata{}, invalid("client_secret must not be in a document that everybody can read")
	}
	switch d.TokenEndpointAuthMethod {
	case "":
		d.TokenEndpointAuthMethod = idp.AuthNone
	case idp.AuthNone, idp.AuthPrivateKeyJWT:
	default:
		return idp.ClientMetadata{}, invalid("token_endpoint_auth_method is neither none nor private_key_jwt")
	}
	// Many such documents are of programs on a person's own computer and do not say so.
	if d.ApplicationType == "" && slices.ContainsFunc(d.RedirectURIs, func(s string) bool { return !strings.HasPrefix(s, "https:") }) {
		d.ApplicationType = "native"
	}
	return p.Admit(d, known)
}
