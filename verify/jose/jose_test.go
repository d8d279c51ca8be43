package jose_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/signet-id/signet/verify/jose"
)

// TestCheckObject is the corpus of JOS-09; fuzzing goes on from there.
func TestCheckObject(t *testing.T) {
	t.Parallel()
	nested := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }
	many := func(last string) string {
		var b strings.Builder
		b.WriteString("{")
		for i := range 60 {
			b.WriteString(`"m` + strconv.Itoa(i) + `":0,`)
		}
		return b.String() + `"` + last + `":0}`
	}
	for _, good := range []string{
		`{}`, " \t\r\n{ } \n", `{"a":1}`, `{"a":-0.5e-3,"b":[],"c":[1,{"a":null}],"A":true,"d":false}`,
		`{"a":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"}`, `{"":0}`, nested(32), many("new"), `{"a":123456789012345678901234567890}`,
	} {
		if err := jose.CheckObject([]byte(good)); err != nil {
			t.Errorf("%.60s: %v", good, err)
		}
	}
	for name, bad := range map[string]string{
		"empty": ``, "blank": ` `, "null": `null`, "number": `1`, "string": `"a"`, "list": `[]`, "BOM": "\ufeff{}",
		"trailing object": `{}{}`, "trailing comma": `{"a":1,}`, "trailing NUL": "{}\x00", "trailing bracket": `{}]`,
		"comment": `{/**/}`, "unquoted": `{a:1}`, "single quotes": `{'a':1}`, "no colon": `{"a" 1}`, "no value": `{"a":}`, "open": `{"a":1`,
		"NaN": `{"a":NaN}`, "Infinity": `{"a":Infinity}`, "1e400": `{"a":1e400}`, "-1e400": `{"a":-1e400}`, "long number": `{"a":1` + strings.Repeat("0", 400) + `}`,
		"leading zero": `{"a":01}`, "plus": `{"a":+1}`, "hex": `{"a":0x1}`, "dot": `{"a":1.}`, "dot first": `{"a":.1}`, "exponent": `{"a":1e}`, "minus": `{"a":-}`,
		"bad UTF-8": "{\"a\":\"\xff\"}", "overlong": "{\"a\":\"\xc0\x80\"}", "UTF-8 surrogate": "{\"a\":\"\xed\xa0\x80\"}", "bad UTF-8 in name": "{\"\xff\":1}",
		"high surrogate": `{"a":"\ud800"}`, "low surrogate": `{"a":"\udc00"}`, "two high": `{"a":"\ud800\ud800"}`, "high and letter": `{"a":"\ud800x"}`, "surrogate in name": `{"\ud800":1}`,
		"control": "{\"a\":\"\n\"}", "escape": `{"a":"\x"}`, "short escape": `{"a":"\u12"}`, "escape at end": `{"a":"\`, "open escape": `{"a":"\u`,
		"twice": `{"a":1,"a":1}`, "twice escaped": `{"a":1,"\u0061":1}`, "twice inside": `{"b":[{"a":1,"a":1}]}`, "twice of many": many("m3"),
		"too deep": nested(33), "very deep": strings.Repeat(`{"a":`, 1_000_000), "deep lists": `{"a":` + strings.Repeat("[", 1_000_000),
		"True": `{"a":True}`, "tru": `{"a":tru}`, "two values": `{"a":1 2}`, "list comma": `{"a":[1,]}`, "list open": `{"a":[1`,
	} {
		if err := jose.CheckObject([]byte(bad)); err == nil {
			t.Errorf("%s: accepted: %.60s", name, bad)
		}
	}
}
