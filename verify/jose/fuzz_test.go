package jose_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/signet-id/signet/verify/jose"
)

// JOS-20: no input makes a parser panic.

func FuzzVerify(f *testing.F) {
	set, private := edSet(f)
	good := handmade(f, private, `{"alg":"EdDSA","typ":"at+jwt","kid":"k"}`, payload)
	for _, seed := range []string{good, "", "..", "a.b.c", good[:len(good)-1], good + ".", strings.ToUpper(good), "eyJhbGciOiJub25lIn0.e30."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		got, _, err := set.Verify(token, "at+jwt")
		if err == nil && token != good { // the fuzzer cannot sign
			t.Errorf("accepted %q with payload %q", token, got)
		}
	})
}

func FuzzCheckObject(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":[1,-0.5e3,"\ud83d\ude00",null,true,false,{}]}`, `{"a":1,"a":2}`, `{"a":"\ud800"}`, "{\"\xff\":1}", `{"a":1e999}`, `[`, `{"a":{"b":{"c":[]}}} `} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if jose.CheckObject(data) != nil {
			return
		}
		// What passes here is understood by the standard library, and in the same way.
		var m map[string]any
		if err := json.Unmarshal(data, &m); err != nil {
			t.Fatalf("%q: accepted, but %v", data, err)
		}
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if err := jose.CheckObject(again); err != nil {
			t.Errorf("%q: written again as %q: %v", data, again, err)
		}
	})
}

func FuzzParseKeySet(f *testing.F) {
	for _, key := range []string{edKey, ecKey, rsaKey, `{"kty":"AKP"}`, `{"kty":"oct","k":""}`} {
		f.Add([]byte(`{"keys":[` + key + `]}`))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		set, err := jose.ParseKeySet(doc)
		if err != nil {
			return
		}
		again, err := json.Marshal(set)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := jose.ParseKeySet(again); err != nil {
			t.Errorf("own output: %v: %s", err, again)
		}
	})
}
