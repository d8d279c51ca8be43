package differ_test

import "strings"

// row is one kind of token that ours refuses and others accept.
type row struct {
	what    string // the kind
	token   maker  // one of them
	accepts string // who accepts it today: (j) golang-jwt, (g)o-jose, jw(x), go-(o)idc, (k)ataras
	rule    string // ours, and why
	source  string // RFC and section, threat id
}

const (
	sameForAll = "two readers must not understand one token differently"
	oneText    = "one token has one text"
)

// rows is the table of docs/reference/strictness.md.
var rows = []row{
	// Header.
	{"no `typ`", header(`{"alg":"EdDSA","kid":"key-EdDSA"}`), "o", "another kind of token may have all the right claims", "RFC 8725 §3.11, TOK-01"},
	{"`typ` in capitals", header(`{"alg":"EdDSA","typ":"AT+JWT","kid":"key-EdDSA"}`), "o", "compared byte for byte: our issuer writes one form", "RFC 9068 §4"},
	{"`typ` with `application/`", header(`{"alg":"EdDSA","typ":"application/at+jwt","kid":"key-EdDSA"}`), "o", "the same", "RFC 9068 §4"},
	{"no `kid`", header(`{"alg":"EdDSA","typ":"at+jwt"}`), "o", "a token names its key", "JOS-05"},
	{"an algorithm of the issuer's, but not the key's", wrongAlgorithm, "jgo", "a key has one algorithm", "RFC 8725 §3.1"},
	{"`alg` twice", head(`"alg":"EdDSA"`), "jxk", sameForAll, "RFC 7515 §4, JOS-07"},
	{"`typ` twice, once no string", header(`{"alg":"EdDSA","typ":true,"kid":"key-EdDSA","typ":"at+jwt"}`), "j", sameForAll, "RFC 7515 §4, JOS-07"},
	{"an unknown member twice", head(`"x":1,"x":2`), "jxk", sameForAll, "RFC 7515 §4, JOS-07"},
	{"`crit` with a name that nobody knows", head(`"crit":["x"],"x":1`), "jxk", "no extension is understood, so each is refused", "RFC 7515 §4.1.11, JOS-06"},
	{"`crit` with nothing in it", head(`"crit":[]`), "jgxok", "the same", "RFC 7515 §4.1.11, JOS-06"},
	{"`b64`: true", head(`"b64":true`), "jgxok", "the same", "RFC 7797 §6, JOS-06"},
	{"`zip`", head(`"zip":"DEF"`), "jgxok", "a member of encrypted tokens: somebody would unpack it", "RFC 7516 §4.1.3, JOS-18"},
	{"invalid UTF-8 in a header", head("\"x\":\"\xff\""), "jgxok", sameForAll, "RFC 7515 §4, JOS-09"},
	{"half a surrogate pair in a header", head(`"x":"\ud800"`), "jgxok", sameForAll, "RFC 7493 §2.1, JOS-09"},
	{"a number that no float holds, in a header", head(`"x":1e400`), "k", sameForAll, "RFC 7493 §2.2, JOS-09"},
	{"a header 40 levels deep", head(`"x":` + nested(40)), "jgxok", "32 levels", "JOS-09"},
	{"a header of more than 4 KiB", head(`"x":"` + strings.Repeat("a", 5000) + `"`), "jgxok", "sizes are bounded before any work", "JOS-19"},
	{"a token of more than 16 KiB", claim(`"x":"` + strings.Repeat("a", 20000) + `"`), "jgxok", "the same", "JOS-19"},

	// Text.
	{"unused bits in the payload's base64", text(func(h, p string) string { return h + "." + lastDigit(p) }), "jk", oneText, "RFC 4648 §3.5, JOS-10"},
	{"unused bits in the signature's base64", after("EdDSA", lastDigit), "jgxok", oneText, "RFC 4648 §3.5, JOS-10"},
	{"padded base64", after("EdDSA", func(t string) string { return t + "==" }), "xk", oneText, "RFC 7515 §2, JOS-10"},
	{"a line break in a part", after("EdDSA", func(t string) string { return t[:9] + "\n" + t[9:] }), "gxo", oneText, "RFC 4648 §3.3, JOS-10"},
	{"a signed line break", text(func(h, p string) string { return h + "." + p[:8] + "\r\n" + p[8:] }), "j", oneText, "RFC 4648 §3.3, JOS-10"},
	{"a space around the token", after("EdDSA", func(t string) string { return " " + t }), "xo", oneText, "RFC 7515 §7.1, JOS-10"},
	{"the JSON serialization", after("EdDSA", flattened), "o", "compact tokens only", "RFC 7515 §7.2, JOS-18"},

	// Signature.
	{"PS256 with a salt of 20 bytes", signature("PS256", salt(20)), "jgok", "the salt is as long as the hash", "RFC 7518 §3.5, JOS-13"},
	{"PS256 without a salt", signature("PS256", salt(0)), "jgok", "the same", "RFC 7518 §3.5, JOS-13"},

	// Claims.
	{"`exp` twice", claim(`"exp":4102444800`), "jxok", sameForAll, "RFC 7519 §4, JOS-07"},
	{"an unknown claim twice", claim(`"x":1,"x":2`), "jxok", sameForAll, "RFC 7519 §4, JOS-07"},
	{"a name twice inside a claim", claim(`"x":{"y":1,"y":2}`), "jgxok", sameForAll, "RFC 7519 §4, JOS-07"},
	{"`Exp` in place of `exp`", claims(`"exp"`, `"Exp"`), "jok", "names are compared byte for byte", "RFC 7519 §4, JOS-08"},
	{"`aud` with two services", claims(`"aud":"https://orders.example.com"`, `"aud":["https://orders.example.com","https://other.example.com"]`), "jgxo", "a token is for one service", "RFC 9068 §4, TOK-02"},
	{"`aud` as a list of one", claims(`"aud":"https://orders.example.com"`, `"aud":["https://orders.example.com"]`), "jgxok", "our issuer writes one form", "TOK-02"},
	{"`exp` with a fraction", claims("4102444800", "4102444800.5"), "jgxok", "whole seconds: readers round differently", "RFC 7519 §2, TOK-04"},
	{"`exp` as a decimal", claims("4102444800", "4102444800.0"), "jgxok", "the same", "RFC 7519 §2, TOK-04"},
	{"`exp` with an exponent", claims("4102444800", "4.1024448e9"), "jgxok", "the same", "RFC 7519 §2, TOK-04"},
	{"`exp` as a string", claims("4102444800", `"4102444800"`), "jxok", "a number", "RFC 7519 §4.1.4, TOK-04"},
	{"`exp` after the year 9999", claims("4102444800", "253402300800"), "jgxok", "later times overflow in other programs", "TOK-04"},
	{"`exp` before `iat`", claims(`"iat":1700000000`, `"iat":4102444800`), "o", "no such token is made", "TOK-04"},
	{"`iat` in the future", claims(`"iat":1700000000`, `"iat":4102444700`), "o", "60 seconds at most", "RFC 7519 §4.1.6, TOK-04"},
	{"`iat` negative", claims(`"iat":1700000000`, `"iat":-1`), "jgxok", "from 1970 on", "TOK-04"},
	{"`iat`: null", claims(`"iat":1700000000`, `"iat":null`), "jgk", "a number", "RFC 7519 §4.1.6, TOK-04"},
	{"`nbf`: null", claim(`"nbf":null`), "jgok", "a number or no claim", "RFC 7519 §4.1.5, TOK-04"},
	{"`auth_time` with a fraction", claims("1699999900", "1699999900.5"), "x", "whole seconds", "TOK-04"},
	{"no `iat`", claims(`"iat":1700000000,`, ""), "jgxok", "required in access tokens", "RFC 9068 §2.2"},
	{"no `sub`", claims(`"sub":"user-1",`, ""), "jgxok", "the same", "RFC 9068 §2.2"},
	{"no `jti`", claims(`"jti":"t-1",`, ""), "jgxok", "the same; revocation names it", "RFC 9068 §2.2, JOS-11"},
	{"no `client_id`", claims(`"client_id":"web",`, ""), "jgxok", "the same", "RFC 9068 §2.2"},
	{"`sub` without a character", claims(`"user-1"`, `""`), "jgxok", "says nothing, and may match what is missing elsewhere", "RFC 9068 §2.2"},
	{"`sid`: null", claims(`"s-1"`, `null`), "jgok", "a string or no claim", "RFC 7519 §4.1"},
	{"`amr`: null", claims(`["pwd","otp"]`, `null`), "jgok", "a list or no claim", "RFC 8176 §1"},
	{"`amr` with null in it", claims(`["pwd","otp"]`, `["pwd",null]`), "jgok", "a list of strings", "RFC 8176 §1"},
	{"`cnf` with a key", claim(`"cnf":{"jkt":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`), "jgxok", "whoever presents it must prove the key", "RFC 7800 §3.1, TOK-14"},
	{"`cnf` of an unknown kind", claim(`"cnf":{"x":1}`), "jgxok", "the same", "RFC 7800 §3.1, TOK-14"},
	{"`scope` with two spaces", claims(`openid orders`, `openid  orders`), "jgxok", "one space between", "RFC 6749 §3.3"},
	{"`scope` without a character", claims(`openid orders:read`, ``), "jgxok", "at least one, or no claim", "RFC 6749 §3.3"},
	{"`scope` with a quotation mark", claims(`openid orders`, `openid\" orders`), "jgxok", "the characters of a scope", "RFC 6749 §3.3"},
	{"claims with data after them", payload(goodPayload + "{}"), "x", "one object", "RFC 7519 §7.2, JOS-09"},
	{"invalid UTF-8 in a claim", claims("user-1", "user-\xff"), "jgxok", sameForAll, "RFC 7519 §7.2, JOS-09"},
	{"half a surrogate pair in a claim", claims("user-1", `user-\ud800`), "jgxok", sameForAll, "RFC 7493 §2.1, JOS-09"},
	{"a number that no float holds, in a claim", claim(`"x":1e400`), "jgok", sameForAll, "RFC 7493 §2.2, JOS-09"},
	{"claims 40 levels deep", claim(`"x":` + nested(40)), "jgxok", "32 levels", "JOS-09"},
}

// wrongAlgorithm is signed by the key of RS256, padded as PS256, and says both.
func wrongAlgorithm(w *world) (string, error) {
	return w.Sign("PS256", []byte(`{"alg":"PS256","typ":"at+jwt","kid":"key-RS256"}`), []byte(goodPayload))
}
