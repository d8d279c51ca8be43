package differ_test

import (
	"fmt"
	"strings"
)

// lenient is what ours accepts and others refuse; accepts is there who refuses.
var lenient = []row{
	{"`alg`: Ed25519 with the key of EdDSA", header(`{"alg":"Ed25519","typ":"at+jwt","kid":"key-EdDSA"}`), "jgok", "two names of one algorithm", "RFC 9864 §2.2"},
	{"`jwk` that is no key", head(`"jwk":1`), "gxo", "not looked at: a token brings no keys", "RFC 7515 §4.1.3, JOS-04"},
	{"`EXP` beside `exp`", claims(`4102444800`, `4102444800,"EXP":1`), "jok", "another name, so another claim", "RFC 7519 §4, JOS-08"},
}

func noneToken() string {
	return base64url.EncodeToString([]byte(`{"alg":"none","typ":"at+jwt","kid":"key-EdDSA"}`)) + "." +
		base64url.EncodeToString([]byte(goodPayload)) + "."
}

func tableHead(w *world, columns int, what string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s ", what)
	for _, o := range w.others[:columns] {
		fmt.Fprintf(&b, "| %s ", o.name)
	}
	b.WriteString("| our rule | source |\n" + strings.Repeat("|---", columns+3) + "|\n")
	return b.String()
}

func tokenTable(w *world) string { return table(w, "a token with", rows) }

func lenientTable(w *world) string { return table(w, "a token with", lenient) }

func table(w *world, what string, rows []row) string {
	var b strings.Builder
	b.WriteString(tableHead(w, len(w.others), what))
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s %s| %s | %s |\n", r.what, marks(len(w.others), r.accepts), r.rule, r.source)
	}
	return b.String()
}
