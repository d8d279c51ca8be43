package edge

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/signet-id/signet/internal/idp"
)

// Networks are addresses that the operator named. The zero value has none.
type Networks struct{ prefixes []netip.Prefix }

// ParseNetworks reads addresses and prefixes ("10.0.0.2", "10.1.0.0/16", "fd00::/8"). One
// that contains everybody names nobody.
func ParseNetworks(list []string) (Networks, error) {
	var n Networks
	for _, s := range list {
		prefix, err := parsePrefix(s)
		if err != nil {
			return Networks{}, fmt.Errorf("%q: %w", s, err)
		}
		if prefix.Bits() == 0 {
			return Networks{}, fmt.Errorf("%q: contains everybody: %w", s, idp.ErrInvalid)
		}
		n.prefixes = append(n.prefixes, prefix)
	}
	return n, nil
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
func (n Networks) Contains(addr netip.Addr) bool {
	for _, prefix := range n.prefixes {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// Prefixes returns them.
func (n Networks) Prefixes() []netip.Prefix { return slices.Clone(n.prefixes) }

// Empty reports whether nobody was named.
func (n Networks) Empty() bool { return len(n.prefixes) == 0 }
