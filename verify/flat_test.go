package verify_test

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/signet-id/signet/verify"
)

// nearPlain are the parts that payloads beside the plain ones are made of: for each kind of
// member what is right, and what is one byte from it.
var nearPlain = struct{ texts, numbers, lists, names, bytes []string }{
	texts: []string{`"a"`, `"a b"`, `"a  b"`, `" a"`, `"a "`, `""`, `" "`, `"abcdefg"`, `"abcdefgh"`, `"abcdefghi"`, `"é"`, `"a\u0000"`, `"\u0061"`,
		`"\""`, `"\\"`, "\"\x7f\"", "\"\x00\"", "\"\x1f\"", "\"abcdefg\xff\"", `"`, `a`, `'a'`},
	numbers: []string{"0", "1", "10", "999", "1000", "1300", "253402300799", "253402300800", "2534023007990", "01", "00", "-0", "-1", "+1", "1.0", "1e3", "1E3",
		"9223372036854775807", "9223372036854775808", "18446744073709552616", "", ".", "0x1", "1_0", "null"},
	lists: []string{`[]`, `["a"]`, `["a","b"]`, `["a",]`, `[,]`, `["a" ,"b"]`, `[ ]`, `[""]`, `["a"`, `[`, `["a","a"]`, `[1]`, `[["a"]]`, `["a"]]`,
		`["1","2","3","4","5","6","7","8","9","10","11"]`, `["a"x"b"]`, `["\u0061"]`},
	names: []string{"iss", "sub", "aud", "jti", "client_id", "iat", "exp", "nbf", "auth_time", "sid", "grant_id", "acr", "amr", "groups", "roles", "scope",
		"cnf", "", "Exp", "exp ", "ex", "act", "may_act", "authorization_details", "x", "y", "z", `\u0065xp`},
	bytes: []string{"{", "}", "[", "]", ",", ":", `"`, `\`, " ", "\t", "\n", "0", "9", "a", "\x00", "\x7f", "\x80", "\xff", "é"},
}

// needed are the members that a token must have.
const needed = `"iss":"i","sub":"u","aud":"a","jti":"j","client_id":"c","iat":1000,"exp":1300`

// oneBeside are payloads with one member more, of each name and each value, or twice the
// same; and with one that says each value instead of its own.
func oneBeside() (docs []string) {
	values := slices.Concat(nearPlain.texts, nearPlain.numbers, nearPlain.lists, []string{`{}`, `true`})
	for _, value := range values {
		for _, name := range nearPlain.names {
			more := `,"` + name + `":` + value
			docs = append(docs, `{`+needed+more+`}`, `{`+needed+more+more+`}`)
		}
		for member := range strings.SplitSeq(needed, ",") {
			name, _, _ := strings.Cut(member, ":")
			docs = append(docs, `{`+strings.Replace(needed, member, name+`:`+value, 1)+`}`)
		}
	}
	return docs
}

// writeNearPlain writes a payload that is plain, or nearly.
func writeNearPlain(r *rand.Rand) string {
	pick := func(from []string) string { return from[r.IntN(len(from))] }
	odd := func() bool { return r.IntN(40) == 0 }
	members := strings.Split(needed, ",")
	for range r.IntN(12) {
		name, value := pick(nearPlain.names), pick(nearPlain.texts[:2])
		switch name {
		case "iat", "exp", "nbf", "auth_time":
			value = pick(nearPlain.numbers[:7])
		case "amr", "groups", "roles":
			value = pick(nearPlain.lists[:3])
		}
		if odd() {
			value = pick([][]string{nearPlain.texts, nearPlain.numbers, nearPlain.lists, {`{}`, `{"a":1}`, `true`}}[r.IntN(4)])
		}
		member := `"` + name + `":` + value
		if r.IntN(12) == 0 {
			members[r.IntN(len(members))] = member
		} else {
			members = append(members, member)
		}
	}
	if odd() {
		members = append(members[:0], members[r.IntN(len(members)):]...)
	}
	r.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	doc := "{" + strings.Join(members, ",") + "}"
	for r.IntN(4) == 0 {
		at := r.IntN(len(doc) + 1)
		switch r.IntN(3) {
		case 0:
			doc = doc[:at] + pick(nearPlain.bytes) + doc[at:]
		case 1:
			doc = doc[:at] + doc[min(len(doc), at+1+r.IntN(3)):]
		default:
			doc = doc[:at]
		}
	}
	return doc
}

// What is read in one pass is read with care as the same, whatever stands beside the plain form.
func TestParseFlat_NearPlain(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	r, plain, rest := rand.New(rand.NewPCG(seed, 0)), 0, 0
	docs := oneBeside()
	for range nearPlainRounds {
		docs = append(docs, writeNearPlain(r))
	}
	for _, doc := range docs {
		want, err := verify.ParseClaims([]byte(doc))
		got, ok := verify.ParseFlat(doc)
		switch {
		case ok && (err != nil || !reflect.DeepEqual(got, want)):
			t.Fatalf("seed %d: %q read as %+v in one pass, as %+v, %v with care", seed, doc, got, want, err)
		case ok:
			plain++
		default:
			rest++
		}
	}
	if plain < nearPlainRounds/20 || rest < nearPlainRounds/20 {
		t.Errorf("seed %d: %d plain, %d not: the payloads are not near the border", seed, plain, rest)
	}
}

const nearPlainRounds = 20_000

// The lists of a token's claims share their memory, and requests share the claims. Who adds
// a scope for itself must not write over the groups of everybody.
func TestParseFlat_ListsEndWhereTheyEnd(t *testing.T) {
	t.Parallel()
	for _, doc := range plainPayloads(t) {
		c, ok := verify.ParseFlat(doc)
		if !ok {
			t.Fatal(doc)
		}
		for name, list := range map[string][]string{"amr": c.AMR, "groups": c.Groups, "roles": c.Roles, "scope": c.Scopes} {
			if len(list) != cap(list) {
				t.Errorf("%s of %s: %d of %d", name, doc, len(list), cap(list))
			}
		}
	}
}
