package accel_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"math/big"
	"testing"

	"filippo.io/nistec"

	"github.com/signet-id/signet/verify/accel"
)

// FuzzEd25519 gives the key, too. A nonempty seed makes the key and a good signature, to
// which the last argument is added byte by byte.
func FuzzEd25519(f *testing.F) {
	f.Add([]byte{}, make([]byte, 32), []byte("message"), make([]byte, 64))
	f.Add([]byte{1}, []byte{}, []byte("message"), make([]byte, 64))
	f.Add([]byte{1}, []byte{}, []byte{}, append(make([]byte, 63), 0x20))
	for _, odd := range oddEncodings(f) {
		f.Add([]byte{}, odd, []byte{1}, append(odd, make([]byte, 32)...))
	}
	for _, v := range vectors(f, "ed25519.txt") {
		f.Add([]byte{}, v.key, v.message, v.signature)
	}
	f.Fuzz(func(t *testing.T, seed, key, message, signature []byte) {
		if len(seed) > 0 {
			private := ed25519.NewKeyFromSeed(append(make([]byte, 32), seed...)[len(seed):])
			key, signature = private.Public().(ed25519.PublicKey), plus(ed25519.Sign(private, message), signature)
		}
		if len(key) != ed25519.PublicKeySize {
			return
		}
		want := ed25519.Verify(key, message, signature)
		if got, decided := accel.VerifyEd25519(key, message, signature); decided && got != want {
			t.Errorf("valid %v, standard library %v", got, want)
		} else if !decided && want {
			t.Error("a good signature is not decided")
		}
	})
}

// FuzzP256 makes the key from a number. With good set there is a good signature, to which
// the last argument is added byte by byte.
func FuzzP256(f *testing.F) {
	n := order()
	f.Add([]byte{1}, []byte("message"), true, make([]byte, 64))
	f.Add([]byte{2}, []byte("message"), true, append(make([]byte, 63), 1))
	f.Add(new(big.Int).Sub(n, big.NewInt(1)).Bytes(), []byte("message"), false, append(make([]byte, 63), 1))
	for _, v := range vectors(f, "es256.txt") {
		f.Add(v.message, v.message, false, v.signature)
	}
	f.Fuzz(func(t *testing.T, number, message []byte, good bool, signature []byte) {
		d := new(big.Int).SetBytes(number)
		if d.Mod(d, n).Sign() == 0 {
			return
		}
		scalar := d.FillBytes(make([]byte, 32))
		point, err := nistec.NewP256Point().ScalarBaseMult(scalar)
		if err != nil {
			t.Fatal(err)
		}
		if good {
			private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar)
			if err != nil {
				t.Fatal(err)
			}
			signature = plus(signES256(t, private, message), signature)
		}
		if len(signature) != 64 {
			return
		}
		pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		want := standardES256(pub, message, signature)
		if got, decided := accel.VerifyES256(point.Bytes(), message, signature); decided && got != want {
			t.Errorf("valid %v, standard library %v", got, want)
		}
	})
}

// plus adds byte by byte.
func plus(signature, change []byte) []byte {
	for i := range min(len(signature), len(change)) {
		signature[i] += change[i]
	}
	return signature
}
