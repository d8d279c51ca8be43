package jose_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/signet-id/signet/verify/jose"
)

const (
	edX = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" // RFC 8037 A.2
	ecX = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU" // RFC 7515 A.3.1
	ecY = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
	// RFC 7638 §3.1
	rsaN = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
)

const (
	edKey  = `{"kty":"OKP","crv":"Ed25519","x":"` + edX + `","kid":"ed","alg":"EdDSA","use":"sig"}`
	ecKey  = `{"kty":"EC","crv":"P-256","x":"` + ecX + `","y":"` + ecY + `","kid":"ec","alg":"ES256","use":"sig"}`
	rsaKey = `{"kty":"RSA","n":"` + rsaN + `","e":"AQAB","kid":"rs","alg":"RS256","use":"sig"}`
)

// with changes one member of a key: a JSON value, or "" to take it away.
func with(t testing.TB, key, name, value string) string {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal([]byte(key), &m); err != nil {
		t.Fatal(err)
	}
	delete(m, name)
	if value != "" {
		m[name] = json.RawMessage(value)
	}
	out, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestParseKeySet_Accepts(t *testing.T) {
	t.Parallel()
	set, err := jose.ParseKeySet([]byte(`{"keys":[` + edKey + `,` + ecKey + `,` + rsaKey + `],"more":1}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, kid := range []string{"ed", "ec", "rs"} {
		if k, ok := set.Key(kid); !ok || k.ID() != kid {
			t.Errorf("%s: %v", kid, ok)
		}
	}
	if _, ok := set.Key("ED"); ok || len(set.Keys()) != 3 {
		t.Error("a key that is not there")
	}
	ops := with(t, with(t, edKey, "use", ""), "key_ops", `["sign","verify"]`)
	if _, err := jose.ParseKey([]byte(ops)); err != nil {
		t.Errorf("key_ops instead of use: %v", err)
	}
}

// A newer issuer must not break older verifiers: RFC 7517 §5.
func TestParseKeySet_RFC7517_5_SkipsUnknownKinds(t *testing.T) {
	t.Parallel()
	for name, other := range map[string]string{
		"AKP":       `{"kty":"AKP","alg":"ML-DSA-65","pub":"AAAA","kid":"pq","use":"sig"}`,
		"other alg": with(t, rsaKey, "alg", `"RS1"`),
		"no kid":    `{"kty":"new","alg":"new","use":"sig"}`,
	} {
		set, err := jose.ParseKeySet([]byte(`{"keys":[` + other + `,` + edKey + `]}`))
		if err != nil || len(set.Keys()) != 1 {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := jose.ParseKey([]byte(other)); err == nil {
			t.Errorf("%s: accepted alone", name)
		}
	}
}

// JOS-03, JOS-05, JOS-13, TOK-06: one bad key makes the whole set an error.
func TestParseKeySet_RefusesDefects(t *testing.T) {
	t.Parallel()
	bits := func(n int) string {
		m := new(big.Int).Lsh(big.NewInt(1), uint(n-1))
		return `"` + b64.EncodeToString(m.Add(m, big.NewInt(1)).Bytes()) + `"`
	}
	for name, bad := range map[string]string{
		"no alg":               with(t, edKey, "alg", ""),
		"alg empty":            with(t, edKey, "alg", `""`),
		"neither use nor ops":  with(t, edKey, "use", ""),
		"use enc":              with(t, edKey, "use", `"enc"`),
		"use Sig":              with(t, edKey, "use", `"Sig"`),
		"use empty":            with(t, edKey, "use", `""`),
		"ops without verify":   with(t, edKey, "key_ops", `["encrypt"]`),
		"ops empty":            with(t, edKey, "key_ops", `[]`),
		"ops no list":          with(t, edKey, "key_ops", `"verify"`),
		"ops alone, sign only": with(t, with(t, edKey, "use", ""), "key_ops", `["sign"]`),
		"no kty":               with(t, edKey, "kty", ""),
		"no kid":               with(t, edKey, "kid", ""),
		"kid empty":            with(t, edKey, "kid", `""`),
		"kid number":           with(t, edKey, "kid", `1`),
		"kid long":             with(t, edKey, "kid", `"`+strings.Repeat("k", 257)+`"`),
		"kid twice":            edKey + "," + with(t, ecKey, "kid", `"ed"`),
		"Ed25519 with ES256":   with(t, edKey, "alg", `"ES256"`),
		"EC with EdDSA":        with(t, ecKey, "alg", `"EdDSA"`),
		"EC with RS256":        with(t, ecKey, "alg", `"RS256"`),
		"RSA with ES256":       with(t, rsaKey, "alg", `"ES256"`),
		"X25519":               with(t, edKey, "crv", `"X25519"`),
		"P-384":                with(t, ecKey, "crv", `"P-384"`),
		"secp256k1":            with(t, ecKey, "crv", `"secp256k1"`),
		"ed x short":           with(t, edKey, "x", `"`+edX[:40]+`"`),
		"ed x padded":          with(t, edKey, "x", `"`+edX+`="`),
		"ed x line break":      with(t, edKey, "x", `"`+edX[:20]+`\n`+edX[20:]+`"`),
		"ec y missing":         with(t, ecKey, "y", ""),
		"off curve":            with(t, ecKey, "y", `"`+ecX+`"`),
		"zero point":           with(t, with(t, ecKey, "x", `"`+strings.Repeat("A", 43)+`"`), "y", `"`+strings.Repeat("A", 43)+`"`),
		"ec x long":            with(t, ecKey, "x", `"AA`+ecX+`"`),
		"RSA 2047 bits":        with(t, rsaKey, "n", bits(2047)),
		"RSA 1024 bits":        with(t, rsaKey, "n", bits(1024)),
		"RSA 8193 bits":        with(t, rsaKey, "n", bits(8193)),
		"RSA even":             with(t, rsaKey, "n", `"`+b64.EncodeToString(new(big.Int).Lsh(big.NewInt(1), 2047).Bytes())+`"`),
		"RSA leading zero":     with(t, rsaKey, "n", `"AAAA`+rsaN+`"`),
		"e 1":                  with(t, rsaKey, "e", `"AQ"`),
		"e 3":                  with(t, rsaKey, "e", `"Aw"`),
		"e even":               with(t, rsaKey, "e", `"AQAC"`),
		"e large":              with(t, rsaKey, "e", `"gAAAAQ"`),
		"e 40 bits":            with(t, rsaKey, "e", `"AQAAAAE"`),
		"e leading zero":       with(t, rsaKey, "e", `"AAEAAQ"`),
		"e empty":              with(t, rsaKey, "e", `""`),
		"ed private":           with(t, edKey, "d", `"AAAA"`),
		"rsa private":          with(t, rsaKey, "p", `"AAAA"`),
		"unknown private":      `{"kty":"AKP","alg":"ML-DSA-65","priv":"AAAA","kid":"pq"}`,
		"symmetric":            `{"kty":"oct","k":"AAAA","alg":"HS256","kid":"s","use":"sig"}`,
		"symmetric, no k":      `{"kty":"oct","alg":"HS256","kid":"s","use":"sig"}`,
		"kty twice":            `{"kty":"OKP",` + edKey[1:],
		"not an object":        `"key"`,
		"null":                 `null`,
	} {
		good := with(t, edKey, "kid", `"good"`)
		if _, err := jose.ParseKeySet([]byte(`{"keys":[` + good + `,` + bad + `]}`)); !errors.Is(err, jose.ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, doc := range map[string]string{
		"empty":        `{"keys":[]}`,
		"no keys":      `{}`,
		"Keys":         `{"Keys":[` + edKey + `]}`,
		"keys twice":   `{"keys":[` + edKey + `],"keys":[]}`,
		"only unknown": `{"keys":[{"kty":"AKP"}]}`,
		"no list":      `{"keys":` + edKey + `}`,
		"one key":      edKey,
		"trailing":     `{"keys":[` + edKey + `]}x`,
		"HTML":         `<html></html>`,
	} {
		if _, err := jose.ParseKeySet([]byte(doc)); !errors.Is(err, jose.ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNewKey_Refuses(t *testing.T) {
	t.Parallel()
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p256 := private(t, jose.ES256).Public()
	offCurve := &ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(1), Y: big.NewInt(1)}
	for name, tc := range map[string]struct {
		alg jose.Algorithm
		kid string
		pub any
	}{
		"none":           {"none", "k", p256},
		"HS256":          {"HS256", "k", []byte("secret")},
		"empty kid":      {jose.ES256, "", p256},
		"kid not UTF-8":  {jose.ES256, "\xff", p256},
		"other kind":     {jose.EdDSA, "k", p256},
		"nil":            {jose.EdDSA, "k", nil},
		"nil EC":         {jose.ES256, "k", (*ecdsa.PublicKey)(nil)},
		"nil RSA":        {jose.RS256, "k", (*rsa.PublicKey)(nil)},
		"empty RSA":      {jose.RS256, "k", &rsa.PublicKey{}},
		"short Ed25519":  {jose.EdDSA, "k", ed25519.PublicKey("short")},
		"P-384":          {jose.ES256, "k", &p384.PublicKey},
		"off the curve":  {jose.ES256, "k", offCurve},
		"RSA 2047 bits":  {jose.RS256, "k", &rsa.PublicKey{N: bigNumber(2047), E: 65537}},
		"RSA 8193 bits":  {jose.RS256, "k", &rsa.PublicKey{N: bigNumber(8193), E: 65537}},
		"negative RSA":   {jose.RS256, "k", &rsa.PublicKey{N: new(big.Int).Neg(rsaPrivate().N), E: 65537}},
		"small exponent": {jose.RS256, "k", &rsa.PublicKey{N: rsaPrivate().N, E: 3}},
	} {
		if _, err := jose.NewKey(tc.alg, tc.kid, tc.pub); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// JOS-21: no private member ever leaves, neither as JSON nor through fmt.
func TestSigner_KeepsPrivateKey(t *testing.T) {
	t.Parallel()
	for _, alg := range jose.Algorithms() {
		s := newSigner(t, alg, "k")
		set, err := json.Marshal(newSet(t, s.Key()))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := jose.ParseKeySet(set); err != nil { // which refuses private members
			t.Errorf("%s: own set: %v", alg, err)
		}
		signer, err := json.Marshal(map[string]any{"s": s})
		if err != nil || string(signer) != `{"s":{}}` {
			t.Errorf("%s: signer as JSON: %s, %v", alg, signer, err)
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
			if got := fmt.Sprintf(verb, s); got != "[signer]" {
				t.Errorf("%s: %s prints %s", alg, verb, got)
			}
		}
	}
}

// rocaModulus is a power of 65537 modulo each of the primes.
func rocaModulus(t *testing.T) *big.Int {
	t.Helper()
	m := big.NewInt(2)
	for _, p := range jose.ROCAPrimes() {
		m.Mul(m, big.NewInt(p))
	}
	n := new(big.Int).Exp(big.NewInt(65537), big.NewInt(12345), m) // odd
	shift := new(big.Int).Div(new(big.Int).Lsh(big.NewInt(1), 2047), m)
	n.Add(n, shift.Add(shift, big.NewInt(1)).Mul(shift, m))
	if n.BitLen() != 2048 || n.Bit(0) != 1 {
		t.Fatal("bad vector")
	}
	return n
}

// JOS-21: a modulus with the fingerprint of CVE-2017-15361 is refused.
func TestNewKey_RefusesROCA(t *testing.T) {
	t.Parallel()
	n := rocaModulus(t)
	if !jose.WeakROCA(n) || jose.WeakROCA(rsaPrivate().N) {
		t.Error("fingerprint")
	}
	if _, err := jose.NewKey(jose.RS256, "k", &rsa.PublicKey{N: n, E: 65537}); !errors.Is(err, jose.ErrKey) {
		t.Errorf("got %v", err)
	}
}

// Keys survive writing and reading, and are copies: nobody can change a key in a set.
func TestKey_RoundTrip(t *testing.T) {
	t.Parallel()
	for _, alg := range jose.Algorithms() {
		s := newSigner(t, alg, `k"<é`)
		doc, err := json.Marshal(s.Key())
		if err != nil {
			t.Fatal(err)
		}
		k, err := jose.ParseKey(doc)
		if err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(k)
		if err != nil || string(again) != string(doc) || k.Algorithm() != alg {
			t.Errorf("%s: %s, then %s", alg, doc, again)
		}
	}
}

// TestKey_PublicIsACopy: whoever changes what Public returns changes no key.
func TestKey_PublicIsACopy(t *testing.T) {
	t.Parallel()
	for _, alg := range []jose.Algorithm{jose.EdDSA, jose.ES256, jose.ES384, jose.ES512, jose.PS256} {
		k := newSigner(t, alg, "k").Key()
		want, err := jose.Thumbprint(k.Public())
		if err != nil {
			t.Fatal(err)
		}
		switch p := k.Public().(type) {
		case ed25519.PublicKey:
			p[0]++
		case *ecdsa.PublicKey:
			p.X.SetInt64(1)
			p.Y.SetInt64(1)
		case *rsa.PublicKey:
			p.N.SetInt64(1)
		default:
			t.Fatalf("%s: %T", alg, p)
		}
		if got, err := jose.Thumbprint(k.Public()); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", alg, got, err, want)
		}
	}
}

func TestThumbprint_Vectors(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ key, want string }{
		"RFC 7638 §3.1":       {rsaKey, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"},
		"RFC 8037 appendix A": {edKey, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"},
	} {
		k, err := jose.ParseKey([]byte(tc.key))
		if err != nil {
			t.Fatal(name, err)
		}
		if got, err := jose.Thumbprint(k.Public()); err != nil || got != tc.want {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	if _, err := jose.Thumbprint([]byte("secret")); !errors.Is(err, jose.ErrKey) {
		t.Errorf("a secret: %v", err)
	}
}
