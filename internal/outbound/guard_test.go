package outbound_test

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/signet-id/signet/internal/outbound"
)

// forbidden are addresses that are not the Internet's, by the registries of RFC 6890.
var forbidden = []string{
	"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "100.127.255.255", "127.0.0.1", "127.1.2.3",
	"127.255.255.254", "168.63.129.16", "169.254.0.1", "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.1",
	"192.0.0.192", "192.0.2.1", "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.168.0.1", "192.168.255.255", "192.175.48.1",
	"198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
	"::", "::1", "::2", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:93.184.216.34", "::ffff:0:7f00:1", "64:ff9b::7f00:1",
	"64:ff9b::a9fe:a9fe", "64:ff9b::5db8:d822", "64:ff9b:1::a00:1", "100::1", "100:0:0:1::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
	"2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:5db8:d822::1", "2620:4f:8000::1",
	"3ffe::1", "3fff::1", "3fff:fff:ffff::1", "5f00::1", "4000::1", "fc00::1", "fd00:ec2::254", "fd12:3456:789a::1", "fe80::1", "fe80::1%eth0",
	"febf::1", "fec0::1", "ff02::1", "ff0e::1",
}

var permitted = []string{
	"1.1.1.1", "8.8.8.8", "93.184.216.34", "100.63.255.255", "100.128.0.1", "172.15.255.255", "172.32.0.1", "192.0.1.1", "192.167.255.255",
	"192.169.0.1", "198.17.255.255", "198.20.0.1", "223.255.255.255", "168.63.129.15", "9.255.255.255", "11.0.0.1", "126.255.255.255", "128.0.0.1",
	"2001:200::1", "2001:db7::1", "2001:db9::1", "2003::1", "2606:2800:220:1::1", "2a00:1450:4001::1", "3ffd::1", "2000::1",
}

// TestGuard_NET01_Addresses: only addresses of the Internet are connected to, and only
// at port 443.
func TestGuard_NET01_Addresses(t *testing.T) {
	t.Parallel()
	if len(forbidden) < 60 {
		t.Fatalf("only %d addresses", len(forbidden))
	}
	c := newClient(t, outbound.Config{})
	for _, s := range forbidden {
		if c.Permit(netip.AddrPortFrom(netip.MustParseAddr(s), 443)) == nil {
			t.Errorf("%s is called", s)
		}
	}
	for _, s := range permitted {
		addr := netip.MustParseAddr(s)
		if err := c.Permit(netip.AddrPortFrom(addr, 443)); err != nil {
			t.Errorf("%s is not called: %v", s, err)
		}
		for _, port := range []uint16{0, 22, 25, 80, 442, 444, 6379, 8443} {
			if c.Permit(netip.AddrPortFrom(addr, port)) == nil {
				t.Errorf("%s is called at port %d", s, port)
			}
		}
	}
}

// TestGuard_NET01_OwnNetworks: what the operator names may be called, at any port, and
// nothing beside it.
func TestGuard_NET01_OwnNetworks(t *testing.T) {
	t.Parallel()
	own := outbound.Config{Allow: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00:1::/32")}}
	c := newClient(t, own)
	for address, want := range map[string]bool{
		"10.1.2.3:8443": true, "[::ffff:10.1.2.3]:8443": true, "[fd00:1::5]:443": true, "10.2.0.1:443": false, "[fd00:2::1]:443": false,
		"127.0.0.1:443": false, "1.1.1.1:8443": false, "1.1.1.1:443": true, "169.254.169.254:443": false,
	} {
		if got := c.Permit(netip.MustParseAddrPort(address)) == nil; got != want {
			t.Errorf("%s: called is %v", address, got)
		}
	}
}

// TestCheck_NET01_URLs: what only hides where it leads is refused before anybody is asked.
func TestCheck_NET01_URLs(t *testing.T) {
	t.Parallel()
	c := newClient(t, outbound.Config{})
	for _, s := range []string{
		"", "a", "//a.example", "/jwks", "http://a.example/", "HTTP://a.example/", "ftp://a.example/", "file:///etc/passwd", "gopher://a.example/",
		"data:text/plain,a", "javascript:alert(1)", "https:a.example", "https://", "https:///jwks", "https://:443/", "https://a.example:/",
		"https://user@a.example/", "https://user:pw@a.example/", "https://a.example@b.example/", "https://a.example/#f", "https://a.example/#",
		"https://a.example\\@b.example/", "https://a .example/", "https://a.example/\r\nX: y", "https://ä.example/", "https://a.example/ä", "https://*.example/",
		"https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://017700000001/", "https://127.0.0.1./",
		"https://0/", "https://10.0.0.1/", "https://169.254.169.254/latest/meta-data", "https://[::1]/", "https://[::ffff:1.1.1.1]/", "https://[fe80::1%25eth0]/",
		"https://[64:ff9b::1.1.1.1]/", "https://[2002:101:101::]/", "https://1.1.1.1:8443/", "https://[::]/", "https://a.0x7f/", "https://%31%32%37.0.0.1/",
		"https://a.example:99999/", "http://127.0.0.1/", "http://localhost/", "https://a.example/" + string(make([]byte, 3000)),
	} {
		if _, err := c.Check(s); !errors.Is(err, outbound.ErrAddress) {
			t.Errorf("%.60q: %v", s, err)
		}
	}
	for _, s := range []string{
		"https://a.example", "https://a.example/", "https://a.example/jwks?x=1", "https://a.example:443/", "https://a.example./", "https://1.1.1.1/",
		"https://[2606:2800:220:1::1]/", "https://xn--bcher-kva.example/", "https://localhost/", // the last is refused when it is connected to
	} {
		if _, err := c.Check(s); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
}

// TestCheck_NET01_Development: plain http is for this machine, in development.
func TestCheck_NET01_Development(t *testing.T) {
	t.Parallel()
	c := newClient(t, outbound.Config{Loopback: true})
	for s, want := range map[string]bool{
		"http://127.0.0.1:9000/": true, "http://localhost:9000/": true, "http://[::1]:9000/": true, "https://127.0.0.1:9000/": true,
		"http://a.example/": false, "http://10.0.0.1/": false, "http://127.1/": false, "https://10.0.0.1/": false, "http://localhost.example/": false,
	} {
		if _, err := c.Check(s); (err == nil) != want {
			t.Errorf("%q: %v", s, err)
		}
	}
}
