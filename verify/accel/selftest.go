package accel

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"sync"

	"github.com/signet-id/signet/verify/accel/internal/edwards"
	"github.com/signet-id/signet/verify/accel/internal/p256"
)

// A signature by each algorithm: RFC 8032 §7.1 test 2, and RFC 6979 §A.2.5 with SHA-256
// of "sample".
var (
	knownEd25519 = known{
		key:       "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
		message:   "72",
		signature: "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
	}
	knownES256 = known{
		key: "04" + "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6" +
			"7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
		message:   "73616d706c65",
		signature: "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716" + "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
	}
)

type known struct{ key, message, signature string } // in hexadecimal

// selfTest verifies a good and a bad signature with each algorithm, once in a process.
var selfTest = sync.OnceValue(func() error { return testBoth(verifyEd25519, verifyES256) })

// verifier verifies with the table of a key.
type verifier func(key, message, signature []byte) (valid, decided bool)

func testBoth(ed, es verifier) error {
	if !knownEd25519.passes(ed) {
		return errors.New("Ed25519 is wrong")
	}
	if !knownES256.passes(es) {
		return errors.New("P-256 is wrong")
	}
	return nil
}

// passes reports whether v accepts the signature, and refuses it for another message.
// Arithmetic that is wrong may also end in a panic, which is no reason to end the program.
func (k *known) passes(v verifier) (good bool) {
	defer func() { good = recover() == nil && good }()
	key, message, signature := k.bytes()
	valid, decided := v(key, message, signature)
	if !valid || !decided {
		return false
	}
	message[0] ^= 1
	valid, decided = v(key, message, signature)
	return !valid && decided
}

func (k *known) bytes() (key, message, signature []byte) {
	var errs [3]error
	key, errs[0] = hex.DecodeString(k.key)
	message, errs[1] = hex.DecodeString(k.message)
	signature, errs[2] = hex.DecodeString(k.signature)
	if err := errors.Join(errs[:]...); err != nil {
		panic(err)
	}
	return key, message, signature
}

func verifyEd25519(key, message, signature []byte) (valid, decided bool) {
	t, ok := edwards.NewTable(key)
	if !ok {
		return false, false
	}
	return t.Verify(message, signature)
}

func verifyES256(key, message, signature []byte) (valid, decided bool) {
	t, ok := p256.NewTable(key)
	if !ok {
		return false, false
	}
	hash := sha256.Sum256(message)
	return t.Verify(&hash, signature)
}
