package verify

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// resourceMetadata is the document of RFC 9728 §2.
type resourceMetadata struct {
	Resource      string   `json:"resource"`
	Servers       []string `json:"authorization_servers"`
	Methods       []string `json:"bearer_methods_supported"`
	Scopes        []string `json:"scopes_supported,omitempty"`
	Name          string   `json:"resource_name,omitempty"`
	Documentation string   `json:"resource_documentation,omitempty"`
	Certificates  bool     `json:"tls_client_certificate_bound_access_tokens,omitempty"`
	Algorithms    []string `json:"dpop_signing_alg_values_supported,omitempty"`
	DPoPRequired  bool     `json:"dpop_bound_access_tokens_required,omitempty"`
}

// ResourceDescription sets what people are told about this service in its metadata: a
// name, and the address of a page for developers (RFC 9728 §2). Either may be empty.
func ResourceDescription(name, documentation string) Option {
	return func(v *Verifier) { v.description = [2]string{name, documentation} }
}

// checkMetadataURL refuses what a client cannot fetch. A query may stand there, for a
// resource may have one (RFC 9728 §3.1).
func checkMetadataURL(address string) error {
	if address == "" {
		return nil // not given
	}
	if !quotable(address) || strings.ContainsAny(address, " #") || checkURL(address) != nil {
		return errors.New("verify: the resource metadata URL must be a whole one, https, or http on this machine, without user and fragment")
	}
	return nil
}

// ResourceMetadata serves the protected resource metadata (RFC 9728 §2): which issuer's
// tokens this service takes, which scopes it knows, and how tokens may be bound. Mount it,
// without authentication, where MetadataPath says, and name its address with the option
// ResourceMetadataURL.
func (v *Verifier) ResourceMetadata(scopes ...string) http.Handler {
	m := resourceMetadata{
		Resource: v.audience, Servers: []string{v.issuer}, Methods: []string{"header"}, Scopes: scopes,
		Name: v.description[0], Documentation: v.description[1],
		Certificates: v.proofs.takesCertificates(),
	}
	if v.proofs.base != "" { // else no proof can be checked
		m.Algorithms = v.proofAlgorithms()
		m.DPoPRequired = v.proofs.required && !m.Certificates
	}
	doc, err := json.Marshal(m)
	if err != nil {
		panic("verify: strings do not marshal")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "public, max-age=300")
		w.Header().Set("Access-Control-Allow-Origin", "*") // public, and never with credentials
		_, _ = w.Write(doc)
	})
}

// MetadataPath returns the path at which clients look for the document: the well-known
// name, followed by the path of the audience if it is a URL with one (RFC 9728 §3.1).
func (v *Verifier) MetadataPath() string {
	const known = "/.well-known/oauth-protected-resource"
	u, err := url.Parse(v.audience)
	if err != nil || u.Host == "" || u.EscapedPath() == "/" {
		return known
	}
	return known + u.EscapedPath()
}
