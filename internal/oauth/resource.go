package oauth

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/signet-id/signet/internal/idp"
)

// resourceDirectory is what the choice of an audience needs to know.
type resourceDirectory interface {
	Resource(ctx context.Context, id string) (idp.Resource, error)
	ResourceByScope(ctx context.Context, scope string) (idp.Resource, error)
}

// audiences chooses whom an access token is for. Every access token has one audience,
// so that no service can use it at another (RFC 8707, RFC 9700 §2.3).
type audiences struct {
	directory resourceDirectory
	issuer    string
}

// target is an audience and what a token for it may carry.
type target struct {
	audience string
	resource idp.Resource // zero if the audience is the issuer
	scopes   []string     // those of the audience alone
}

// choose finds the audience for the scopes. Without a resource it is the one service
// that they belong to, or the issuer if they belong to none.
func (a audiences) choose(ctx context.Context, resource string, scopes []string) (target, error) {
	if resource != "" {
		return a.named(ctx, resource, scopes)
	}
	var found idp.Resource
	for _, scope := range scopes {
		r, known, err := a.owner(ctx, scope)
		switch {
		case err != nil:
			return target{}, err
		case !known:
			continue
		case found.ID != "" && found.ID != r.ID:
			return target{}, refuse(InvalidTarget, "the scopes belong to more than one resource; name one")
		}
		found = r
	}
	t := a.target(found, scopes)
	if len(t.scopes) == 0 && len(scopes) > 0 {
		return target{}, refuse(InvalidScope, "the scopes belong to nothing that exists")
	}
	return t, nil
}

// named returns the target with this identifier. The issuer always is one: its tokens
// open the userinfo endpoint. Of any other service the scopes must name something.
func (a audiences) named(ctx context.Context, resource string, scopes []string) (target, error) {
	r, err := a.find(ctx, resource)
	if err != nil {
		return target{}, err
	}
	t := a.target(r, scopes)
	if r.ID != "" && len(t.scopes) == 0 {
		return target{}, refuse(InvalidTarget, "none of the scopes belongs to the resource")
	}
	return t, nil
}

// fits keeps an algorithm from a client whose profile does not have it, however the tokens
// of the resource are signed for others. FAPI 2.0 §5.4.1: PS256, ES256 or EdDSA. Those of
// ML-DSA, which are younger than it, are not refused: nobody gets them without asking.
func fits(c idp.Client, r idp.Resource) error {
	if c.Profile == idp.FAPI2 && r.Alg == "RS256" {
		return refuse(InvalidTarget, "the resource has tokens of RS256, which profile fapi2 does not have")
	}
	return nil
}

// again chooses for a grant that exists: what the client names now, else what it named
// first. narrowed says that the client asks for fewer scopes, perhaps of another resource.
func (a audiences) again(ctx context.Context, g idp.Grant, resource string, scopes []string, narrowed bool) (target, error) {
	if resource != "" {
		return a.named(ctx, resource, scopes)
	}
	t, err := a.named(ctx, g.Resource, scopes)
	e, refused := errors.AsType[*Error](err)
	elsewhere := refused && e.Code == InvalidTarget || err == nil && len(t.scopes) == 0 // the issuer is named with no scopes as well
	if narrowed && elsewhere {
		return a.choose(ctx, "", scopes)
	}
	return t, err
}

// target takes the scopes that belong to r; to the issuer if r is zero.
func (a audiences) target(r idp.Resource, scopes []string) target {
	t := target{audience: r.ID, resource: r, scopes: make([]string, 0, len(scopes))}
	if r.ID == "" {
		t.audience = a.issuer
	}
	for _, scope := range scopes {
		if r.ID == "" && issuerScope(scope) || r.ID != "" && hasScope(r, scope) {
			t.scopes = append(t.scopes, scope)
		}
	}
	return t
}

