package registration

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/verify/jose"
)

// MaxDocument bounds what a client says of itself, in bytes.
const MaxDocument = 32 << 10

// Document is what a client says of itself (RFC 7591 §2, OpenID Connect Dynamic Client
// Registration §2): the part of idp.ClientMetadata that is its own to say, and what has
// another form or leaves no trace there.
type Document struct {
	idp.ClientMetadata
	Scope             *string  `json:"scope"`
	ResponseTypes     []string `json:"response_types"`
	SubjectType       string   `json:"subject_type"`
	SoftwareStatement string   `json:"software_statement"`
	// What a request to change a registration has or must not have (RFC 7592 §2.2), and a
	// document at the client's address must not have.
	ClientID              string           `json:"client_id"`
	ClientSecret          *string          `json:"client_secret"`
	ClientSecretExpiresAt *json.RawMessage `json:"client_secret_expires_at"`
	ClientIDIssuedAt      *json.RawMessage `json:"client_id_issued_at"`
	AccessToken           *json.RawMessage `json:"registration_access_token"`
	ClientURL             *json.RawMessage `json:"registration_client_uri"`
}

// ServersOwn reports whether the document has a member that only a server gives (RFC 7592 §2.2).
func (d Document) ServersOwn() bool {
	return d.AccessToken != nil || d.ClientURL != nil || d.ClientSecretExpiresAt != nil || d.ClientIDIssuedAt != nil
}

// Secret returns the secret that the document has, if it has one.
func (d Document) Secret() (secret.Text, bool) {
	if d.ClientSecret == nil {
		return secret.Text{}, false
	}
	return secret.NewText(*d.ClientSecret), true
}

// ErrStatement says that a software statement was sent: nobody's are approved here
// (RFC 7591 §3.2.2 unapproved_software_statement).
var ErrStatement = &Unacceptable{Message: "software_statement is not taken: no issuer of such statements is approved here"}

// Parse reads a document. Unknown members are ignored (RFC 7591 §2), also those by which
// only an operator may describe a client; a member that is null is one that is not there
// (RFC 7592 §2.2). Names that stand twice are refused: two readers would see two clients.
func Parse(data []byte) (Document, error) {
	var d Document
	if len(data) > MaxDocument {
		return d, invalid("document is larger than %d bytes", MaxDocument)
	}
	if jose.CheckObject(data) != nil {
		return d, invalid("document is not one well-formed JSON object without repeated names")
	}
	exact, err := ownMembers(data)
	if err != nil {
		return d, err
	}
	if err := json.Unmarshal(exact, &d); err != nil {
		if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && e.Field != "" {
			name := e.Field[strings.LastIndexByte(e.Field, '.')+1:]
			return Document{}, invalid("%s has the wrong type", name)
		}
		return Document{}, invalid("document has a member of the wrong type")
	}
	if d.SoftwareStatement != "" {
		return Document{}, ErrStatement
	}
	return d, nil
}

// operatorMembers are what only an operator says of a client.
var operatorMembers = [...]string{"first_party", "security_profile", "scopes", "web_origins", "resources", "response_modes"}

// ownMembers leaves out what is not the client's to say, what is null, and what is written
// in other letters: the decoder takes "Redirect_URIs" for "redirect_uris", and then two
// members could be one.
func ownMembers(data []byte) ([]byte, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return nil, invalid("document is not a JSON object")
	}
	for name, value := range members {
		if name != strings.ToLower(name) || slices.Contains(operatorMembers[:], name) || string(value) == "null" || strings.ContainsFunc(name, notASCII) {
			delete(members, name)
		}
	}
	return json.Marshal(members)
}

func notASCII(r rune) bool { return r >= 0x80 } // "ſ" and "K" fold to ASCII letters

// Policy is what a client that no operator added may have.
type Policy struct {
	Scopes  []string            // besides openid, profile, email and offline_access
	Profile idp.SecurityProfile // empty: oauth21
}

// strangersScopes may be asked for by everybody.
var strangersScopes = [...]string{idp.ScopeOpenID, idp.ScopeProfile, idp.ScopeEmail, idp.ScopeOfflineAccess}

// Admit turns what a client says of itself into what it gets: the authorization code grant
// with refresh tokens for people's data, and never more rights than the policy has. What a
// server may choose is chosen (RFC 7591 §2): grant types and scopes that it may not have
// are left out, and the answer says so. Everything else is refused, by the same rules as
// for operators. known are all scopes that exist.
func (p Policy) Admit(d Document, known map[string]bool) (idp.ClientMetadata, error) {
	m := d.ClientMetadata
	m.Profile = p.Profile
	if err := p.grants(&m, d); err != nil {
		return m, err
	}
	if err := p.scopes(&m, d, known); err != nil {
		return m, err
	}
	switch d.SubjectType {
	case "", "public":
	default:
		return m, invalid("subject_type is not public, the only one there is")
	}
	if m.Name == "" {
		m.Name = nameless(m)
	}
	m = WithDefaults(m)
	if m.IDTokenAlg == "" {
		m.IDTokenAlg = "RS256" // OpenID Connect Dynamic Client Registration §2
	}
	if err := checkStranger(m); err != nil {
		return m, err
	}
	return m, Check(m, known)
}

// grants of strangers are those that a person is asked about.
func (p Policy) grants(m *idp.ClientMetadata, d Document) error {
	if m.GrantTypes == nil {
		m.GrantTypes = []string{idp.GrantAuthorizationCode} // RFC 7591 §2
	}
	if !slices.Contains(m.GrantTypes, idp.GrantAuthorizationCode) {
		return invalid("grant_types has no authorization_code, without which a client that registers itself gets nothing here")
	}
	var kept []string
	for _, g := range m.GrantTypes {
		if (g == idp.GrantAuthorizationCode || g == idp.GrantRefreshToken) && !slices.Contains(kept, g) {
			kept = append(kept, g)
		}
	}
	m.GrantTypes = kept
	for _, r := range d.ResponseTypes {
		if r != "code" {
			return invalid("response_types has another one than code, the only one there is")
		}
	}
	if d.ResponseTypes != nil && len(d.ResponseTypes) != 1 { // §2.1: they belong together
		return invalid("response_types is not exactly code, as grant_types asks")
	}
	return nil
}

func (p Policy) scopes(m *idp.ClientMetadata, d Document, known map[string]bool) error {
	allowed := slices.Concat(strangersScopes[:], p.Scopes)
	asked := allowed
	if d.Scope != nil {
		asked = strings.Fields(*d.Scope)
	}
	m.Scopes = nil
	for _, s := range asked {
		if slices.Contains(allowed, s) && known[s] && !slices.Contains(m.Scopes, s) {
			m.Scopes = append(m.Scopes, s)
		}
	}
	if len(m.Scopes) == 0 {
		return invalid("scope has nothing that a client which registers itself may have")
	}
	return nil
}

// nameless is what a client without a name is called: where it wants people to be sent.
func nameless(m idp.ClientMetadata) string {
	for _, s := range append([]string{m.ClientURI}, m.RedirectURIs...) {
		if u, err := url.Parse(s); err == nil && u.Scheme == "https" && u.Hostname() != "" && PlainText(u.Hostname(), maxName) {
			return u.Hostname()
		}
	}
	return "Unnamed app"
}
