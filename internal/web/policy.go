package web

import (
	"net/url"
	"regexp"
	"strings"
)

// policy is the Content-Security-Policy of a page (CSP3). The zero policy allows our
// style, our pictures and forms that end here.
type policy struct {
	script  bool     // our scripts: one shows passwords, one sends a form on
	targets []string // where a form's redirects may lead, besides here
}

func (p policy) String() string {
	s := "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
	for _, t := range p.targets {
		s += " " + t
	}
	if p.script {
		s += "; script-src 'self'"
	}
	return s
}

var (
	cspScheme = regexp.MustCompile(`^[a-z][a-z0-9+.-]{0,63}$`)
	cspHost   = regexp.MustCompile(`^[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?$`)
)

// leadingTo allows a form's redirects to end at the redirect URI. Browsers check
// the whole chain, the app's own next hop too, so every https address is allowed; other
// schemes only for this address. What CSP cannot name as a host (IPv6) is named by its scheme.
func leadingTo(uri string) policy {
	if uri == "" { // a device's flow ends here
		return policy{}
	}
	p := policy{targets: []string{"https:"}}
	u, err := url.Parse(uri)
	if err != nil || u.Scheme == "https" {
		return p
	}
	scheme := strings.ToLower(u.Scheme)
	switch {
	case !cspScheme.MatchString(scheme) || scheme == "javascript" || scheme == "data":
	case scheme == "http" && cspHost.MatchString(u.Host):
		p.targets = append(p.targets, "http://"+u.Host)
	default:
		p.targets = append(p.targets, scheme+":")
	}
	return p
}

func (p policy) withScript() policy {
	p.script = true
	return p
}

// A destination is where the browser will be sent, in words: kind names the text.
type destination struct {
	Kind string // "site", "local", "app", "device"
	Name string
}

// destinationOf: the host is always shown, so that a stranger's app under a familiar
// name can be told from the real one (OAU-16).
func destinationOf(redirectURI string) destination {
	u, err := url.Parse(redirectURI)
	if err != nil {
		return destination{}
	}
	switch {
	case redirectURI == "":
		return destination{Kind: "device"}
	case u.Scheme != "http" && u.Scheme != "https":
		return destination{"app", u.Scheme}
	case loopback(u.Hostname()):
		return destination{"local", u.Host}
	}
	return destination{"site", u.Host}
}
