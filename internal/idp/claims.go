package idp

import "slices"

// ClaimsRequest is which claims about the person a client asked for by name (OpenID
// Connect Core §5.5), and where it wants them. Only claims that a scope covers are in it.
type ClaimsRequest struct {
	Userinfo []string `json:"u,omitempty"`
	IDToken  []string `json:"i,omitempty"`
}

// Empty reports that nothing was asked for by name.
func (c ClaimsRequest) Empty() bool { return len(c.Userinfo)+len(c.IDToken) == 0 }

// Without leaves out the claims whose scope is not among the allowed ones.
func (c ClaimsRequest) Without(allowed func(scope string) bool) ClaimsRequest {
	keep := func(names []string) []string {
		return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !allowed(ClaimScope(name)) })
	}
	return ClaimsRequest{Userinfo: keep(c.Userinfo), IDToken: keep(c.IDToken)}
}

// ClaimScope is the scope that covers a claim about a person (OpenID Connect Core §5.4);
// empty for claims that nobody may ask for by name.
func ClaimScope(claim string) string {
	switch claim {
	case "name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website",
		"gender", "birthdate", "zoneinfo", "locale", "updated_at":
		return ScopeProfile
	case "email", "email_verified":
		return ScopeEmail
	case "address":
		return ScopeAddress
	case "phone_number", "phone_number_verified":
		return ScopePhone
	case "groups":
		return ScopeGroups
	}
	return ""
}

func permissions(scopes []string, c ClaimsRequest) []string {
	all := slices.Clone(scopes)
	for _, name := range slices.Concat(c.Userinfo, c.IDToken) {
		if scope := ClaimScope(name); scope != "" && !slices.Contains(all, scope) {
			all = append(all, scope)
		}
	}
	return all
}
