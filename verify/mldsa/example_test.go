package mldsa_test

import (
	"fmt"
	"log"

	"filippo.io/mldsa"

	"github.com/signet-id/signet/verify/jose"
	_ "github.com/signet-id/signet/verify/mldsa" // ML-DSA for key sets and signers
)

func Example() {
	private, err := mldsa.GenerateKey(mldsa.MLDSA65())
	if err != nil {
		log.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.MLDSA65, "2026-01", private)
	if err != nil {
		log.Fatal(err)
	}
	token, err := signer.Sign("receipt+jwt", []byte(`{"order":17}`))
	if err != nil {
		log.Fatal(err)
	}
	set, err := jose.NewKeySet(signer.Key())
	if err != nil {
		log.Fatal(err)
	}
	payload, key, err := set.Verify(token, "receipt+jwt")
	fmt.Println(string(payload), key.Algorithm(), len(token), err)
	// Output: {"order":17} ML-DSA-65 4504 <nil>
}
