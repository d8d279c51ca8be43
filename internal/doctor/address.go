package doctor

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"strings"
)

// address: the name in public_url leads somewhere.
func (x *examination) address(ctx context.Context) {
	host := x.public.Hostname()
	if addr, err := netip.ParseAddr(host); err == nil {
		x.warn("address", "use a host name if people are to sign in with passkeys", "public_url names the address %s; it needs no DNS, but passkeys do not work with it", addr)
		return
	}
	if host == "localhost" {
		x.ok("address", "localhost is this machine, without DNS")
		return
	}
	addrs, err := cmp.Or(x.Resolver, net.DefaultResolver).LookupNetIP(ctx, "ip", host)
	if err != nil {
		x.problem("address", "add an A or AAAA record for "+host+" where its domain is managed, or correct public_url", "%s is not known to DNS: %v", host, err)
		return
	}
	var texts []string
	inside := true
	for _, addr := range addrs {
		texts = append(texts, addr.Unmap().String())
		inside = inside && addr.Unmap().IsLoopback()
	}
	if inside {
		x.warn("address", "if others are to reach it, let the record of "+host+" (or the line in /etc/hosts) name this machine's address", "%s leads to this machine only (%s)", host, strings.Join(texts, ", "))
		return
	}
	x.ok("address", "%s leads to %s", host, strings.Join(texts, ", "))
}
