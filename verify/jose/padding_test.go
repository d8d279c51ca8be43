package jose_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"math/big"
	"testing"

	"github.com/signet-id/signet/verify/jose"
)

// rsaAlgs are the RSA algorithms with their hash and the DER of DigestInfo up to the
// hash (RFC 8017 §9.2 note 1).
var rsaAlgs = []struct {
	pss, pkcs1 jose.Algorithm
	hash       crypto.Hash
	prefix     string
}{
	{jose.PS256, jose.RS256, crypto.SHA256, "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"},
	{jose.PS384, jose.RS384, crypto.SHA384, "\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30"},
	{jose.PS512, jose.RS512, crypto.SHA512, "\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40"},
}

func rsaKeyOf(t *testing.T, alg jose.Algorithm) *jose.Key {
	t.Helper()
	k, err := jose.NewKey(alg, "k", rsaPrivate().Public())
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sum(hash crypto.Hash, message []byte) []byte {
	h := hash.New()
	h.Write(message)
	return h.Sum(nil)
}

// JOS-13: the salt is as long as the hash, and the hash is the algorithm's (RFC 7518 §3.5).
func TestSignature_JOS13_PSSSalts(t *testing.T) {
	t.Parallel()
	private, message := rsaPrivate(), []byte("signed")
	for _, a := range rsaAlgs {
		key := rsaKeyOf(t, a.pss)
		n := a.hash.Size()
		for _, salt := range []int{0, 1, 20, n - 1, n, n + 1, 100} {
			for _, b := range rsaAlgs {
				if a.hash != b.hash && salt != n && salt != b.hash.Size() {
					continue
				}
				sig, err := emptySaltPSS(private, b.hash, sum(b.hash, message))
				if salt > 0 {
					sig, err = rsa.SignPSS(rand.Reader, private, b.hash, sum(b.hash, message), &rsa.PSSOptions{SaltLength: salt})
				}
				if err != nil {
					t.Fatal(err)
				}
				want := salt == a.hash.Size() && a.hash == b.hash
				if got := jose.VerifyRaw(key, message, sig); got != want {
					t.Errorf("%s with a salt of %d bytes and %s: %v", a.pss, salt, b.hash, got)
				}
				if jose.VerifyRaw(rsaKeyOf(t, a.pkcs1), message, sig) {
					t.Errorf("PSS as %s: accepted", a.pkcs1)
				}
			}
		}
	}
}

// emptySaltPSS encodes by hand (RFC 8017 §9.1.1): the standard library reads 0 as "auto".
func emptySaltPSS(private *rsa.PrivateKey, hash crypto.Hash, digest []byte) ([]byte, error) {
	emBits := private.N.BitLen() - 1
	em := make([]byte, (emBits+7)/8)
	h := sum(hash, append(make([]byte, 8), digest...))
	db := em[:len(em)-len(h)-1]
	db[len(db)-1] = 1
	var mask []byte
	for i := byte(0); len(mask) < len(db); i++ {
		mask = append(mask, sum(hash, append(bytes.Clone(h), 0, 0, 0, i))...)
	}
	for i := range db {
		db[i] ^= mask[i]
	}
	em[0] &= 0xFF >> (8*len(em) - emBits)
	copy(em[len(db):], h)
	em[len(em)-1] = 0xBC
	return power(private, em)
}

// power is the private operation on a block that was encoded by hand.
func power(private *rsa.PrivateKey, em []byte) ([]byte, error) {
	m := new(big.Int).SetBytes(em)
	if m.Cmp(private.N) >= 0 {
		return nil, errors.New("bad encoding")
	}
	return m.Exp(m, private.D, private.N).FillBytes(make([]byte, private.Size())), nil
}

// JOS-13: RS* is padded in exactly one way (RFC 8017 §8.2.2: encode again and compare).
func TestSignature_JOS13_PKCS1Variants(t *testing.T) {
	t.Parallel()
	private, message := rsaPrivate(), []byte("signed")
	size := private.Size()
	for n, a := range rsaAlgs {
		key, digest := rsaKeyOf(t, a.pkcs1), sum(a.hash, message)
		info := append([]byte(a.prefix), digest...)
		block := func(kind byte, padding int, rest ...byte) []byte {
			em := append([]byte{0, kind}, bytes.Repeat([]byte{0xFF}, padding)...)
			return append(append(em, 0), rest...)
		}
		full := size - 3
		good := block(1, full-len(info), info...)
		noNULL := bytes.Clone(info)
		noNULL = bytes.Replace(noNULL, []byte{5, 0, 4}, []byte{4}, 1)
		noNULL[1], noNULL[3] = noNULL[1]-2, noNULL[3]-2
		longForm := append([]byte{0x30, 0x81, info[1]}, info[2:]...)
		other := rsaAlgs[(n+1)%3]
		for name, em := range map[string][]byte{
			"good":                    good,
			"no DigestInfo":           block(1, full-len(digest), digest...),
			"no NULL":                 block(1, full-len(noNULL), noNULL...),
			"length in long form":     block(1, full-len(longForm), longForm...),
			"garbage after the hash":  append(block(1, 8, info...), make([]byte, size-11-len(info))...),
			"garbage, full padding":   append(block(1, full-len(info)-4, info...), 1, 2, 3, 4),
			"padding type 2":          block(2, full-len(info), info...),
			"padding type 0":          append(make([]byte, size-len(info)), info...),
			"padding not FF":          append(append([]byte{0, 1}, bytes.Repeat([]byte{0xFE}, full-len(info))...), append([]byte{0}, info...)...),
			"no zero before the hash": append(append([]byte{0, 1}, bytes.Repeat([]byte{0xFF}, full+1-len(info))...), info...),
			"hash of another":         block(1, full-len(other.prefix)-len(sum(other.hash, message)), append([]byte(other.prefix), sum(other.hash, message)...)...),
			"name of another":         block(1, full-len(other.prefix)-len(digest), append([]byte(other.prefix), digest...)...),
		} {
			if len(em) != size {
				t.Fatalf("%s: %d bytes", name, len(em))
			}
			sig, err := power(private, em)
			if err != nil {
				t.Fatal(err)
			}
			if got := jose.VerifyRaw(key, message, sig); got != (name == "good") {
				t.Errorf("%s: %s: %v", a.pkcs1, name, got)
			}
		}
		sig, err := power(private, good)
		if err != nil {
			t.Fatal(err)
		}
		if jose.VerifyRaw(rsaKeyOf(t, a.pss), message, sig) {
			t.Errorf("%s as %s: accepted", a.pkcs1, a.pss)
		}
		for name, bad := range map[string][]byte{
			"short": sig[1:], "long": append([]byte{0}, sig...), "empty": nil, "zero": make([]byte, size), "modulus": private.N.Bytes(),
			"plus n": new(big.Int).Add(new(big.Int).SetBytes(sig), private.N).Bytes(),
		} {
			if jose.VerifyRaw(key, message, bad) || jose.VerifyRaw(rsaKeyOf(t, a.pss), message, bad) {
				t.Errorf("%s: %s: accepted", a.pkcs1, name)
			}
		}
	}
}
