package verify

import (
	"encoding/json"
	"net/http"
	"net/url"
)

// ResourceMetadata serves the protected resource metadata (RFC 9728 §2): which issuer's
// tokens this service takes, and which scopes it knows. Mount it, without
// authentication, where MetadataPath says, and name its address with the option
// ResourceMetadataURL.
func (v *Verifier) ResourceMetadata(scopes ...string) http.Handler {
	doc, err := json.Marshal(struct {
		Resource string   `json:"resource"`
		Servers  []string `json:"authorization_servers"`
		Methods  []string `json:"bearer_methods_supported"`
		Scopes   []string `json:"scopes_supported,omitempty"`
	}{v.audience, []string{v.issuer}, []string{"header"}, scopes})
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
