// Package registration says what a client may be: the rules for its metadata (RFC 7591 §2,
// OpenID Connect Dynamic Client Registration §2), whoever gives them: an operator, the
// client itself at the registration endpoint, or a document at the address that is its id.
//
// It deliberately stores nothing and speaks no HTTP.
package registration

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode"

	"github.com/signet-id/signet/internal/idp"
)

// Unacceptable says which member is wrong, and why. Message begins with the member's name
// and never contains a value.
type Unacceptable struct{ Message string }

func (e *Unacceptable) Error() string { return e.Message }

// Unwrap makes it an idp.ErrInvalid.
func (*Unacceptable) Unwrap() error { return idp.ErrInvalid }

// Member is the name of the member that is wrong.
func (e *Unacceptable) Member() string {
	name, _, _ := strings.Cut(e.Message, " ")
	name, _, _ = strings.Cut(name, "[")
	return name
}

func invalid(format string, args ...any) error {
	return &Unacceptable{Message: fmt.Sprintf(format, args...)}
}

// CheckID says whether an operator may call a client like this.
func CheckID(id string) error { return checkClientID(id) }

// WithDefaults fills in what follows from the rest.
func WithDefaults(m idp.ClientMetadata) idp.ClientMetadata { return withDefaults(m) }

// Check holds a client to the rules. known are all scopes that exist.
func Check(m idp.ClientMetadata, known map[string]bool) error { return checkClient(m, known) }

// KnownScopes are all scopes that exist: the issuer's own and those of services.
func KnownScopes(resources []idp.Resource) map[string]bool {
	known := map[string]bool{}
	for _, s := range idp.IssuerScopes {
		known[s] = true
	}
	for _, r := range resources {
		for _, s := range r.Scopes {
			known[s.Name] = true
		}
	}
	return known
}

// PlainText reports whether s has at most n bytes and none that hide or reorder text.
func PlainText(s string, n int) bool {
	return len(s) <= n && !scribbled(s) && !strings.ContainsFunc(s, func(r rune) bool {
		const nonJoiner, joiner = '\u200c', '\u200d' // scripts and emoji need them
		return r != nonJoiner && r != joiner && (r == unicode.ReplacementChar || r == blankBraille ||
			unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Other_Default_Ignorable_Code_Point))
	})
}

// scribbled reports whether marks are piled up on a letter, more than any script has: a
// browser draws them over the lines above and below, which are not the stranger's.
func scribbled(s string) bool {
	const most = 5
	pile := 0
	for _, r := range s {
		if pile++; !unicode.In(r, unicode.Mn, unicode.Me) {
			pile = 0
		}
		if pile > most {
			return true
		}
	}
	return false
}

// blankBraille is a symbol without a dot.
const blankBraille = '\u2800'

// visible reports whether a rune by itself is something to read; marks, joiners and what
// chooses between two forms of another one are not.
func visible(r rune) bool { return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S) }

func plainText(s string, n int) bool { return PlainText(s, n) }

// SigningAlgorithms are those that a client may choose for what it is sent: ID tokens, logout
// tokens and userinfo. Keys of PS256 are made when somebody asks for it.
var SigningAlgorithms = [...]string{"RS256", "ES256", "EdDSA", "PS256"}

// MaxScopes is how many scopes a client or a service may have.
const MaxScopes = maxScopes

// CheckLink accepts what people may be sent to by a click.
func CheckLink(s string) error { return checkLink(s) }

// ParseWebURI accepts an https address (or http on loopback) in the one spelling that
// everybody understands alike. What it refuses it says as the end of a sentence.
func ParseWebURI(s string) (*url.URL, error) {
	u, err := parseURI(s)
	if err != nil {
		return nil, err
	}
	if u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("is not https (or http on loopback)")
	}
	return u, checkWeb(u)
}
