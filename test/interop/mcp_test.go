package interop_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/signet-id/signet/verify"
)

// toolsScope is the right at an MCP server. Clients that nobody added may have it where the
// operator says so.
const toolsScope = "mcp.tools"

// An MCP client is given nothing but a service's address; the service is one of ours. The
// client is one that is known, or it registers, or it says where it is described.
func TestMCPClient(t *testing.T) {
	t.Parallel()
	node := needNode(t)
	onEach(t, func(t *testing.T, p *provider) {
		play(t, p, node, "node/mcp.mjs", []string{
			"from a challenge to a token", "refresh", "registration", "client ID metadata document", "DPoP",
		}, map[string]any{"service": p.protect(t), "document": describe(t), "clients": map[string]any{
			"open": p.register(t, web("MCP", map[string]any{"token_endpoint_auth_method": "none", "scopes": []string{toolsScope}})),
		}})
	})
}

// describe publishes an app's metadata document, and returns its address, which is the app's id.
func describe(t *testing.T) string {
	t.Helper()
	var address string
	address = listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		// It always encodes, and who went away needs nothing.
		_ = json.NewEncoder(w).Encode(map[string]any{
			"client_id": address + r.URL.Path, "client_name": "Described MCP client", "redirect_uris": []string{callback},
			"grant_types": []string{"authorization_code", "refresh_token"}, "response_types": []string{"code"}, "token_endpoint_auth_method": "none",
		})
	}))
	return address + "/client.json"
}

// protect starts a service that our SDK protects, and returns its address.
func (p *provider) protect(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	address := server.URL + "/mcp"
	resource := map[string]any{"name": "Tools", "scopes": []any{
		map[string]any{"name": toolsScope, "title": map[string]string{"en": "Use your tools"}},
	}}
	if err := p.administer(http.MethodPut, "/resources/"+url.PathEscape(address), resource, nil); err != nil {
		t.Fatal(err)
	}
	v, err := verify.New(p.issuer, address, verify.HTTPClient(&http.Client{Transport: p.http.Transport}),
		verify.ResourceMetadataURL(server.URL+"/.well-known/oauth-protected-resource/mcp"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- v.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	<-v.Ready()
	mux.Handle("GET "+v.MetadataPath(), v.ResourceMetadata(toolsScope))
	mux.Handle("/mcp", v.Require(toolsScope)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "tools") // the other end went away
	})))
	return address
}
