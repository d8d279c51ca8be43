package outbound

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"syscall"
)

// guard decides about addresses, not names.
type guard struct {
	allow    []netip.Prefix
	loopback bool
	port     uint16 // of public addresses
}

var (
	errForbidden = errors.New("not a public address")
	errPort      = errors.New("a port that is not allowed")
)

// control is asked by the dialer for each address that it is about to connect to: after
// the name was resolved, and about the very address that is used.
func control(permit func(netip.AddrPort) error) func(context.Context, string, string, syscall.RawConn) error {
	return func(_ context.Context, network, address string, _ syscall.RawConn) error {
		if network != "tcp4" && network != "tcp6" {
			return fmt.Errorf("%s: %w", network, errForbidden)
		}
		target, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("%s: %w", address, errForbidden)
		}
		if err := permit(target); err != nil {
			return fmt.Errorf("%s: %w", target, err)
		}
		return nil
	}
}

// guardSecure is asked about connections that TLS goes over.
func (c *Client) guardSecure(target netip.AddrPort) error {
	addr := target.Addr().Unmap()
	for _, prefix := range c.guard.allow {
		if prefix.Contains(addr) {
			return nil
		}
	}
	switch {
	case c.guard.loopback && addr.IsLoopback():
		return nil
	case !public(target.Addr()):
		return errForbidden
	case target.Port() != c.guard.port:
		return errPort
	}
	return nil
}

// guardPlain is asked about connections without TLS.
func (c *Client) guardPlain(target netip.AddrPort) error {
	if c.guard.loopback && target.Addr().IsLoopback() {
		return nil
	}
	return errForbidden
}

// public reports whether an address belongs to the Internet. IPv6 is asked the other way
// round than IPv4: only 2000::/3 is given out, so what is not in it never is public. That
// leaves out loopback, link-local, unique local, multicast and unspecified addresses,
// IPv4-mapped and -compatible ones, and both prefixes of NAT64.
func public(addr netip.Addr) bool {
	special := specialIPv4
	if !addr.Is4() {
		if addr.Zone() != "" || !globalUnicast.Contains(addr) {
			return false
		}
		special = specialIPv6
	}
	for _, prefix := range special {
		if prefix.Contains(addr) {
			return false
		}
	}
	return true
}

var (
	globalUnicast = netip.MustParsePrefix("2000::/3")

	// The registries of special-purpose addresses (RFC 6890), and what the big clouds
	// keep for their metadata outside of these.
	specialIPv4 = prefixes(
		"0.0.0.0/8",        // this network
		"10.0.0.0/8",       // private
		"100.64.0.0/10",    // shared by a carrier's customers (RFC 6598); metadata at 100.100.100.200
		"127.0.0.0/8",      // loopback
		"169.254.0.0/16",   // link-local; metadata at 169.254.169.254
		"172.16.0.0/12",    // private
		"192.0.0.0/24",     // protocol assignments; metadata at 192.0.0.192
		"192.0.2.0/24",     // documentation
		"192.31.196.0/24",  // AS112
		"192.52.193.0/24",  // AMT
		"192.88.99.0/24",   // relays of 6to4
		"192.168.0.0/16",   // private
		"192.175.48.0/24",  // AS112
		"198.18.0.0/15",    // benchmarks
		"198.51.100.0/24",  // documentation
		"203.0.113.0/24",   // documentation
		"224.0.0.0/4",      // multicast
		"240.0.0.0/4",      // reserved, and the broadcast address
		"168.63.129.16/32", // a cloud's own services
	)
	specialIPv6 = prefixes(
		"2001::/23",         // protocol assignments: Teredo, benchmarks, ORCHID
		"2001:db8::/32",     // documentation
		"2002::/16",         // 6to4: an IPv4 address of somebody's choice
		"2620:4f:8000::/48", // AS112
		"3ffe::/16",         // a network of tests that is over
		"3fff::/20",         // documentation
	)
)

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

// portOf reads the port of a URL with https.
func portOf(s string) (port uint16, ok bool) {
	if s == "" {
		return 443, true
	}
	n, err := strconv.ParseUint(s, 10, 16)
	return uint16(n), err == nil && n > 0
}
