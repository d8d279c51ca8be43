package jose_test

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"log"

	"github.com/signet-id/signet/verify/jose"
)

func Example() {
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		log.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.EdDSA, "2026-01", private)
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
	fmt.Println(string(payload), key.ID(), err)
	_, _, err = set.Verify(token, "at+jwt")
	fmt.Println(errors.Is(err, jose.ErrType))
	// Output:
	// {"order":17} 2026-01 <nil>
	// true
}

func ExampleParseKeySet() {
	set, err := jose.ParseKeySet([]byte(`{"keys":[
		{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
		{"kty":"AKP","alg":"ML-DSA-65","use":"sig","kid":"b","pub":"AAAA"}]}`))
	if err != nil {
		log.Fatal(err)
	}
	for _, k := range set.Keys() {
		fmt.Println(k.ID(), k.Algorithm())
	}
	_, err = jose.ParseKeySet([]byte(`{"keys":[{"kty":"oct","k":"c2VjcmV0","alg":"HS256","use":"sig","kid":"a"}]}`))
	fmt.Println(err)
	// Output:
	// a EdDSA
	// unusable key: key set: k: a private key
}

func ExampleKeySet_MarshalJSON() {
	key, err := jose.ParseKey([]byte(edKey))
	if err != nil {
		log.Fatal(err)
	}
	set, err := jose.NewKeySet(key)
	if err != nil {
		log.Fatal(err)
	}
	doc, err := json.Marshal(set)
	fmt.Println(string(doc), err)
	// Output: {"keys":[{"kty":"OKP","use":"sig","alg":"EdDSA","kid":"ed","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]} <nil>
}

func ExampleThumbprint() {
	key, err := jose.ParseKey([]byte(edKey))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(jose.Thumbprint(key.Public()))
	// Output: kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k <nil>
}

func ExampleCheckObject() {
	fmt.Println(jose.CheckObject([]byte(`{"alg":"EdDSA"}`)))
	fmt.Println(jose.CheckObject([]byte(`{"alg":"none","alg":"EdDSA"}`)))
	// Output:
	// <nil>
	// json: a name appears twice
}
