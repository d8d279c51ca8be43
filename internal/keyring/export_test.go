package keyring

import (
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/verify/jose"
)

// Generate makes a key of one algorithm, sealed under a KEK.
func Generate(alg jose.Algorithm, kek [32]byte, now time.Time) (idp.SigningKey, error) {
	return generate(alg, sealing(kek), now, now)
}

// Unseal returns the PKCS #8 form of a stored key, for tests that look for it elsewhere.
func Unseal(k idp.SigningKey, kek [32]byte) ([]byte, error) {
	return secret.Open(sealing(kek), k.Sealed, place(k.ID, k.Alg))
}

// Rename gives a stored key another name and a seal that fits it, as only we can.
func Rename(k idp.SigningKey, kek [32]byte, kid string) (idp.SigningKey, error) {
	der, err := Unseal(k, kek)
	k.ID = kid
	k.Sealed = secret.Seal(sealing(kek), der, place(kid, k.Alg))
	return k, err
}

// SealPublic replaces what is sealed in a row by its public half, as when a key is retired.
func SealPublic(k idp.SigningKey, kek [32]byte) (idp.SigningKey, error) {
	signer, err := open(k, sealings{sealing(kek)})
	if err != nil {
		return k, err
	}
	k.Sealed, err = sealPublic(signer.Key(), sealings{sealing(kek)})
	return k, err
}
