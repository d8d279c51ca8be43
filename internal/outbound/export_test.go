package outbound

import (
	"net/http"
	"net/netip"
	"time"
)

// PublicPort makes another port than 443 that of public addresses, so that a listener of
// a test can stand there.
func (c *Client) PublicPort(port uint16) { c.guard.port = port }

// Permit is what the dialer asks about an address.
func (c *Client) Permit(target netip.AddrPort) error { return c.guardSecure(target) }

// Lifetime is what an answer with these headers says about itself.
func Lifetime(h http.Header, least, most time.Duration) time.Duration {
	return parseCaching(h).lifetime(least, most)
}
