package doctor

import (
	"context"
	"net/http"
	"strings"
)

// cookies: what a browser needs to keep a login arrives there as it was sent. The prefix
// __Host- means Secure, the path / and no domain (RFC 6265bis §4.1.3.2): a browser drops
// a cookie that a proxy has changed in any of these.
func (x *examination) cookies(ctx context.Context) {
	if x.public.Scheme == "http" {
		x.warn("cookies", "for more than trying out: https in public_url", "public_url is http on this machine: not every browser keeps its logins there (Safari does not)")
	}
	a, err := x.get(ctx, "/login", nil)
	if err != nil || a.status != http.StatusOK {
		x.skip("cookies", "the login page could not be fetched from %s", x.cfg.PublicURL)
		return
	}
	set := (&http.Response{Header: a.header}).Cookies()
	if len(set) == 0 {
		x.problem("cookies", "let the proxy pass on Set-Cookie", "the login page of %s arrives without a cookie", x.cfg.PublicURL)
		return
	}
	for _, c := range set {
		if wrong := notHost(c); wrong != "" {
			x.problem("cookies", "remove what changes cookies from the proxy's configuration (nginx: proxy_cookie_domain, proxy_cookie_path, proxy_cookie_flags)",
				"the cookie %.64q arrives %s, so browsers drop it and nobody can sign in", c.Name, wrong)
			return
		}
	}
	x.ok("cookies", "they arrive as they were sent, for %s alone", x.public.Host)
}

// notHost says what keeps a cookie from being one of __Host-.
func notHost(c *http.Cookie) string {
	switch {
	case !strings.HasPrefix(c.Name, "__Host-"):
		return "under another name"
	case !c.Secure:
		return "without Secure"
	case c.Domain != "":
		return "with a Domain"
	case c.Path != "/":
		return "without Path=/"
	}
	return ""
}
