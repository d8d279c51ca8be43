package jose_test

import (
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/signet-id/signet/verify/jose"
)

// bigNumber is an odd one of n bits that does not look like a ROCA key.
func bigNumber(n int) *big.Int {
	m := new(big.Int).Lsh(big.NewInt(1), uint(n-1))
	m.Add(m, big.NewInt(7))
	for jose.WeakROCA(m) {
		m.Add(m, big.NewInt(2))
	}
	return m
}

// number is the same in a JWK.
func number(n int) string { return `"` + b64.EncodeToString(bigNumber(n).Bytes()) + `"` }

func ecJWK(t testing.TB, alg jose.Algorithm) string {
	t.Helper()
	doc, err := json.Marshal(newSigner(t, alg, "ec").Key())
	if err != nil {
		t.Fatal(err)
	}
	return string(doc)
}

// What lies just inside of the limits.
func TestParseKey_AcceptsAtTheLimits(t *testing.T) {
	t.Parallel()
	for name, good := range map[string]string{
		"RSA 2048 bits":       with(t, rsaKey, "n", number(2048)),
		"RSA 8192 bits":       with(t, rsaKey, "n", number(8192)),
		"e = 2^31-1":          with(t, rsaKey, "e", `"f____w"`),
		"ops verify":          with(t, with(t, rsaKey, "use", ""), "key_ops", `["verify"]`),
		"ops sign and verify": with(t, rsaKey, "key_ops", `["verify","sign"]`),
		"kid of 256 bytes":    with(t, rsaKey, "kid", `"`+strings.Repeat("k", 256)+`"`),
		"P-384":               ecJWK(t, jose.ES384),
		"P-521":               ecJWK(t, jose.ES512),
		"other members":       with(t, with(t, rsaKey, "x5c", `["not base64"]`), "ext", `true`),
	} {
		if _, err := jose.ParseKey([]byte(good)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// JOS-03, JOS-13, JOS-21: each defect is refused for its own reason, alone and in a set.
func TestParseKey_RefusesForTheRightReason(t *testing.T) {
	t.Parallel()
	p384, p521 := ecJWK(t, jose.ES384), ecJWK(t, jose.ES512)
	zeros := func(n int) string { return `"` + b64.EncodeToString(make([]byte, n)) + `"` }
	for name, tc := range map[string]struct{ key, reason string }{
		"ops twice":             {with(t, edKey, "key_ops", `["verify","verify"]`), "twice"},
		"ops twice apart":       {with(t, edKey, "key_ops", `["verify","sign","verify"]`), "twice"},
		"use sig, ops encrypt":  {with(t, edKey, "key_ops", `["verify","encrypt"]`), "more than sign"},
		"ops verify and derive": {with(t, with(t, edKey, "use", ""), "key_ops", `["verify","deriveKey"]`), "more than sign"},
		"use enc, ops verify":   {with(t, with(t, edKey, "use", `"enc"`), "key_ops", `["verify"]`), "use is not sig"},
		"use sig, ops sign":     {with(t, edKey, "key_ops", `["sign"]`), "without verify"},
		"ops of numbers":        {with(t, edKey, "key_ops", `[1]`), "key_ops"},

		"RSA with HS256":     {with(t, rsaKey, "alg", `"HS256"`), "symmetric"},
		"EC with HS512":      {with(t, ecKey, "alg", `"HS512"`), "symmetric"},
		"oct":                {`{"kty":"oct","alg":"RS256","kid":"s","use":"sig"}`, "symmetric"},
		"oct with k":         {`{"kty":"oct","k":"AAAA","alg":"HS256","kid":"s","use":"sig"}`, "private"},
		"EC with RS512":      {with(t, ecKey, "alg", `"RS512"`), "kty does not fit"},
		"RSA with ES384":     {with(t, rsaKey, "alg", `"ES384"`), "kty and crv"},
		"P-256 with ES384":   {with(t, ecKey, "alg", `"ES384"`), "kty and crv"},
		"P-384 with ES256":   {with(t, p384, "alg", `"ES256"`), "kty and crv"},
		"P-384 with ES512":   {with(t, p384, "alg", `"ES512"`), "kty and crv"},
		"P-521 with ES384":   {with(t, p521, "alg", `"ES384"`), "kty and crv"},
		"P-384 named P-521":  {with(t, with(t, p384, "crv", `"P-521"`), "alg", `"ES512"`), "not 66 bytes"},
		"P-256 named P-384":  {with(t, with(t, ecKey, "crv", `"P-384"`), "alg", `"ES384"`), "not 48 bytes"},
		"P-384 off curve":    {with(t, p384, "y", `"`+member(t, p384, "x")+`"`), "not a point"},
		"P-521 off curve":    {with(t, p521, "y", `"`+member(t, p521, "x")+`"`), "not a point"},
		"P-384 zero":         {with(t, with(t, p384, "x", zeros(48)), "y", zeros(48)), "not a point"},
		"P-521 x of 65":      {with(t, p521, "x", zeros(65)), "x is not 66"},
		"P-521 y of 67":      {with(t, p521, "y", zeros(67)), "y is not 66"},
		"P-521 y not base64": {with(t, p521, "y", `"*"`), "y is not 66"},

		"RSA 2047 bits":      {with(t, rsaKey, "n", number(2047)), "2048 to 8192 bits"},
		"RSA 8193 bits":      {with(t, rsaKey, "n", number(8193)), "n is too long"},
		"RSA 65536 bits":     {with(t, rsaKey, "n", number(65536)), "n is too long"},
		"RSA even":           {with(t, rsaKey, "n", `"`+b64.EncodeToString(new(big.Int).Lsh(big.NewInt(3), 2046).Bytes())+`"`), "odd"},
		"RSA n leading zero": {with(t, rsaKey, "n", `"`+b64.EncodeToString(append([]byte{0}, bigNumber(2048).Bytes()...))+`"`), "n is not a number"},
		"RSA n empty":        {with(t, rsaKey, "n", `""`), "n is not a number"},
		"e = 65535":          {with(t, rsaKey, "e", `"__8"`), "at least 65537"},
		"e = 65538":          {with(t, rsaKey, "e", `"AQAC"`), "odd"},
		"e = 2^31":           {with(t, rsaKey, "e", `"gAAAAA"`), "e is too large"},
		"e = 2^32+1":         {with(t, rsaKey, "e", `"AQAAAAE"`), "small number"},
		"e leading zero":     {with(t, rsaKey, "e", `"AAEAAQ"`), "small number"},
		"ROCA":               {with(t, rsaKey, "n", `"`+b64.EncodeToString(rocaModulus(t).Bytes())+`"`), "ROCA"},

		"RSA d": {with(t, rsaKey, "d", `"AAAA"`), "private"}, "RSA dp": {with(t, rsaKey, "dp", `"AAAA"`), "private"},
		"RSA q": {with(t, rsaKey, "q", `"AAAA"`), "private"}, "RSA dq": {with(t, rsaKey, "dq", `"AAAA"`), "private"},
		"RSA qi": {with(t, rsaKey, "qi", `"AAAA"`), "private"}, "RSA oth": {with(t, rsaKey, "oth", `[]`), "private"},
		"priv of a kind not known": {`{"kty":"new","alg":"new","kid":"n","priv":"AAAA"}`, "private"},
	} {
		for _, doc := range []string{`{"keys":[` + tc.key + `]}`, `{"keys":[` + with(t, edKey, "kid", `"good"`) + `,` + tc.key + `]}`} {
			_, err := jose.ParseKeySet([]byte(doc))
			if !errors.Is(err, jose.ErrKey) || !strings.Contains(err.Error(), tc.reason) {
				t.Errorf("%s: %v, not because of %q", name, err, tc.reason)
			}
		}
		if _, err := jose.ParseKey([]byte(tc.key)); !errors.Is(err, jose.ErrKey) {
			t.Errorf("%s alone: %v", name, err)
		}
	}
}

func member(t *testing.T, key, name string) string {
	t.Helper()
	var m map[string]string
	if err := json.Unmarshal([]byte(key), &m); err != nil {
		t.Fatal(err)
	}
	return m[name]
}

// JOS-19: whoever serves a key set does not choose how long reading it takes. Keys that
// are left out count as well.
func TestParseKeySet_AtMost64Keys(t *testing.T) {
	t.Parallel()
	set := func(n int, key string) []byte {
		keys := make([]string, n)
		for i := range keys {
			keys[i] = with(t, key, "kid", fmt.Sprintf(`"%d"`, i))
		}
		return []byte(`{"keys":[` + edKey + strings.Join(append([]string{""}, keys...), ",") + `]}`)
	}
	unknown := `{"kty":"new","alg":"new","use":"sig"}`
	for _, key := range []string{edKey, unknown} {
		if _, err := jose.ParseKeySet(set(63, key)); err != nil {
			t.Errorf("64 keys: %v", err)
		}
		if _, err := jose.ParseKeySet(set(64, key)); !errors.Is(err, jose.ErrKey) || !strings.Contains(err.Error(), "more than 64") {
			t.Errorf("65 keys: %v", err)
		}
	}
}

// A key for one curve is not taken for another, however it comes.
func TestNewKey_CurveIsTheAlgorithms(t *testing.T) {
	t.Parallel()
	algs := []jose.Algorithm{jose.ES256, jose.ES384, jose.ES512}
	for _, own := range algs {
		pub := private(t, own).Public().(*ecdsa.PublicKey)
		for _, alg := range algs {
			if _, err := jose.NewKey(alg, "k", pub); (err == nil) != (alg == own) {
				t.Errorf("%s with a key of %s: %v", alg, pub.Params().Name, err)
			}
		}
		off := &ecdsa.PublicKey{Curve: pub.Curve, X: big.NewInt(1), Y: big.NewInt(1)}
		if _, err := jose.NewKey(own, "k", off); !errors.Is(err, jose.ErrKey) {
			t.Errorf("%s: a point off the curve: %v", own, err)
		}
	}
}
