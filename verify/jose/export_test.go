package jose

import "math/big"

// VerifyRaw checks a signature without a token around it, for published vectors.
func VerifyRaw(k *Key, signed, signature []byte) bool { return k.verify(signed, signature) }

// VerifyRawSecret is the same for a secret of a set.
func VerifyRawSecret(s *SecretSet, kid string, signed, mac []byte) bool {
	return s.byID[kid].verify(signed, mac)
}

// AppendDecoded is the base64url decoder.
func AppendDecoded(dst []byte, s string) ([]byte, bool) { return appendDecoded(dst, s) }

// ROCAPrimes are the primes of the fingerprint.
func ROCAPrimes() []int64 { return rocaPrimes[:] }

// WeakROCA is the fingerprint.
func WeakROCA(n *big.Int) bool { return weakROCA(n) }

// Learned returns how many headers a set has learned.
func Learned(s *KeySet) (n int) {
	for i := range s.spellings {
		if s.spellings[i].Load() != nil {
			n++
		}
	}
	return n
}

// AppendDER writes r and s as DER.
func AppendDER(r, s []byte) []byte { return appendDER(nil, r, s) }

// FixedLength reads r and s from DER.
func FixedLength(der []byte, size int) ([]byte, error) { return fixedLength(der, size) }
