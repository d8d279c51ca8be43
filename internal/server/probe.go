package server

import (
	"net/http"
	"strings"
	"sync"

	"github.com/signet-id/signet/internal/admin"
	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/secret"
)

// probe remembers how the one request arrived that carries the id which was given out last.
// The id comes from the administration socket, so strangers make it remember nothing.
type probe struct {
	mu      sync.Mutex // guards all below
	id      string
	arrived *admin.Arrival
}

// maxProbeText bounds what is kept of a header.
const maxProbeText = 256

// Begin forgets the request before.
func (p *probe) Begin() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.id, p.arrived = secret.ID(), nil
	return p.id
}

// Arrived returns the request of that id once it has come.
func (p *probe) Arrived(id string) (admin.Arrival, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if id == "" || id != p.id || p.arrived == nil {
		return admin.Arrival{}, false
	}
	return *p.arrived, true
}

// see keeps the request if it is the one.
func (p *probe) see(r *http.Request, proxies edge.Proxies) {
	if r.URL.RawQuery == "" {
		return
	}
	id := r.URL.Query().Get("probe")
	p.mu.Lock()
	defer p.mu.Unlock()
	if id == "" || id != p.id || p.arrived != nil {
		return
	}
	peer := edge.PeerAddr(r)
	a := admin.Arrival{
		Peer: peer.String(), Trusted: proxies.Contains(peer), Client: edge.ClientAddr(r).String(),
		Host: clip(r.Host), Proto: clip(r.Header.Get("X-Forwarded-Proto")),
	}
	for _, line := range r.Header.Values("X-Forwarded-For") {
		a.ForwardedFor = append(a.ForwardedFor, clip(line))
	}
	if a.Proto == "" {
		a.Proto = "http"
		if r.TLS != nil {
			a.Proto = "https"
		}
	}
	p.arrived = &a
}

func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxProbeText)], "") }
