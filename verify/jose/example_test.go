package jose_test

import (
	"crypto/ed25519"
	"crypto/rand"
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

func ExampleAlgorithms() {
	fmt.Println(jose.Algorithms())
	// Output: [EdDSA Ed25519 ES256 ES384 ES512 PS256 PS384 PS512 RS256 RS384 RS512]
}

func ExampleRegister() {
	defer func() { fmt.Println(recover()) }()
	jose.Register(jose.External{Algorithm: "none"}) // package mldsa registers what may be
	// Output: jose: "none" cannot be registered
}

func ExampleNewSecret() {
	random := make([]byte, 32)
	if _, err := rand.Read(random); err != nil {
		log.Fatal(err)
	}
	secret, err := jose.NewSecret(jose.HS256, "2026-01", random)
	if err != nil {
		log.Fatal(err)
	}
	set, err := jose.NewSecretSet(secret)
	if err != nil {
		log.Fatal(err)
	}
	token, err := secret.Sign("state+jwt", []byte(`{"cart":17}`))
	if err != nil {
		log.Fatal(err)
	}
	payload, _, err := set.Verify(token, "state+jwt")
	fmt.Println(string(payload), err, secret)
	// Output: {"cart":17} <nil> [secret key]
}

func ExampleParseSecretSet() {
	_, err := jose.ParseSecretSet([]byte(`{"keys":[{"kty":"oct","alg":"HS256","use":"sig","kid":"a","k":"c2hvcnQ"}]}`))
	fmt.Println(err)
	_, err = jose.ParseSecretSet([]byte(`{"keys":[` + edKey + `]}`))
	fmt.Println(err)
	// Output:
	// unusable key: secret set: unusable key: the secret is shorter than the hash, 32 bytes
	// unusable key: secret set: a key that is not symmetric
}

// A client proves that it holds a key that the server has seen before.
func ExampleVerifyEmbedded() {
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		log.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.EdDSA, "mine", private)
	if err != nil {
		log.Fatal(err)
	}
	known, err := jose.Thumbprint(private.Public())
	if err != nil {
		log.Fatal(err)
	}
	proof, err := signer.SignEmbedded("hello+jwt", []byte(`{"to":"you"}`))
	if err != nil {
		log.Fatal(err)
	}
	payload, key, err := jose.VerifyEmbedded(proof, "hello+jwt", []jose.Algorithm{jose.EdDSA})
	fmt.Println(string(payload), key.ID() == known, err)
	// Output: {"to":"you"} true <nil>
}

// The server has stored whose proofs it accepts.
func ExampleVerifyEmbeddedBy() {
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		log.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.EdDSA, "mine", private)
	if err != nil {
		log.Fatal(err)
	}
	known, err := jose.Thumbprint(private.Public())
	if err != nil {
		log.Fatal(err)
	}
	proof, err := signer.SignEmbedded("hello+jwt", []byte(`{"to":"you"}`))
	if err != nil {
		log.Fatal(err)
	}
	payload, err := jose.VerifyEmbeddedBy(known, proof, "hello+jwt", nil)
	fmt.Println(string(payload), err)
	_, err = jose.VerifyEmbeddedBy("of somebody else", proof, "hello+jwt", nil)
	fmt.Println(err)
	// Output:
	// {"to":"you"} <nil>
	// unknown key
}
