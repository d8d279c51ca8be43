package differ_test

import (
	"encoding/base64"
	"math/big"
	"strings"
)

// Keys of RFC 8037 A.2, RFC 7515 A.3.1 and RFC 7638 §3.1.
const (
	edX    = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
	ecX    = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
	ecY    = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
	rsaN   = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
	edKey  = `{"kty":"OKP","crv":"Ed25519","x":"` + edX + `","kid":"ed","alg":"EdDSA","use":"sig"}`
	ecKey  = `{"kty":"EC","crv":"P-256","x":"` + ecX + `","y":"` + ecY + `","kid":"ec","alg":"ES256","use":"sig"}`
	rsaKey = `{"kty":"RSA","n":"` + rsaN + `","e":"AQAB","kid":"rs","alg":"RS256","use":"sig"}`
)

// keyRow is one kind of key set that ours refuses and others take a key from.
type keyRow struct {
	what, doc string
	accepts   string // (g)o-jose, jw(x)
	rule      string
	source    string
}

// keySet is a set of keys as they are spelled.
func keySet(keys ...string) string { return `{"keys":[` + strings.Join(keys, ",") + `]}` }

// one is a set of one key, in which a piece is replaced. The piece must be there.
func one(key, old, with string) string {
	if !strings.Contains(key, old) {
		panic("not in the key: " + old)
	}
	return keySet(strings.Replace(key, old, with, 1))
}

// rsaOf is a set with an RSA key of so many bits, which nobody could sign with.
func rsaOf(bits int) string {
	n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
	n.Add(n, big.NewInt(12345679))
	return one(rsaKey, rsaN, base64.RawURLEncoding.EncodeToString(n.Bytes()))
}

const wholeSet = "who published this has lost it: nothing in the set can be trusted"

