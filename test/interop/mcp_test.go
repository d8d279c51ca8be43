package interop_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/signet-id/signet/verify"
)

// toolsScope is the right at an MCP server. Clients that register themselves may have it
// where the configuration says so, which that of signet dev does not.
const toolsScope = "mcp.tools"

func registers(p *provider) bool { return p.name == "serve" && p.advertises("registration_endpoint") }

// An MCP client is given nothing but a service's address; the service is one of ours.
func TestMCPClient(t *testing.T) {
	t.Parallel()
	node := needNode(t)
	onEach(t, func(t *testing.T, p *provider) {
		service := p.protect(t)
		play(t, p, node, "node/mcp.mjs", []chapter{
			{"from a challenge to a token", always},
			{"refresh", always},
			{"registration", registers},
		}, map[string]any{"service": service, "registers": registers(p), "clients": map[string]any{
			"open": p.register(t, web("MCP", map[string]any{"token_endpoint_auth_method": "none", "scopes": []string{toolsScope}})),
		}})
	})
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
