package web

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// policy is the Content-Security-Policy of a page (CSP3). The zero policy allows our
// style, our pictures and forms that end here.
type policy struct {
	script  bool     // our scripts: one shows passwords, one sends a form on
	targets []string // where a form's redirects may lead, besides here
	frames  []string // origins of frames
}

func (p policy) String() string {
	s := "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
	for _, t := range p.targets {
		s += " " + t
	}
	if p.script {
		s += "; script-src 'self'"
	}
	if len(p.frames) > 0 {
		s += "; frame-src " + strings.Join(p.frames, " ")
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

// maxFrames bounds the origins of frames in the policy, in bytes: proxies keep 4 KiB for all
// headers of an answer, and drop answers that have more.
const maxFrames = 2 << 10

// framing allows frames of one more origin, if there is room for it.
func (p policy) framing(origin string) (_ policy, ok bool) {
	if slices.Contains(p.frames, origin) {
		return p, true
	}
	frames := append(slices.Clone(p.frames), origin)
	if len(strings.Join(frames, " ")) > maxFrames {
		return p, false
	}
	p.frames = frames
	return p, true
}

// frameOrigin returns the origin of a frame in the words of CSP. What CSP cannot name
// exactly gets no frame: to allow a whole scheme would allow everybody.
func frameOrigin(frame string) (origin string, ok bool) {
	u, err := url.Parse(frame)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || !cspHost.MatchString(u.Host) {
		return "", false
	}
	return u.Scheme + "://" + u.Host, true
}

// canLeadTo holds for addresses that a link may have: those of the web, and schemes of
// apps, none of which a browser runs in our page.
func canLeadTo(uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http" || cspScheme.MatchString(u.Scheme) && strings.Contains(u.Scheme, "."))
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