var keyRows = []keyRow{
	{"two keys of one `kid`", keySet(edKey, strings.Replace(ecKey, `"ec"`, `"ed"`, 1)), "gx", "a signer could choose between them", "RFC 7517 §4.5, JOS-05"},
	{"no `kid`", one(edKey, `"kid":"ed",`, ""), "gx", "a token names its key", "JOS-05"},
	{"no `alg`", one(rsaKey, `"alg":"RS256",`, ""), "gx", "a key has one algorithm", "RFC 8725 §3.1, JOS-03"},
	{"an `alg` that is not of the key's kind", one(rsaKey, "RS256", "ES256"), "gx", "the same", "RFC 8725 §3.1, JOS-03"},
	{"`use`: enc", one(edKey, `"sig"`, `"enc"`), "gx", "a key for encryption signs nothing", "RFC 7517 §4.2, JOS-03"},
	{"neither `use` nor `key_ops`", one(edKey, `,"use":"sig"`, ""), "gx", "the same", "RFC 7517 §4.2, JOS-03"},
	{"`key_ops` without verify", one(edKey, `"use":"sig"`, `"key_ops":["encrypt"]`), "gx", "the same", "RFC 7517 §4.3, JOS-03"},
	{"an empty `use`", one(edKey, `"sig"`, `""`), "gx", "the same", "RFC 7517 §4.2, JOS-03"},
	{"an empty `key_ops`", one(edKey, `"use":"sig"`, `"use":"sig","key_ops":[]`), "gx", "the same", "RFC 7517 §4.3, JOS-03"},
	{"`use` that is no string", one(edKey, `"sig"`, `null`), "gx", "a string or no member", "RFC 7517 §4.2"},
	{"`key_ops` that is no list", one(edKey, `"use":"sig"`, `"use":"sig","key_ops":null`), "gx", "a list or no member", "RFC 7517 §4.3"},
	{"a private key", one(edKey, `"kid"`, `"d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","kid"`), "gx", wholeSet, "RFC 7517 §9.2, JOS-21"},
	{"a secret", keySet(`{"kty":"oct","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","kid":"s","alg":"HS256","use":"sig"}`), "x", wholeSet, "RFC 7517 §9.2, JOS-02"},
	{"a public key with `alg`: HS256", one(rsaKey, "RS256", "HS256"), "gx", "a public key is no secret", "RFC 8725 §2.1, JOS-02"},
	{"a member of a private key in a public one", one(edKey, `"kid"`, `"k":"AA","kid"`), "gx", wholeSet, "JOS-21"},
	{"RSA with 1024 bits", rsaOf(1024), "g", "2048 bits at least", "RFC 7518 §3.3, JOS-13"},
	{"RSA with 16384 bits", rsaOf(16384), "x", "8192 bits at most: they cost time", "JOS-13"},
	{"RSA with e = 3", one(rsaKey, "AQAB", "Aw"), "gx", "65537 at least", "FIPS 186-5 §A.1.1, JOS-13"},
	{"RSA with a zero before n", one(rsaKey, rsaN, zeroBefore(rsaN)), "gx", "numbers have one form", "RFC 7518 §6.3.1.1"},
	{"RSA with a zero before e", one(rsaKey, "AQAB", "AAEAAQ"), "gx", "the same", "RFC 7518 §6.3.1.2"},
	{"another curve than `alg` needs", one(ecKey, "ES256", "ES384"), "gx", "the curve is the algorithm's", "RFC 7518 §3.4"},
	{"unused bits in a number's base64", one(edKey, edX, lastDigit(edX)), "gx", oneText, "RFC 4648 §3.5, JOS-10"},
	{"padded base64", one(edKey, edX, edX+"="), "x", oneText, "RFC 7515 §2, JOS-10"},
	{"a line break in a number", one(edKey, edX, edX[:9]+`\n`+edX[9:]), "gx", oneText, "RFC 4648 §3.3, JOS-10"},
	{"`kid` twice", one(edKey, `"kid":"ed"`, `"kid":"ed","kid":"ed"`), "x", sameForAll, "RFC 7517 §4, JOS-07"},
	{"a `kid` of 300 bytes", one(edKey, `"ed"`, `"`+strings.Repeat("k", 300)+`"`), "gx", "256 bytes at most", "JOS-05"},
	{"invalid UTF-8", one(edKey, `"kid"`, "\"z\":\"\xff\",\"kid\""), "gx", sameForAll, "RFC 8259 §8.1, JOS-09"},
	{"half a surrogate pair", one(edKey, `"kid"`, `"x5u":"\ud800","kid"`), "gx", sameForAll, "RFC 7493 §2.1, JOS-09"},
	{"a number that no float holds", one(edKey, `"kid"`, `"z":1e400,"kid"`), "g", sameForAll, "RFC 7493 §2.2, JOS-09"},
	{"40 levels", one(edKey, `"kid"`, `"z":`+nested(40)+`,"kid"`), "gx", "32 levels", "JOS-09"},
	{"`Keys` in place of `keys`", strings.Replace(keySet(edKey), "keys", "Keys", 1), "g", "names are compared byte for byte", "JOS-08"},
	{"a single key in place of a set", edKey, "x", "a set", "RFC 7517 §5"},
	{"a single key and data after it", edKey + "]}", "x", "one object", "RFC 8259 §2, JOS-09"},
	{"only keys of unknown algorithms", one(rsaKey, "RS256", "RSX"), "g", "such keys are left out, and nothing is left", "RFC 7517 §5"},
}

// lenientKeys is what ours takes and others refuse; accepts is there who refuses.
var lenientKeys = []keyRow{
	{"a key of a kind that nobody knows, beside a good one", keySet(`{"kty":"new","kid":"n","alg":"X","use":"sig"}`, edKey), "gx", "left out: a newer issuer must not break older verifiers", "RFC 7517 §5"},
	{"a key of a curve that nobody knows, beside a good one", keySet(`{"kty":"EC","crv":"new","x":"AA","y":"AA","kid":"n","alg":"X","use":"sig"}`, edKey), "gx", "the same", "RFC 7517 §5"},
	{"`x5c` that is no certificate", one(edKey, `"kid"`, `"x5c":1,"kid"`), "gx", "not looked at: keys come from the set alone", "RFC 7517 §4.7, JOS-04"},
}

// refusedKeys are forms that nobody takes.
var refusedKeys = map[string]string{
	"RSA with e = 1":                one(rsaKey, "AQAB", "AQ"),
	"P-256 with a short coordinate": one(ecKey, ecX, ecX[4:]),
	"P-256 with a zero before x":    one(ecKey, ecX, zeroBefore(ecX)),
	"P-256 off the curve":           one(ecKey, ecY, ecX),
	"an Ed25519 key of 33 bytes":    one(edKey, edX, zeroBefore(edX)),
	"a kid that is no string":       one(edKey, `"ed"`, `1`),
	"data after it":                 keySet(edKey) + "{}",
	"an element that is no key":     keySet(edKey, "1"),
}

// zeroBefore is the base64 of the same number with a zero byte before it.
func zeroBefore(text string) string {
	number, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		panic(err) // a constant
	}
	return base64.RawURLEncoding.EncodeToString(append([]byte{0}, number...))
}
