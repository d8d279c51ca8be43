package jose

import (
	"errors"
	"fmt"
	"slices"
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
	out, key, err := s.open(nil, token, typ, maxBytes)
	if err != nil {
		return nil, nil, err
	}
	return out[len(token):len(out):len(out)], key, nil
}

// VerifyInto is Verify for those who verify much: it returns the token with its payload
// behind it, out[len(token):], in the memory of room if that is large enough, as it is
// when room is the out of an earlier token. With an error out is only good as room.
func (s *KeySet) VerifyInto(room []byte, token, typ string) (out []byte, key *Key, err error) {
	return s.open(room, token, typ, maxToken)
}

// open verifies. One buffer holds the token, the payload and the signature.
func (s *KeySet) open(room []byte, token, typ string, maxBytes int) (out []byte, key *Key, err error) {
	var p parts
	if len(token) <= maxBytes {
		p, key = s.recognize(token, typ)
	}
	known := key != nil
	if !known {
		if p, err = split(token, maxBytes); err != nil {
			return room, nil, err
		}
		if key, err = s.readHeader(p.header, typ); err != nil {
			return room, nil, err
		}
	}
	room = slices.Grow(room[:0], len(token)+decodedLen(p.payload)+decodedLen(p.signature))
	room = append(room, token...)
	out, ok := appendDecoded(room, p.payload)
	if !ok {
		return room, nil, malformed("payload is not base64url")
	}
	all, ok := appendDecoded(out, p.signature)
	if !ok {
		return room, nil, malformed("signature is not base64url")
	}
	signed := room[:len(p.header)+1+len(p.payload)]
	if !key.verify(signed, all[len(out):]) {
		return room, nil, ErrSignature
	}
	if !known {
		s.learn(p, typ, key)
	}
	return out, key, nil
}

// readHeader decodes and parses a header and finds the key that it names.
func (s *KeySet) readHeader(segment, typ string) (*Key, error) {
	doc, ok := appendDecoded(nil, segment)
	if !ok {
		return nil, malformed("header is not base64url")
	}
	h, err := parseHeader(doc)
	if err != nil {
		return nil, err
	}
	return s.choose(h, typ)
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
