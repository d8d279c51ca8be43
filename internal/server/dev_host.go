package server

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// OnlyOwnHost answers only under this machine's own names. In development the passwords
// are known to everybody and caught mail can be read without any, so a web page whose
// name has been turned to 127.0.0.1 (DNS rebinding) must not be a page of this origin.
// Its port says nothing: a browser puts the one that it connects to there.
func OnlyOwnHost(publicURL string, next http.Handler) http.Handler {
	own := ""
	if u, err := url.Parse(publicURL); err == nil {
		own = u.Hostname()
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := hostname(r.Host)
		addr, err := netip.ParseAddr(host)
		if host != own && host != "localhost" && (err != nil || !addr.IsLoopback()) {
			http.Error(w, "development mode answers under "+publicURL+" only", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostname is the host of a Host header, without its port and the brackets of an address.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
}
