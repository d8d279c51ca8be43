package idp

import "net/netip"

// SiteFactor is how many networks' worth of a quota all networks of a site may use.
const SiteFactor = 4

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

// Site names the IPv6 /48 around a network that Network named, because a customer may
// have all networks of one for nothing; empty for an IPv4 address.
func Site(network string) string {
	prefix, err := netip.ParsePrefix(network)
	if err != nil || !prefix.Addr().Is6() || prefix.Bits() < 48 {
		return ""
	}
	return netip.PrefixFrom(prefix.Addr(), 48).Masked().String()
}

// Network is the network that the actor came from.
func (a Actor) Network() string {
	addr, _ := netip.ParseAddr(a.IP)
	return Network(addr)
}
