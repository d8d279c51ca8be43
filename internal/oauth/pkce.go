package oauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/url"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

// challengeLen is the length of an S256 challenge (RFC 7636 §4.2): 32 bytes in base64url.
const challengeLen = 43

// codeChallenge reads the challenge of an authorization request (RFC 7636 §4.3). S256
// is the only method: "plain" protects nothing that travels beside the code. Without a
// method RFC 7636 means "plain", so it must be said.
func codeChallenge(form url.Values, c idp.Client) (string, error) {
	challenge, method := form.Get("code_challenge"), form.Get("code_challenge_method")
	switch {
	case challenge == "" && method == "":
		if c.Profile == idp.OIDC && !c.Public() {
			return "", nil
		}
		return "", refuse(InvalidRequest, "code_challenge is required")
	case challenge == "":
		return "", refuse(InvalidRequest, "code_challenge is required")
	case method != "S256":
		return "", refuse(InvalidRequest, "code_challenge_method must be S256")
	case !base64url(challenge, challengeLen, challengeLen):
		return "", refuse(InvalidRequest, "code_challenge is not an S256 challenge")
	}
	return challenge, nil
}

// checkVerifier compares a verifier with the challenge of the code (RFC 7636 §4.6). A
// verifier for a code without a challenge is an attempt to make a stolen code look
// protected (RFC 9700 §4.8.2): refused.
func checkVerifier(challenge string, verifier secret.Text) error {
	v := verifier.Reveal()
	if challenge == "" {
		if v != "" {
			return refuse(InvalidGrant, "code_verifier without a code_challenge")
		}
		return nil
	}
	if v == "" {
		return refuse(InvalidGrant, "code_verifier is required")
	}
	sum := sha256.Sum256([]byte(v))
	computed := base64.RawURLEncoding.EncodeToString(sum[:])
	// RFC 7636 §4.1: 43 to 128 unreserved characters.
	if !unreserved(v, 43, 128) || subtle.ConstantTimeCompare([]byte(computed), []byte(challenge)) != 1 {
		return refuse(InvalidGrant, "code_verifier does not match")
	}
	return nil
}

func base64url(s string, least, most int) bool {
	return chars(s, least, most, func(c byte) bool { return c == '-' || c == '_' })
}

func unreserved(s string, least, most int) bool {
	return chars(s, least, most, func(c byte) bool { return c == '-' || c == '_' || c == '.' || c == '~' })
}

// chars reports whether s has letters, digits and the others only, and the length.
func chars(s string, least, most int, other func(byte) bool) bool {
	if len(s) < least || len(s) > most {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && !other(c) {
			return false
		}
	}
	return true
}
