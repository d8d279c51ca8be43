package jose_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/signet-id/signet/verify/jose"
)

// JOS-20: no input makes a parser panic.

func FuzzVerify(f *testing.F) {
	var keys []*jose.Key
	signed := map[string]jose.Algorithm{}
	for _, alg := range jose.Algorithms() {
		s := newSigner(f, alg, string(alg))
		token, err := s.Sign("at+jwt", []byte(payload))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(token)
		keys, signed[token] = append(keys, s.Key()), alg
	}
	set, private := edSet(f)
	set = newSet(f, append(keys, set.Keys()...)...)
	good := handmade(f, private, `{"alg":"EdDSA","typ":"at+jwt","kid":"k"}`, payload)
	signed[good] = jose.EdDSA
	for _, seed := range []string{good, "", "..", "a.b.c", good[:len(good)-1], good + ".", strings.ToUpper(good), "eyJhbGciOiJub25lIn0.e30."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		got, _, err := set.Verify(token, "at+jwt")
		if err == nil && signed[token] == "" && !twin(token, signed) { // the fuzzer cannot sign
			t.Errorf("accepted %q with payload %q", token, got)
		}
	})
}

// FuzzVerifyPublished begins with tokens that are good in each of the fuzzer's processes,
// whose keys of their own differ: those of RFC 7520 §4.
func FuzzVerifyPublished(f *testing.F) {
	signed, sets := map[string]jose.Algorithm{}, []*jose.KeySet{}
	for _, v := range vectors(f) {
		if !strings.HasPrefix(v.Source, "RFC 7520") || v.symmetric() {
			continue
		}
		set, err := jose.ParseKeySet([]byte(`{"keys":[` + with(f, string(v.Key), "alg", `"`+string(v.Alg)+`"`) + `]}`))
		if err != nil {
			f.Fatal(err)
		}
		if _, _, err := set.Verify(v.Token, ""); err != nil {
			f.Fatal(err)
		}
		sets, signed[v.Token] = append(sets, set), v.Alg
		f.Add(v.Token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		for _, set := range sets {
			if got, _, err := set.Verify(token, ""); err == nil && signed[token] == "" && !twin(token, signed) {
				t.Errorf("accepted %q with payload %q", token, got)
			}
		}
	})
}

// twin reports an ECDSA token that differs in nothing but its signature: r, n - s is one, too.
func twin(token string, signed map[string]jose.Algorithm) bool {
	dot := strings.LastIndex(token, ".")
	for other, alg := range signed {
		if strings.HasPrefix(string(alg), "ES") && strings.HasPrefix(other, token[:dot+1]) {
			return true
		}
	}
	return false
}

// FuzzVerifySecret: the same for MACs, which have no twins.
func FuzzVerifySecret(f *testing.F) {
	signed := map[string]bool{}
	var secrets []*jose.Secret
	for alg, size := range secretSizes {
		s := newSecret(f, alg, string(alg), bytes.Repeat([]byte{1}, size))
		token, err := s.Sign("t", []byte(payload))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(token)
		f.Add(token[:len(token)-4])
		secrets, signed[token] = append(secrets, s), true
	}
	set := newSecretSet(f, secrets...)
	f.Fuzz(func(t *testing.T, token string) {
		if got, _, err := set.Verify(token, "t"); err == nil && !signed[token] {
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
	for _, key := range []string{
		edKey, ecKey, rsaKey, ecJWK(f, jose.ES384), ecJWK(f, jose.ES512), with(f, rsaKey, "alg", `"PS512"`),
		with(f, edKey, "key_ops", `["verify"]`), with(f, rsaKey, "x5c", `["AAAA"]`), string(readFile(f, "testdata/rfc7517_b.json")),
		`{"kty":"AKP"}`, `{"kty":"AKP","alg":"ML-DSA-44","pub":"AAAA","kid":"pq","use":"sig"}`, `{"kty":"oct","k":""}`,
	} {
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

// FuzzParseSecretSet: no document is both a set of public keys and one of secrets.
func FuzzParseSecretSet(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add([]byte(`{"keys":[` + v.ready(f, "k") + `]}`))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		if _, err := jose.ParseSecretSet(doc); err != nil {
			return
		}
		if _, err := jose.ParseKeySet(doc); err == nil {
			t.Errorf("public as well: %q", doc)
		}
	})
}
