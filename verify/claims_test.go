package verify_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/verify"
)

const payload = `{"iss":"https://id.example.com","sub":"u","aud":"https://a","exp":1300,"iat":1000,"jti":"j","client_id":"c",` +
	`"nbf":1001,"auth_time":900,"sid":"s","grant_id":"g","acr":"aal1","amr":["pwd"],"groups":["a","b"],"roles":[],"scope":"x y:z","other":{"a":1}}`

func TestParseClaims_Accepts(t *testing.T) {
	t.Parallel()
	got, err := verify.ParseClaims([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	at := func(n int64) time.Time { return time.Unix(n, 0).UTC() }
	want := &verify.Claims{
		Issuer: "https://id.example.com", Subject: "u", Audience: "https://a", ID: "j", ClientID: "c", SessionID: "s", GrantID: "g",
		ACR: "aal1", AMR: []string{"pwd"}, Groups: []string{"a", "b"}, Scopes: []string{"x", "y:z"},
		IssuedAt: at(1000), ExpiresAt: at(1300), NotBefore: at(1001), AuthTime: at(900),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	if !got.HasScope("x") || got.HasScope("y") || got.HasScope("x y:z") || got.HasScope("") {
		t.Error("HasScope")
	}
	for _, optional := range []string{"nbf", "auth_time", "sid", "grant_id", "acr", "amr", "groups", "roles", "scope", "other"} {
		if _, err := verify.ParseClaims([]byte(change(t, payload, optional, ""))); err != nil {
			t.Errorf("without %s: %v", optional, err)
		}
	}
}

// change replaces one member by a JSON value, or takes it away.
func change(t testing.TB, doc, name, value string) string {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal([]byte(doc), &m); err != nil {
		t.Fatal(err)
	}
	if m[name] = json.RawMessage(value); value == "" {
		delete(m, name)
	}
	out, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// TOK-02, TOK-04, RFC 9068 §2.2: forms next to the good ones.
func TestParseClaims_RFC9068_2_2_Refuses(t *testing.T) {
	t.Parallel()
	texts := []string{`null`, `1`, `true`, `[]`, `{}`, `""`, `["u"]`, `{"a":"u"}`}
	times := []string{`null`, `"1000"`, `""`, `true`, `[]`, `[1000]`, `-1`, `1000.0`, `1e3`, `1000.5`, `253402300800`, `9223372036854775808`, `1e400`}
	lists := []string{`null`, `"a"`, `1`, `[1]`, `[null]`, `[["a"]]`, `{"0":"a"}`}
	cases := map[string][]string{
		"iss": append(texts, ""), "sub": append(texts, ""), "jti": append(texts, ""), "client_id": append(texts, ""),
		"aud": append(texts, "", `["https://a"]`, `["https://a","https://b"]`, `[["https://a"]]`),
		"exp": append(times, "", `1000`, `999`, `0`), "iat": append(times, "", `1300`, `1301`),
		"nbf": times, "auth_time": times,
		"sid": texts, "grant_id": texts, "acr": texts,
		"amr": lists, "groups": lists, "roles": lists,
		"scope": {`null`, `""`, `" x"`, `"x "`, `"x  y"`, `"x\ty"`, `"x\ny"`, `"x\"y"`, `"x\\y"`, `"é"`, `["x"]`, `1`},
	}
	for name, values := range cases {
		for _, value := range values {
			doc := change(t, payload, name, "")
			if value != "" {
				doc = doc[:len(doc)-1] + `,"` + name + `":` + value + `}`
			}
			c, err := verify.ParseClaims([]byte(doc))
			if !errors.Is(err, verify.ErrMalformed) || c != nil {
				t.Errorf("%s = %q: %v", name, value, err)
				continue
			}
			// Two errors are about the whole: a number out of range, and exp before iat.
			if text := err.Error(); value != `1e400` && !strings.Contains(text, name+": ") && !strings.Contains(text, "exp: not after iat") {
				t.Errorf("%s = %q: the error does not say which: %v", name, value, err)
			}
		}
	}
}

// JOS-07, JOS-08, JOS-09: one reading only.
func TestParseClaims_JOS08_NamesAreExact(t *testing.T) {
	t.Parallel()
	for name, doc := range map[string]string{
		"Exp only":        strings.Replace(payload, `"exp"`, `"Exp"`, 1),
		"EXP only":        strings.Replace(payload, `"exp"`, `"EXP"`, 1),
		"long s in sub":   strings.Replace(payload, `"sub"`, `"ſub"`, 1),
		"two exp":         strings.Replace(payload, `"exp":1300`, `"exp":1300,"exp":9999`, 1),
		"two aud":         strings.Replace(payload, `"aud":"https://a"`, `"aud":"https://a","aud":"https://b"`, 1),
		"two, escaped":    strings.Replace(payload, `"aud":"https://a"`, `"aud":"https://a","\u0061ud":"https://b"`, 1),
		"two unknown":     strings.Replace(payload, `"other"`, `"more":1,"more":1,"other"`, 1),
		"two deep inside": strings.Replace(payload, `{"a":1}`, `{"a":[{"b":1,"b":1}]}`, 1),
		"trailing":        payload + ` {}`,
		"bad UTF-8":       strings.Replace(payload, `"u"`, "\"\xff\"", 1),
		"lone surrogate":  strings.Replace(payload, `"u"`, `"\udead"`, 1),
		"list":            `[` + payload + `]`,
		"empty":           ``,
	} {
		if _, err := verify.ParseClaims([]byte(doc)); !errors.Is(err, verify.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A variant beside the name is unknown: only "exp" counts.
	c, err := verify.ParseClaims([]byte(strings.Replace(payload, `"exp":1300`, `"EXP":9999,"exp":1300,"Exp":9999`, 1)))
	if err != nil || c.ExpiresAt.Unix() != 1300 {
		t.Errorf("got %v, %v", c, err)
	}
	// An escaped name is the name.
	c, err = verify.ParseClaims([]byte(strings.Replace(payload, `"sub":"u"`, `"\u0073ub":"\u0075\ud83d\ude00"`, 1)))
	if err != nil || c.Subject != "u😀" {
		t.Errorf("got %v, %v", c, err)
	}
}

// TOK-14: a token says how it is bound, and in a way that can be checked or not at all.
func TestParseClaims_TOK14_Confirmation(t *testing.T) {
	t.Parallel()
	hash := strings.Repeat("A", 43)
	for cnf, want := range map[string]verify.Confirmation{
		`{"jkt":"` + hash + `"}`:      {JKT: hash},
		`{"x5t#S256":"` + hash + `"}`: {Certificate: hash},
	} {
		c, err := verify.ParseClaims([]byte(change(t, payload, "cnf", cnf)))
		if err != nil || c.Confirmation != want {
			t.Errorf("%s: %+v, %v", cnf, c, err)
		}
	}
	for _, cnf := range []string{
		`{}`, `null`, `"x"`, `[]`, `{"jkt":"AAAA"}`, `{"x5t#S256":"AAAA"}`, `{"jkt":"` + hash[1:] + `B"}`, `{"jkt":null}`,
		`{"jkt":"` + hash + `","x5t#S256":"` + hash + `"}`, `{"jkt":"` + hash + `","kid":"1"}`, `{"kid":"1"}`, `{"jwk":{}}`, `{"JKT":"` + hash + `"}`,
	} {
		if _, err := verify.ParseClaims([]byte(change(t, payload, "cnf", cnf))); !errors.Is(err, verify.ErrBound) {
			t.Errorf("%s: %v", cnf, err)
		}
	}
}

// Plain payloads are read in one pass, and as ParseClaims reads them.
func TestParseFlat(t *testing.T) {
	t.Parallel()
	for _, doc := range plainPayloads(t) {
		want, err := verify.ParseClaims([]byte(doc))
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := verify.ParseFlat(doc); !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %+v", doc, ok, got)
		}
	}
}

// Each pair of bytes in each place: a string goes on over printable ASCII but backslashes,
// to the first quotation mark.
func TestFlatText(t *testing.T) {
	t.Parallel()
	check := func(doc string) {
		t.Helper()
		want, wantEnd := "", 0
		for i := 1; i < len(doc) && doc[i] >= ' ' && doc[i] < 0x7F && doc[i] != '\\'; i++ {
			if doc[i] == '"' {
				want, wantEnd = doc[1:i], i+1
				break
			}
		}
		if got, end := verify.FlatText(doc); got != want || end != wantEnd {
			t.Fatalf("%q: %q, %d, want %q, %d", doc, got, end, want, wantEnd)
		}
	}
	for length := range 20 {
		doc := []byte(`"` + strings.Repeat("a", length) + `"`)
		check(string(doc))
		check(string(doc[:length+1]))
		for i := 1; i < length; i++ {
			for pair := range 1 << 16 {
				doc[i], doc[i+1] = byte(pair>>8), byte(pair)
				check(string(doc))
			}
			doc[i], doc[i+1] = 'a', 'a'
		}
	}
	if got, end := verify.FlatText("a"); got != "" || end != 0 {
		t.Errorf("without a mark: %q, %d", got, end)
	}
}

func plainPayloads(t testing.TB) []string {
	t.Helper()
	full := strings.Replace(payload, `{"a":1}`, `["a"],"more":"text","n":0,"m":20`, 1)
	docs := []string{full}
	for _, name := range []string{"nbf", "auth_time", "sid", "grant_id", "acr", "amr", "groups", "roles", "scope", "other", "more", "n"} {
		docs = append(docs, change(t, full, name, ""))
	}
	many := `["` + strings.Repeat(`x","`, 40) + `y"]`
	return append(docs, change(t, full, "groups", many), change(t, full, "roles", many), change(t, full, "scope", `"`+strings.Repeat("a ", 30)+`b"`))
}

func FuzzParseClaims(f *testing.F) {
	for _, seed := range []string{payload, `{}`, `{"exp":1e3}`, `{"aud":[]}`, strings.Replace(payload, `"u"`, `"\ud83d\ude00"`, 1)} {
		f.Add([]byte(seed))
	}
	for _, seed := range plainPayloads(f) {
		f.Add([]byte(seed))
	}
	for _, seed := range []string{"", "{", `{"`, `{"iss"`, `{"iss":`, `{"iss":"`, `{"exp":`, `{"exp":01`, `{"amr":[`, `{"amr":["a"`, `{"a":1,"a":1}`, `{"a":"\u0061"}`, `{"a":-1}`, `{} `} {
		f.Add([]byte(seed))
	}
	plain := plainPayloads(f)[0]
	for _, seed := range []string{
		change(f, plain, "exp", "1000"), plain[:len(plain)-1] + `,"more":"text"}`, plain[:len(plain)-1] + `,"exp":2000}`, plain[:len(plain)-1] + `,"amr":[]}`,
		change(f, plain, "exp", "253402300800"), change(f, plain, "sub", `""`), change(f, plain, "scope", `"a  b"`), plain + " ", plain + "x",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		c, err := verify.ParseClaims(doc)
		flat, isFlat := verify.ParseFlat(string(doc))
		if isFlat && (err != nil || !reflect.DeepEqual(flat, c)) {
			t.Fatalf("%q read as %+v in one pass, as %+v, %v with care", doc, flat, c, err)
		}
		if err != nil {
			return
		}
		// What is accepted reads the same elsewhere.
		var m map[string]any
		if err := json.Unmarshal(doc, &m); err != nil {
			t.Fatal(err)
		}
		if m["sub"] != c.Subject || m["aud"] != c.Audience || m["jti"] != c.ID || m["exp"] != float64(c.ExpiresAt.Unix()) {
			t.Errorf("%q read as %+v", doc, c)
		}
	})
}