// find looks a resource indicator up; the zero resource is the issuer. RFC 8707 §2: an
// absolute URI without a fragment.
func (a audiences) find(ctx context.Context, resource string) (idp.Resource, error) {
	u, err := url.Parse(resource)
	if err != nil || !u.IsAbs() || strings.Contains(resource, "#") || len(resource) > maxURI {
		return idp.Resource{}, refuse(InvalidTarget, "resource must be an absolute URI without a fragment")
	}
	for _, id := range spellings(resource, u) {
		if id == a.issuer {
			return idp.Resource{}, nil
		}
		r, err := a.directory.Resource(ctx, id)
		if err == nil || !errors.Is(err, idp.ErrNotFound) {
			return r, err
		}
	}
	return idp.Resource{}, refuse(InvalidTarget, "the resource is not known")
}

// spellings forgives a slash after a bare host: libraries add one. The token then
// carries the registered form, which verifiers compare exactly.
func spellings(resource string, u *url.URL) []string {
	switch {
	case u.Host == "" || u.RawQuery != "":
		return []string{resource}
	case u.Path == "":
		return []string{resource, resource + "/"}
	case u.Path == "/":
		return []string{resource, strings.TrimSuffix(resource, "/")}
	}
	return []string{resource}
}

// owner returns the service that a scope belongs to; known is false for the issuer's
// own scopes and for names that nobody has.
func (a audiences) owner(ctx context.Context, scope string) (r idp.Resource, known bool, err error) {
	if issuerScope(scope) {
		return idp.Resource{}, false, nil
	}
	r, err = a.directory.ResourceByScope(ctx, scope)
	if errors.Is(err, idp.ErrNotFound) {
		return idp.Resource{}, false, nil
	}
	return r, err == nil, err
}

// allowed returns the scopes of a request that the client may have. Nothing left is
// invalid_scope.
func (a audiences) allowed(ctx context.Context, c idp.Client, scope string) ([]string, error) {
	asked, err := parseScope(scope)
	if err != nil {
		return nil, err
	}
	var scopes []string
	for _, name := range asked {
		if !slices.Contains(c.Scopes, name) {
			continue
		}
		// OpenID Connect Core §11: without refresh tokens there is no offline access.
		if name == idp.ScopeOfflineAccess && !c.MayUse(idp.GrantRefreshToken) {
			continue
		}
		_, known, err := a.owner(ctx, name)
		if err != nil {
			return nil, err
		}
		if known || issuerScope(name) {
			scopes = append(scopes, name)
		}
	}
	if len(scopes) == 0 {
		return nil, refuse(InvalidScope, "scope has nothing that this client may have")
	}
	return scopes, nil
}

// parseScope reads a scope parameter (RFC 6749 §3.3). A name that stands there twice
// counts once.
func parseScope(s string) ([]string, error) {
	var scopes []string
	if len(s) > maxScopeBytes {
		return nil, refuse(InvalidScope, "scope is too long")
	}
	for name := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ' ' }) {
		for _, c := range []byte(name) {
			if c <= ' ' || c >= 0x7f || c == '"' || c == '\\' {
				return nil, refuse(InvalidScope, "scope has characters that no scope has")
			}
		}
		if !slices.Contains(scopes, name) {
			scopes = append(scopes, name)
		}
	}
	if len(scopes) > maxScopes {
		return nil, refuse(InvalidScope, "too many scopes")
	}
	return scopes, nil
}

const (
	maxScopes     = 100
	maxScopeBytes = 4 << 10
)

// narrow returns the scopes of a grant that may be used now: those that the client may
// still ask for, and of these the ones that it asks for (RFC 6749 §6: only fewer).
func narrow(granted []string, c idp.Client, asked string) ([]string, error) {
	allowed := slices.DeleteFunc(slices.Clone(granted), func(s string) bool { return !slices.Contains(c.Scopes, s) })
	scopes, err := parseScope(asked)
	if err != nil {
		return nil, err
	}
	if len(scopes) == 0 {
		return allowed, nil
	}
	for _, s := range scopes {
		if !slices.Contains(allowed, s) {
			return nil, refuse(InvalidScope, "scope exceeds what was granted")
		}
	}
	return scopes, nil
}

func issuerScope(name string) bool { return slices.Contains(idp.IssuerScopes[:], name) }

func hasScope(r idp.Resource, name string) bool {
	return slices.ContainsFunc(r.Scopes, func(s idp.Scope) bool { return s.Name == name })
}
