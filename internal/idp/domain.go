package idp

import (
	"fmt"
	"strings"

	"golang.org/x/net/idna"
)

// domains maps to lower-case ASCII, international labels as xn-- (RFC 5891, UTS #46
// without its transitional part: ß and ss are two names).
var domains = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.BidiRule(), idna.StrictDomainName(true),
	idna.VerifyDNSLength(true), idna.CheckHyphens(true), idna.CheckJoiners(true))

// canonicalDomain returns the one form of a domain name. It has at least two labels,
// and the last is no number, so an IP address is no domain.
func canonicalDomain(s string) (string, error) {
	ascii, err := domains.ToASCII(s)
	if err != nil {
		return "", fmt.Errorf("domain name: %w", ErrInvalid)
	}
	dot := strings.LastIndexByte(ascii, '.')
	if dot < 0 || dot == len(ascii)-1 {
		return "", fmt.Errorf("domain without a dot: %w", ErrInvalid)
	}
	if last := ascii[dot+1]; last >= '0' && last <= '9' {
		return "", fmt.Errorf("domain ends in a number: %w", ErrInvalid)
	}
	return ascii, nil
}
