package jose

import (
	"crypto"
	"errors"
	"fmt"
)

// External is an implementation of ML-DSA (FIPS 204) for one of MLDSA44, MLDSA65 and
// MLDSA87, which this module does not bring along. A program has them by importing
//
//	_ "github.com/signet-id/signet/verify/mldsa"
type External struct {
	Algorithm Algorithm
	// Open reads a public key in the form of "pub" (RFC 9964 §3), whose length was
	// checked. The function it returns reports whether signature, whose length was
	// checked as well, is one of message with an empty context (RFC 9964 §5). It may be
	// called by many goroutines at once.
	Open func(pub []byte) (key crypto.PublicKey, verify func(message, signature []byte) bool, err error)
}

// Register makes an algorithm available to the whole program. It is for init functions:
// keys that were read before are not read again. It panics for every name but the three
// of ML-DSA, and for a name that is registered already, so that nothing else can be
// added and nothing replaced.
func Register(e External) {
	for i := range specs {
		s := &specs[i]
		if s.kind != akp || s.name != e.Algorithm || e.Open == nil {
			continue
		}
		if !s.external.CompareAndSwap(nil, &e) {
			panic("jose: " + string(e.Algorithm) + " is registered twice")
		}
		return
	}
	panic(fmt.Sprintf("jose: %q cannot be registered", e.Algorithm))
}

// externalKey is a public key of kind akp.
type externalKey struct {
	pub    string // as in a JWK, decoded
	public crypto.PublicKey
	verify func(message, signature []byte) bool
}

// encoded is a public key that knows its encoding, such as *mldsa.PublicKey.
type encoded interface{ Bytes() []byte }

func (k *Key) setExternal(pub crypto.PublicKey) error {
	p, ok := pub.(encoded)
	if !ok {
		return fmt.Errorf("not an %s key", k.alg)
	}
	return k.openExternal(p.Bytes())
}

func (k *Key) openExternal(pub []byte) error {
	if len(pub) != k.spec.pub {
		return fmt.Errorf("pub is not %d bytes", k.spec.pub)
	}
	public, verify, err := k.spec.external.Load().Open(pub)
	if err != nil || verify == nil {
		return errors.New("pub is no key")
	}
	k.ext = &externalKey{pub: string(pub), public: public, verify: verify}
	return nil
}

// bySize returns the algorithm whose public keys have as many bytes as pub, or "".
func bySize(pub encoded) Algorithm {
	n := len(pub.Bytes())
	for i := range specs {
		if specs[i].kind == akp && specs[i].pub == n {
			return specs[i].name
		}
	}
	return ""
}
