package jose

import (
	"errors"
	"fmt"
	"strings"

	"github.com/signet-id/signet/verify/internal/strictjson"
)

// Verify checks a compact JWS (RFC 7515 §5.2) and returns its payload and the key that
// signed it. The header's "typ" must equal typ byte for byte, which keeps one kind of
// token from being used as another (RFC 8725 §3.11). Tokens longer than 16 KiB are
// malformed.
func (s *KeySet) Verify(token, typ string) (payload []byte, key *Key, err error) {
	return s.VerifyLong(token, typ, maxToken)
}

// VerifyLong is Verify for documents that may be longer than a token, up to maxBytes.
func (s *KeySet) VerifyLong(token, typ string, maxBytes int) (payload []byte, key *Key, err error) {
	p, err := split(token, maxBytes)
	if err != nil {
		return nil, nil, err
	}
	// One buffer holds all parts decoded and the bytes that were signed.
	buf := make([]byte, 0, len(token)+encoding.DecodedLen(len(token)))
	buf, ok := appendDecoded(buf, p.header)
	if !ok {
		return nil, nil, malformed("header is not base64url")
	}
	h, err := parseHeader(buf)
	if err != nil {
		return nil, nil, err
	}
	if key, err = s.choose(h, typ); err != nil {
		return nil, nil, err
	}
	start := len(buf)
	if buf, ok = appendDecoded(buf, p.payload); !ok {
		return nil, nil, malformed("payload is not base64url")
	}
	payload, start = buf[start:len(buf):len(buf)], len(buf)
	if buf, ok = appendDecoded(buf, p.signature); !ok {
		return nil, nil, malformed("signature is not base64url")
	}
	signature := buf[start:]
	signed := append(buf, token[:len(p.header)+1+len(p.payload)]...)[len(buf):]
	if !key.verify(signed, signature) {
		return nil, nil, ErrSignature
	}
	return payload, key, nil
}

// parts are the three segments of a compact JWS, still encoded.
type parts struct{ header, payload, signature string }

// split finds the segments without allocating anything: a megabyte of dots costs nothing.
func split(token string, maxBytes int) (parts, error) {
	if len(token) > maxBytes {
		return parts{}, malformed("too long")
	}
	header, rest, ok := strings.Cut(token, ".")
	if !ok {
		return parts{}, malformed("not three parts")
	}
	payload, signature, ok := strings.Cut(rest, ".")
	if !ok || strings.IndexByte(signature, '.') >= 0 {
		return parts{}, malformed("not three parts")
	}
	if header == "" || payload == "" || signature == "" {
		return parts{}, malformed("an empty part")
	}
	if len(header) > maxHeader/3*4 {
		return parts{}, malformed("header too long")
	}
	return parts{header, payload, signature}, nil
}

// header is what a protected header says. The fields point into the decoded header.
type header struct {
	alg, typ, kid []byte
}

// What a header may not have.
var (
	errExtension = errors.New("crit and b64 are not supported")
	errEncrypted = errors.New("encrypted or compressed")
)

// parseHeader reads the protected header (RFC 7515 §4.1). Keys that a token brings along
// or points to (jwk, jku, x5u, x5c, x5t) are no key sources and are not looked at.
func parseHeader(doc []byte) (h header, err error) {
	err = strictjson.Object(doc, func(name, value []byte) (err error) {
		switch string(name) {
		case "alg":
			h.alg, err = strictjson.Text(value)
		case "typ":
			h.typ, err = strictjson.Text(value)
		case "kid":
			h.kid, err = strictjson.Text(value)
		case "crit", "b64":
			// RFC 7515 §4.1.11: no extension is understood here, and so every
			// form of crit is refused, also those that the RFC forbids.
			return errExtension
		case "enc", "zip":
			return errEncrypted
		}
		return err
	})
	if err != nil {
		return h, malformed("header: " + err.Error())
	}
	return h, nil
}

// choose finds the key. The algorithm is the key's: what the token says only has to agree.
func (s *KeySet) choose(h header, typ string) (*Key, error) {
	if !known(Algorithm(h.alg)) {
		return nil, ErrAlgorithm
	}
	if string(h.typ) != typ {
		return nil, ErrType
	}
	if len(h.kid) == 0 || len(h.kid) > maxKeyID {
		return nil, malformed("header: no kid of 1 to 256 bytes")
	}
	key, ok := s.byID[string(h.kid)]
	if !ok {
		return nil, ErrUnknownKey
	}
	if !key.accepts(Algorithm(h.alg)) {
		return nil, ErrAlgorithm
	}
	return key, nil
}

func malformed(what string) error { return fmt.Errorf("%w: %s", ErrMalformed, what) }
