package doctor

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/signet-id/signet/internal/admin"
)

// invented is a client address that the probe claims to have (RFC 5737 §3): nobody's.
const invented = "192.0.2.1"

// forwardingFix is for nginx; other proxies do so by themselves.
const forwardingFix = "nginx: proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"

var errNotHere = errors.New("another node took the request")

// proxy sends a request through the public URL and asks the server how it arrived: only
// addresses are of interest, since links are built from public_url and not from Host or
// X-Forwarded-Proto.
func (x *examination) proxy(ctx context.Context) {
	if !x.running {
		x.skip("proxy", "the server does not run here: nobody could tell how a request arrives")
		return
	}
	a, err := x.sendProbe(ctx)
	switch {
	case errors.Is(err, errNotHere):
		x.skip("proxy", "none of the requests to %s came to this node", x.cfg.PublicURL)
		return
	case err != nil:
		x.skip("proxy", "the request to %s did not come through: %v", x.cfg.PublicURL, err)
		return
	case len(x.cfg.TrustedProxies) == 0:
		x.ok("proxy", "there is none: requests come from %s itself", a.Client)
		return
	case !a.Trusted:
		names := append(slices.Clone(x.cfg.TrustedProxies), a.Peer)
		x.problem("proxy", "trusted_proxies: ["+strings.Join(names, ", ")+"]", "requests come from %s, which trusted_proxies does not name: all people look like one, who is then throttled", a.Peer)
		return
	}
	switch last := lastHop(a.ForwardedFor); last {
	case "":
		x.problem("proxy", forwardingFix, "the proxy %s sends no X-Forwarded-For: all people look like one, who is then throttled", a.Peer)
	case invented:
		x.problem("proxy", forwardingFix, "the proxy %s passes on the X-Forwarded-For that visitors write: they choose the address they are counted under", a.Peer)
	default:
		x.ok("proxy", "%s passes on the client's address (%s); host and scheme, which signet does not need, arrive as %q and %q", a.Peer, last, a.Host, a.Proto)
	}
}

// sendProbe tries some times: with several nodes, others take requests too.
func (x *examination) sendProbe(ctx context.Context) (admin.Arrival, error) {
	var p admin.Probe
	if err := x.ask(ctx, http.MethodPost, "/probes", &p); err != nil {
		return admin.Arrival{}, err
	}
	for range 6 {
		if _, err := x.get(ctx, "/readyz?probe="+p.ID, http.Header{"X-Forwarded-For": {invented}}); err != nil {
			return admin.Arrival{}, err
		}
		var a admin.Arrival
		if err := x.ask(ctx, http.MethodGet, "/probes/"+p.ID, &a); err == nil {
			return a, nil
		} else if !errors.Is(err, errRefused) {
			return admin.Arrival{}, err
		}
	}
	return admin.Arrival{}, errNotHere
}

// lastHop is what the nearest proxy added.
func lastHop(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	hops := strings.Split(lines[len(lines)-1], ",")
	return strings.TrimSpace(hops[len(hops)-1])
}
