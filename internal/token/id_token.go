package token

import (
	"cmp"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/jose"
)

// ID makes an ID token for the client (OpenID Connect Core §2). access is the access
// token that is sent beside it, or empty.
//
// Claims about the person (name, e-mail) are only in it if the client asked for them here
// by name (OpenID Connect Core §5.5): what scopes cover comes from the userinfo endpoint
// when there is an access token (§5.4).
func (i *Issuer) ID(a Authorization, access string, now time.Time) (string, error) {
	tok, err := i.id(a, access, now)
	if err != nil {
		return "", fmt.Errorf("id token: %w", err)
	}
	return tok, nil
}

func (i *Issuer) id(a Authorization, access string, now time.Time) (string, error) {
	if err := a.check(i.cfg.Issuer); err != nil {
		return "", err
	}
	if a.forClient() {
		return "", invalid("nobody has signed in")
	}
	signer, err := i.cfg.Keys.Signer(cmp.Or(jose.Algorithm(a.Client.IDTokenAlg), jose.RS256))
	if err != nil {
		return "", err
	}
	iat, err := a.issuedAt(now)
	if err != nil {
		return "", err
	}
	exp := now.Add(i.cfg.IDLifetime).Unix()
	if exp <= iat {
		return "", invalid("lifetime")
	}
	return sign(signer, typeID, i.idClaims(a, access, signer.Key().Algorithm(), iat, exp))
}

func (i *Issuer) idClaims(a Authorization, access string, alg jose.Algorithm, iat, exp int64) claims {
	c := newClaims()
	c.text("iss", i.cfg.Issuer)
	c.text("sub", a.User.ID)
	c.text("aud", a.Client.ID) // one string, so azp is not needed (§2)
	c.number("exp", exp)
	c.number("iat", iat)
	c.optional("nonce", a.Grant.Nonce) // as it came (§3.1.2.1)
	c.authentication(a.Grant)
	// Also of an offline grant: the client is told when that login ends, by this name.
	c.optional("sid", cmp.Or(a.Grant.SessionID, a.Grant.LoginSessionID))
	if access != "" {
		c.text("at_hash", accessTokenHash(alg, access))
	}
	c.person(a.User, func(claim string) bool { return slices.Contains(a.Grant.Claims.IDToken, claim) })
	return c
}

// accessTokenHash is the left half of the hash of the access token, with the hash
// function of the ID token's algorithm (OpenID Connect Core §3.1.3.6). Ed25519 has
// SHA-512 inside (RFC 8032 §5.1); the others that we have are with SHA-256.
func accessTokenHash(alg jose.Algorithm, access string) string {
	if alg == jose.EdDSA || alg == jose.Ed25519 {
		sum := sha512.Sum512([]byte(access))
		return base64.RawURLEncoding.EncodeToString(sum[:32])
	}
	sum := sha256.Sum256([]byte(access))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// IDTokenHint reads an ID token that we once made, for id_token_hint (OpenID Connect
// Core §3.1.2.1, RP-Initiated Logout §2). It may have expired, and its key may have
// been retired on schedule; one that was retired in an emergency makes no hints. A hint
// authenticates nobody.
func (i *Issuer) IDTokenHint(tok string) (sub, sid, aud string, err error) {
	payload, _, err := i.cfg.Keys.Hints().Verify(tok, typeID)
	if err != nil {
		return "", "", "", fmt.Errorf("id_token_hint: %w", err)
	}
	// Names in a map match byte for byte; those of a struct would not.
	var members map[string]json.RawMessage
	if err := jose.CheckObject(payload); err != nil {
		return "", "", "", fmt.Errorf("id_token_hint: %w: %w", verify.ErrMalformed, err)
	}
	if err := json.Unmarshal(payload, &members); err != nil {
		return "", "", "", fmt.Errorf("id_token_hint: %w: %w", verify.ErrMalformed, err)
	}
	var iss string
	for name, dst := range map[string]*string{"iss": &iss, "sub": &sub, "aud": &aud, "sid": &sid} {
		value, there := members[name]
		if !there && name == "sid" {
			continue
		}
		if err := json.Unmarshal(value, dst); err != nil || *dst == "" {
			return "", "", "", fmt.Errorf("id_token_hint: %w: %s", verify.ErrMalformed, name)
		}
	}
	if iss != i.cfg.Issuer {
		return "", "", "", fmt.Errorf("id_token_hint: %w", verify.ErrIssuer)
	}
	return sub, sid, aud, nil
}
