package edge

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/signet-id/signet/internal/idp"
)

// Proxies are the peers whose X-Forwarded-For is believed. The zero value believes nobody.
type Proxies struct{ prefixes []netip.Prefix }

// maxHops is how far back X-Forwarded-For is read.
const maxHops = 32

// ParseProxies reads addresses and prefixes ("10.0.0.2", "10.1.0.0/16", "fd00::/8").
func ParseProxies(list []string) (Proxies, error) {
	var p Proxies
	for _, s := range list {
		prefix, err := parsePrefix(s)
		if err != nil {
			return Proxies{}, fmt.Errorf("trusted proxy %q: %w", s, err)
		}
		// Believing everybody means that each visitor chooses the address he is counted under.
		if prefix.Bits() == 0 {
			return Proxies{}, fmt.Errorf("trusted proxy %q: trusts everybody: %w", s, idp.ErrInvalid)
		}
		p.prefixes = append(p.prefixes, prefix)
	}
	return p, nil
}

func parsePrefix(s string) (netip.Prefix, error) {
	if !strings.Contains(s, "/") {
		addr, err := netip.ParseAddr(s)
		if err != nil || addr.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("no IP address: %w", idp.ErrInvalid)
		}
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(s)
	if err != nil || prefix.Addr().Is4In6() {
		return netip.Prefix{}, fmt.Errorf("no IP prefix: %w", idp.ErrInvalid)
	}
	return prefix.Masked(), nil
}

// Contains reports whether the address is one of theirs.
func (p Proxies) Contains(addr netip.Addr) bool {
	for _, prefix := range p.prefixes {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// clientAddr finds the client: the peer itself, or, as long as each hop is trusted, the
// address that the hop says it got the request from. X-Forwarded-For is read right to
// left: what stands further left was written by whoever sent the request.
func (p Proxies) clientAddr(r *http.Request) netip.Addr {
	addr := peerAddr(r)
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

func peerAddr(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{} // a unix socket
	}
	return ap.Addr().Unmap().WithZone("")
}

// ClientAddr returns the client's address as the middleware found it; without the
// middleware, the peer's.
func ClientAddr(r *http.Request) netip.Addr {
	if v, ok := r.Context().Value(visitorKey{}).(visitor); ok {
		return v.addr
	}
	return peerAddr(r)
}

// Network names the network in which attempts are counted: IPv4 /32, IPv6 /64.
func Network(addr netip.Addr) string { return idp.Network(addr) }
