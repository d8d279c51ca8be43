package edge

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/signet-id/signet/internal/idp"
)

// Proxies are the peers whose X-Forwarded-For is believed. The zero value believes nobody.
type Proxies struct{ Networks }

// maxHops is how far back X-Forwarded-For is read.
const maxHops = 32

// ParseProxies reads a list like ParseNetworks. Believing everybody, which it refuses,
// would mean that each visitor chooses the address he is counted under.
func ParseProxies(list []string) (Proxies, error) {
	networks, err := ParseNetworks(list)
	if err != nil {
		return Proxies{}, fmt.Errorf("trusted proxy: %w", err)
	}
	return Proxies{networks}, nil
}

// clientAddr finds the client: the peer itself, or, as long as each hop is trusted, the
// address that the hop says it got the request from. X-Forwarded-For is read right to
// left: what stands further left was written by whoever sent the request.
func (p Proxies) clientAddr(r *http.Request) netip.Addr {
	addr := PeerAddr(r)
	if !addr.IsValid() || !p.Contains(addr) {
		return addr
	}
	lines := r.Header.Values("X-Forwarded-For")
	for i, hops := len(lines)-1, 0; i >= 0; i-- {
		for rest, more := lines[i], true; more; hops++ {
			var last string
			last, rest, more = cutLast(rest)
			next, err := parseHop(last)
			if err != nil || hops >= maxHops {
				return addr // garbage: the last hop that we can believe
			}
			if addr = next; !p.Contains(addr) {
				return addr
			}
		}
	}
	return addr
}

// cutLast returns the element after the last comma, what stands before it, and whether
// there was a comma.
func cutLast(s string) (last, rest string, more bool) {
	i := strings.LastIndexByte(s, ',')
	if i < 0 {
		return s, "", false
	}
	return s[i+1:], s[:i], true
}

// parseHop reads "192.0.2.1", "192.0.2.1:1234", "2001:db8::1" and "[2001:db8::1]:1234".
func parseHop(s string) (netip.Addr, error) {
	s = strings.Trim(s, " \t")
	addr, err := netip.ParseAddr(s)
	if err != nil {
		var ap netip.AddrPort
		if ap, err = netip.ParseAddrPort(s); err == nil {
			addr = ap.Addr()
		}
	}
	if err != nil && strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		addr, err = netip.ParseAddr(s[1 : len(s)-1])
	}
	if err != nil {
		return netip.Addr{}, fmt.Errorf("no IP address: %w", idp.ErrInvalid)
	}
	return addr.Unmap().WithZone(""), nil
}

// Sent reports whether the connection comes from one of the networks, whatever a header says.
func (n Networks) Sent(r *http.Request) bool { return n.Contains(PeerAddr(r)) }

// PeerAddr returns who connected, whoever that speaks for; the zero Addr for a unix socket.
func PeerAddr(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{} // a unix socket
	}
	return ap.Addr().Unmap().WithZone("")
}

// ClientAddr returns the client's address as the middleware found it; without the
// middleware, the peer's.
func ClientAddr(r *http.Request) netip.Addr {
	if v, ok := r.Context().Value(visitorKey{}).(*visitor); ok {
		return v.addr
	}
	return PeerAddr(r)
}

// Network names the network in which attempts are counted: IPv4 /32, IPv6 /64.
func Network(addr netip.Addr) string { return idp.Network(addr) }
