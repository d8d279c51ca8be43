package oauth

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/signet-id/signet/internal/idp"
)

// registeredRedirect reports whether the client may be answered at uri. It compares
// strings, not what a parser makes of them: every difference that a parser would
// forgive has sent codes to somebody else before (RFC 9700 §4.1.3).
func registeredRedirect(c idp.Client, uri string) bool {
	if !safeRedirect(uri) {
		return false
	}
	if slices.Contains(c.RedirectURIs, uri) {
		return true
	}
	if !c.Native() || !c.Public() {
		return false
	}
	// RFC 8252 §7.3: a native app listens on whatever port it was given.
	rest, loopback := withoutLoopbackPort(uri)
	return loopback && slices.ContainsFunc(c.RedirectURIs, func(registered string) bool {
		r, ok := withoutLoopbackPort(registered)
		return ok && r == rest
	})
}

// safeRedirect holds for every URI that an answer is ever sent to, whatever was
// registered: no fragment, nothing that a header or a browser reads in another way,
// no scheme that runs in a browser, no plain http over a network, and no parameter
// of ours in the query (OAU-08).
func safeRedirect(uri string) bool {
	for _, c := range []byte(uri) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte("#\\\"<>^`{|}", c) >= 0 {
			return false
		}
	}
	u, err := url.Parse(uri)
	if err != nil || len(uri) > maxURI || u.User != nil {
		return false
	}
	switch u.Scheme {
	case "https":
		if u.Host == "" {
			return false
		}
	case "http":
		addr, err := netip.ParseAddr(u.Hostname())
		if u.Hostname() != "localhost" && (err != nil || !addr.IsLoopback()) {
			return false
		}
	default:
		// RFC 8252 §7.1: a scheme of the app's own is a domain name in reverse; no
		// scheme that browsers act on has a dot.
		if !strings.Contains(u.Scheme, ".") {
			return false
		}
	}
	query, err := url.ParseQuery(u.RawQuery)
	return err == nil && !slices.ContainsFunc(responseParameters[:], func(name string) bool { return query.Has(name) })
}

// maxURI bounds what is looked at.
const maxURI = 2048

// responseParameters are the names that answers use (RFC 6749 §4.1.2, RFC 9207 §2).
var responseParameters = [...]string{
	"code", "state", "iss", "error", "error_description", "error_uri", "response",
	"access_token", "token_type", "expires_in", "id_token", "scope", "session_state",
}

// withoutLoopbackPort cuts the port out of an http URI that begins like one of this
// computer. What comes after the port is compared, and so is where the host ends.
func withoutLoopbackPort(uri string) (string, bool) {
	for _, host := range [...]string{"http://127.0.0.1", "http://[::1]", "http://localhost"} {
		rest, ok := strings.CutPrefix(uri, host)
		if !ok {
			continue
		}
		if port, found := strings.CutPrefix(rest, ":"); found {
			digits := len(port) - len(strings.TrimLeft(port, "0123456789"))
			if digits == 0 || digits > 5 {
				return "", false
			}
			rest = port[digits:]
		}
		return host + rest, true
	}
	return "", false
}

// answerURI adds an answer to a redirect URI, whose own query stays (RFC 6749 §3.1.2).
func answerURI(uri string, answer url.Values) string {
	separator := "?"
	if strings.Contains(uri, "?") {
		separator = "&"
	}
	return uri + separator + answer.Encode()
}
