package issuer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	// The hashes of RFC 7518 §3.1, for crypto.Hash.
	_ "crypto/sha256"
	_ "crypto/sha512"
)

// Hash returns the hash of an algorithm; 0 with EdDSA, which has its own.
func Hash(alg string) crypto.Hash {
	switch {
	case strings.HasSuffix(alg, "256"):
		return crypto.SHA256
	case strings.HasSuffix(alg, "384"):
		return crypto.SHA384
	case strings.HasSuffix(alg, "512"):
		return crypto.SHA512
	}
	return 0
}

// Digest returns what is signed in place of a message.
func Digest(alg string, message []byte) []byte {
	hash := Hash(alg)
	if hash == 0 {
		return message
	}
	h := hash.New()
	h.Write(message)
	return h.Sum(nil)
}

// Sign returns the compact JWS of a header and a payload (RFC 7515 §3.1), whatever they
// say.
func (i *Issuer) Sign(alg string, header, payload []byte) (string, error) {
	return i.SignText(alg, base64.RawURLEncoding.EncodeToString(header)+"."+base64.RawURLEncoding.EncodeToString(payload))
}

// SignText signs text that is encoded already, well or badly.
func (i *Issuer) SignText(alg, text string) (string, error) {
	signature, err := i.Key(alg).Sign([]byte(text))
	if err != nil {
		return "", err
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// Sign returns the signature of a message in the form of RFC 7518 §3.
func (k Key) Sign(message []byte) ([]byte, error) {
	digest := Digest(k.Alg, message)
	switch p := k.private.(type) {
	case ed25519.PrivateKey:
		return ed25519.Sign(p, message), nil
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, p, digest)
		if err != nil {
			return nil, err
		}
		size := (p.Params().N.BitLen() + 7) / 8
		out := make([]byte, 2*size)
		r.FillBytes(out[:size])
		s.FillBytes(out[size:])
		return out, nil
	case *rsa.PrivateKey:
		if strings.HasPrefix(k.Alg, "PS") {
			return rsa.SignPSS(rand.Reader, p, Hash(k.Alg), digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		}
		return rsa.SignPKCS1v15(nil, p, Hash(k.Alg), digest)
	case []byte:
		h := hmac.New(Hash(k.Alg).New, p)
		h.Write(message)
		return h.Sum(nil), nil
	}
	return nil, fmt.Errorf("no key for %s", k.Alg)
}

// SignPSS signs with another length of the salt than RFC 7518 §3.5 says.
func (k Key) SignPSS(message []byte, salt int) ([]byte, error) {
	p, ok := k.private.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s is not PSS", k.Alg)
	}
	return rsa.SignPSS(rand.Reader, p, Hash(k.Alg), Digest(k.Alg, message), &rsa.PSSOptions{SaltLength: salt})
}

// Header returns the header of an access token (RFC 9068 §2.1).
func (i *Issuer) Header(alg string) []byte {
	return fmt.Appendf(nil, `{"alg":"%s","typ":"at+jwt","kid":"%s"}`, alg, i.Key(alg).ID)
}

// Payload returns the 13 claims of an access token with 6 scopes. n makes it different
// from others.
func Payload(now time.Time, n int) []byte {
	id := strconv.Itoa(1_000_000_000 + n)
	return fmt.Appendf(nil, `{"iss":"%s","sub":"usr_7Hk2mQ9xTz4bVwYc1Ns8","aud":"%s","client_id":"cli_orders-web",`+
		`"scope":"openid profile email orders:read orders:write offline_access","jti":"tok_4fGh8jKl%s",`+
		`"sid":"ses_9aBcDeFg%s","grant_id":"grt_5LmNoPqR7sTuVwXyZ","iat":%d,"exp":%d,"auth_time":%d,"acr":"aal2","amr":["pwd","otp"]}`,
		URL, Audience, id, id, now.Unix(), now.Add(time.Hour).Unix(), now.Unix()-60)
}

// Token returns the n-th access token.
func (i *Issuer) Token(alg string, n int) (string, error) {
	return i.Sign(alg, i.Header(alg), Payload(time.Now(), n))
}
