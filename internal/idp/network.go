package idp

import "net/netip"

// Network names the network of an address, the unit in which attempts are counted: an
// IPv4 address, an IPv6 /64 (whoever has one address of it has all of them).
func Network(addr netip.Addr) string {
	if !addr.IsValid() {
		return "unknown" // a unix socket has none
	}
	addr = addr.Unmap().WithZone("")
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(addr, bits).Masked().String()
}

// Network is the network that the actor came from.
func (a Actor) Network() string {
	addr, _ := netip.ParseAddr(a.IP)
	return Network(addr)
}
