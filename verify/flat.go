package verify

// The payloads that an issuer writes are plain: one flat object without spaces, escapes
// and anything but ASCII, of texts, whole numbers and lists of texts. They are read
// here in one pass. Whatever is different, or wrong, is left to ParseClaims, which
// decides by the same rules.

// parsed is the claims of a token with room for what they point to.
type parsed struct {
	claims Claims
	room   [12]string
}

// flat reads a plain payload.
type flat struct {
	doc   string
	pos   int
	to    *Claims
	lists []string // all elements of all lists
	have  flatNames
	other [8]string // names without a meaning
	n     int       // of them
}

// parseFlat fills p from a plain payload and reports whether it was one. If not, p is of
// no use. The texts of the claims are parts of doc.
func parseFlat(doc string, p *parsed) bool {
	if !plain(doc) {
		return false
	}
	f := flat{doc: doc, to: &p.claims, lists: p.room[:0]}
	if !f.take('{') {
		return false
	}
	for {
		name, ok := f.text()
		if !ok || !f.take(':') || !f.member(name) {
			return false
		}
		if f.take(',') {
			continue
		}
		return f.take('}') && f.pos == len(doc) && f.have&flatRequired == flatRequired &&
			f.to.ExpiresAt.After(f.to.IssuedAt)
	}
}

// flatNames notes which members have come.
type flatNames uint32

const (
	flatIssuer flatNames = 1 << iota
	flatSubject
	flatAudience
	flatID
	flatClientID
	flatIssuedAt
	flatExpiresAt
	flatNotBefore
	flatAuthTime
	flatSessionID
	flatGrantID
	flatACR
	flatAMR
	flatGroups
	flatRoles
	flatScope

	flatRequired = flatNotBefore - 1
)

// first reports whether a member comes for the first time, and notes it.
func (f *flat) first(name flatNames) bool {
	before := f.have
	f.have |= name
	return before != f.have
}

// member reads the value of one member.
func (f *flat) member(name string) bool {
	c := f.to
	switch name {
	case "iss":
		return f.first(flatIssuer) && f.word(&c.Issuer)
	case "sub":
		return f.first(flatSubject) && f.word(&c.Subject)
	case "aud":
		return f.first(flatAudience) && f.word(&c.Audience)
	case "jti":
		return f.first(flatID) && f.word(&c.ID)
	case "client_id":
		return f.first(flatClientID) && f.word(&c.ClientID)
	case "iat":
		return f.first(flatIssuedAt) && f.time(&c.IssuedAt)
	case "exp":
		return f.first(flatExpiresAt) && f.time(&c.ExpiresAt)
	case "nbf":
		return f.first(flatNotBefore) && f.time(&c.NotBefore)
	case "auth_time":
		return f.first(flatAuthTime) && f.time(&c.AuthTime)
	case "sid":
		return f.first(flatSessionID) && f.word(&c.SessionID)
	case "grant_id":
		return f.first(flatGrantID) && f.word(&c.GrantID)
	case "acr":
		return f.first(flatACR) && f.word(&c.ACR)
	case "amr":
		return f.first(flatAMR) && f.list(&c.AMR)
	case "groups":
		return f.first(flatGroups) && f.list(&c.Groups)
	case "roles":
		return f.first(flatRoles) && f.list(&c.Roles)
	case "scope":
		return f.first(flatScope) && f.scopes()
	case "cnf":
		return false
	}
	return f.skip(name)
}
