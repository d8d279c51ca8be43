package verify

// The payloads that an issuer writes are plain: one flat object without spaces, escapes
// and anything but ASCII, of texts, whole numbers and lists of texts. They are read
// here in one pass. Whatever is different, or wrong, is left to ParseClaims, which
// decides by the same rules.

// parsed is the claims of a token with room for what they point to: together 512 bytes,
// the most that the allocator gives without a header.
type parsed struct {
	claims Claims
	room   [9]string
}

// flat reads a plain payload. What reads a part of it is told where that begins and says
// where it ended: 0 if it was not plain.
type flat struct {
	doc   string
	to    *Claims
	lists []string // all elements of all lists
	have  flatNames
	other [8]string // names without a meaning
	n     int       // of them
}

// parseFlat fills p from a plain payload and reports whether it was one. If not, p is of
// no use. The texts of the claims are parts of doc.
func parseFlat(doc string, p *parsed) bool {
	f := flat{doc: doc, to: &p.claims, lists: p.room[:0]}
	for pos, before := 0, byte('{'); f.has(before, pos); before = ',' {
		name, end := f.text(pos + 1)
		if end == 0 || !f.has(':', end) {
			return false
		}
		if pos = f.member(name, end+1); pos == 0 {
			return false
		}
		if f.has('}', pos) {
			return pos+1 == len(doc) && f.have&flatRequired == flatRequired &&
				f.to.ExpiresAt.After(f.to.IssuedAt)
		}
	}
	return false
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
func (f *flat) member(name string, pos int) (end int) {
	c := f.to
	switch name {
	case "iss":
		return f.word(flatIssuer, pos, &c.Issuer)
	case "sub":
		return f.word(flatSubject, pos, &c.Subject)
	case "aud":
		return f.word(flatAudience, pos, &c.Audience)
	case "jti":
		return f.word(flatID, pos, &c.ID)
	case "client_id":
		return f.word(flatClientID, pos, &c.ClientID)
	case "iat":
		return f.time(flatIssuedAt, pos, &c.IssuedAt)
	case "exp":
		return f.time(flatExpiresAt, pos, &c.ExpiresAt)
	case "nbf":
		return f.time(flatNotBefore, pos, &c.NotBefore)
	case "auth_time":
		return f.time(flatAuthTime, pos, &c.AuthTime)
	case "sid":
		return f.word(flatSessionID, pos, &c.SessionID)
	case "grant_id":
		return f.word(flatGrantID, pos, &c.GrantID)
	case "acr":
		return f.word(flatACR, pos, &c.ACR)
	case "amr":
		return f.list(flatAMR, pos, &c.AMR)
	case "groups":
		return f.list(flatGroups, pos, &c.Groups)
	case "roles":
		return f.list(flatRoles, pos, &c.Roles)
	case "scope":
		return f.scopes(pos)
	case "cnf":
		return 0
	}
	return f.skip(name, pos)
}
