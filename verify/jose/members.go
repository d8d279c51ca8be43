package jose

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/signet-id/signet/verify/internal/strictjson"
)

// members are the members of a key that have a meaning here. A certificate beside the
// key (x5c, x5t, x5u; RFC 7517 §4.6 to §4.9) has none: it is no source of keys, and is
// not compared with the key.
type members struct {
	jwk
	ops     []string
	secret  string // "k"
	private string // a name of those that no public key has; "k" if that is the only one
}

// keyMembers reads a public key.
func keyMembers(doc []byte) (members, error) {
	m, err := anyMembers(doc)
	switch {
	case err != nil:
		return m, err
	case m.private != "":
		// Whoever published it has lost it: nothing in this set can be trusted.
		return m, fmt.Errorf("%s: a private key", m.private)
	case m.Type == "":
		return m, errors.New("no kty")
	case m.Type == "oct" || isSymmetric(m.Algorithm):
		return m, errors.New("a symmetric key")
	}
	return m, nil
}

// anyMembers reads a key of any kind (RFC 7517 §4).
func anyMembers(doc []byte) (m members, err error) {
	err = strictjson.Object(doc, func(name, value []byte) (err error) {
		if dst := m.text(string(name)); dst != nil {
			*dst, err = strictjson.String(value)
		}
		switch string(name) {
		case "use":
			if err == nil && m.Use == "" {
				err = errors.New("empty")
			}
		case "key_ops":
			m.ops, err = keyOps(value)
		case "d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv":
			if m.private == "" || m.private == "k" {
				m.private = string(name)
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
	return m, err
}

// text returns where a member is kept whose value is a string, or nil.
func (m *members) text(name string) *string {
	switch name {
	case "kty":
		return &m.Type
	case "use":
		return &m.Use
	case "alg":
		return (*string)(&m.Algorithm)
	case "kid":
		return &m.ID
	case "crv":
		return &m.Curve
	case "x":
		return &m.X
	case "y":
		return &m.Y
	case "n":
		return &m.N
	case "e":
		return &m.E
	case "pub":
		return &m.Pub
	case "k":
		return &m.secret
	}
	return nil
}

// keyOps reads "key_ops": no operation may stand there twice (RFC 7517 §4.3).
func keyOps(value []byte) ([]string, error) {
	ops, err := strictjson.Strings(value)
	if err != nil || len(ops) == 0 {
		return nil, cmp.Or(err, errors.New("empty"))
	}
	slices.Sort(ops)
	if n := len(ops); len(slices.Compact(ops)) != n {
		return nil, errors.New("an operation twice")
	}
	return ops, nil
}

// checkPurpose: a key for anything else must not verify signatures, and when both use
// and key_ops are there, they must agree (RFC 7517 §4.2, §4.3).
func (m *members) checkPurpose() error {
	other := func(op string) bool { return op != "sign" && op != "verify" }
	switch {
	case m.Use == "" && m.ops == nil:
		return errors.New("neither use nor key_ops")
	case m.Use != "" && m.Use != "sig":
		return errors.New("use is not sig")
	case m.ops != nil && !slices.Contains(m.ops, "verify"):
		return errors.New("key_ops without verify")
	case slices.ContainsFunc(m.ops, other):
		return errors.New("key_ops with more than sign and verify")
	}
	return nil
}

// public reports members that only public keys have.
func (m *members) public() bool {
	return m.Curve != "" || m.X != "" || m.Y != "" || m.N != "" || m.E != "" || m.Pub != ""
}
