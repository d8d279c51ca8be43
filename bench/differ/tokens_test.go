package differ_test

import (
	"encoding/asn1"
	"encoding/base64"
	"math/big"
	"strings"
)

var base64url = base64.RawURLEncoding

// maker makes one token.
type maker func(w *world) (string, error)

// header signs the good payload with another header. In it ALG stands for EdDSA.
func header(text string) maker {
	return func(w *world) (string, error) { return w.Sign("EdDSA", []byte(text), []byte(goodPayload)) }
}

// head signs a header with the members of the good one and some more.
func head(more string) maker {
	return header(strings.TrimSuffix(goodHeader("EdDSA"), "}") + "," + more + "}")
}

// payload signs another payload.
func payload(text string) maker {
	return func(w *world) (string, error) { return w.Sign("EdDSA", []byte(goodHeader("EdDSA")), []byte(text)) }
}

// claims signs the good payload with one piece of it replaced. The piece must be there.
func claims(old, with string) maker {
	if !strings.Contains(goodPayload, old) {
		panic("not in the payload: " + old)
	}
	return payload(strings.Replace(goodPayload, old, with, 1))
}

// claim signs the good payload with one more member.
func claim(more string) maker { return claims(`{"iss"`, "{"+more+`,"iss"`) }

// text signs header and payload as they are spelled.
func text(spell func(header, payload string) string) maker {
	return func(w *world) (string, error) {
		return w.SignText("EdDSA", spell(base64url.EncodeToString([]byte(goodHeader("EdDSA"))), base64url.EncodeToString([]byte(goodPayload))))
	}
}

// after changes a good token after it was signed.
func after(alg string, change func(token string) string) maker {
	return func(w *world) (string, error) {
		token, err := w.Sign(alg, []byte(goodHeader(alg)), []byte(goodPayload))
		return change(token), err
	}
}

// signature replaces the signature by another one of the same bytes.
func signature(alg string, make func(w *world, message, signature []byte) ([]byte, error)) maker {
	return func(w *world) (string, error) {
		token, err := w.Sign(alg, []byte(goodHeader(alg)), []byte(goodPayload))
		if err != nil {
			return "", err
		}
		dot := strings.LastIndexByte(token, '.')
		old, err := base64url.DecodeString(token[dot+1:])
		if err != nil {
			return "", err
		}
		s, err := make(w, []byte(token[:dot]), old)
		return token[:dot+1] + base64url.EncodeToString(s), err
	}
}

// der turns r || s into what ASN.1 has for it.
func der(_ *world, _, s []byte) ([]byte, error) {
	half := len(s) / 2
	return asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(s[:half]), new(big.Int).SetBytes(s[half:])})
}

func salt(length int) func(w *world, message, _ []byte) ([]byte, error) {
	return func(w *world, message, _ []byte) ([]byte, error) { return w.Key("PS256").SignPSS(message, length) }
}

// lastDigit sets bits of the last digit of a base64 text that encode nothing.
func lastDigit(s string) string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	at := strings.IndexByte(digits, s[len(s)-1])
	if at < 0 {
		return s
	}
	return s[:len(s)-1] + digits[at|1:at|1+1]
}

// nested is a value so many levels deep.
func nested(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }

// flattened is the JSON serialization of a token (RFC 7515 §7.2.2).
func flattened(token string) string {
	p := strings.Split(token, ".")
	return `{"protected":"` + p[0] + `","payload":"` + p[1] + `","signature":"` + p[2] + `"}`
}
