package oauth

import "github.com/signet-id/signet/internal/idp"

// ParseClaims reads a claims parameter.
func ParseClaims(text string) (names idp.ClaimsRequest, subject string, acr []string, err error) {
	wish, err := parseClaims(text)
	return wish.names, wish.subject, wish.acr, err
}
