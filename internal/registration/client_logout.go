package registration

import (
	"net/url"
	"regexp"
	"slices"

	"github.com/signet-id/signet/internal/idp"
)

// cspHost is a host that a Content-Security-Policy can name: frames of others are not shown.
var cspHost = regexp.MustCompile(`^[a-z0-9.-]{1,253}(:[0-9]{1,5})?$`)

// checkLogout holds the two logout addresses to Back-Channel Logout §2.2 and Front-Channel
// Logout §2.
func checkLogout(m idp.ClientMetadata) error {
	if m.BackchannelLogoutSID && m.BackchannelLogoutURI == "" {
		return invalid("backchannel_logout_session_required without backchannel_logout_uri means nothing")
	}
	if m.FrontchannelLogoutSID && m.FrontchannelLogoutURI == "" {
		return invalid("frontchannel_logout_session_required without frontchannel_logout_uri means nothing")
	}
	code := slices.Contains(m.GrantTypes, idp.GrantAuthorizationCode)
	for name, s := range map[string]string{"backchannel_logout_uri": m.BackchannelLogoutURI, "frontchannel_logout_uri": m.FrontchannelLogoutURI} {
		if s == "" {
			continue
		}
		u, err := parseURI(s)
		if err != nil {
			return invalid("%s %s", name, err)
		}
		if u.Scheme != "https" && u.Scheme != "http" {
			return invalid("%s is not https (or http on loopback)", name)
		}
		if err := checkWeb(u); err != nil {
			return invalid("%s %s", name, err)
		}
		if !code {
			return invalid("%s without the grant type authorization_code is never used: nobody signs in", name)
		}
		if name == "frontchannel_logout_uri" {
			if err := checkFrame(m, u); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkFrame: the address is loaded in people's browsers, so it must be on a host to which
// they are sent anyway (Front-Channel Logout §2), and its query must not speak for us.
func checkFrame(m idp.ClientMetadata, u *url.URL) error {
	query, err := url.ParseQuery(u.RawQuery)
	switch {
	case err != nil:
		return invalid("frontchannel_logout_uri has a malformed query")
	case query.Has("iss") || query.Has("sid"):
		return invalid("frontchannel_logout_uri has a query with iss or sid, which are ours to add")
	case !cspHost.MatchString(u.Host):
		return invalid("frontchannel_logout_uri has a host that a page cannot allow by name; use a domain or an IPv4 address")
	}
	for _, redirect := range m.RedirectURIs {
		if r, err := url.Parse(redirect); err == nil && r.Scheme == u.Scheme && r.Host == u.Host {
			return nil
		}
	}
	return invalid("frontchannel_logout_uri has another scheme, host or port than every one of redirect_uris")
}
