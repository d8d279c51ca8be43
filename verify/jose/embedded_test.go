package jose_test

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/signet-id/signet/verify/jose"
)

// The proofs that RFC 9449 prints, §4.1 figure 2 and §7.1 figure 13, and the thumbprint
// of their key, §6.1.
const (
	rfc9449Header = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6Ik" +
		"VDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCR" +
		"nMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JE" +
		"QSIsImNydiI6IlAtMjU2In19"
	rfc9449Token = rfc9449Header + ".eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIj" +
		"oiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwia" +
		"WF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg" +
		"4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
	rfc9449Resource = rfc9449Header + ".eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIj" +
		"oiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0Z" +
		"WRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNF" +
		"c05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71E" +
		"OptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
	rfc9449Thumbprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
)

const proofType = "dpop+jwt"

func TestVerifyEmbedded_RFC9449_Vectors(t *testing.T) {
	t.Parallel()
	for token, want := range map[string]string{
		rfc9449Token:    `{"jti":"-BwC3ESc6acc2lTc","htm":"POST","htu":"https://server.example.com/token","iat":1562262616}`,
		rfc9449Resource: `{"jti":"e1j3V_bKic8-LAEB","htm":"GET","htu":"https://resource.example.org/protectedresource","iat":1562262618,"ath":"fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"}`,
	} {
		got, key, err := jose.VerifyEmbedded(token, proofType, nil)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want || key.ID() != rfc9449Thumbprint || key.Algorithm() != jose.ES256 {
			t.Errorf("%s of %s with %s", got, key.ID(), key.Algorithm())
		}
		if _, _, err := jose.VerifyEmbedded(token[:len(token)-2]+"AA", proofType, nil); !errors.Is(err, jose.ErrSignature) {
			t.Errorf("changed: %v", err)
		}
	}
}

func TestVerifyEmbedded_EveryAlgorithm(t *testing.T) {
	t.Parallel()
	for _, alg := range jose.Algorithms() {
		s := newSigner(t, alg, "k")
		token, err := s.SignEmbedded(proofType, []byte(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		thumbprint, err := jose.Thumbprint(s.Key().Public())
		if err != nil {
			t.Fatal(err)
		}
		_, key, err := jose.VerifyEmbedded(token, proofType, []jose.Algorithm{alg})
		if err != nil || key.ID() != thumbprint || key.Algorithm() != alg {
			t.Errorf("%s: %v", alg, err)
		}
		for _, other := range jose.Algorithms() {
			if other == alg {
				continue
			}
			if _, _, err := jose.VerifyEmbedded(token, proofType, []jose.Algorithm{other}); !errors.Is(err, jose.ErrAlgorithm) {
				t.Errorf("%s where %s is allowed: %v", alg, other, err)
			}
		}
	}
}

// RFC 9449 §4.3 steps 4 to 7; RFC 7515 §4.1.11.
func TestVerifyEmbedded_TOK14_Refuses(t *testing.T) {
	t.Parallel()
	private := private(t, jose.EdDSA).(ed25519.PrivateKey)
	x := b64.EncodeToString(private.Public().(ed25519.PublicKey))
	const start = `{"typ":"dpop+jwt","alg":"EdDSA"`
	bare := `"kty":"OKP","crv":"Ed25519","x":"` + x + `"`
	good := start + `,"jwk":{` + bare + `}}`
	for name, header := range map[string]string{
		"plain":             good,
		"alg Ed25519":       strings.Replace(good, "EdDSA", "Ed25519", 1),
		"alg in the jwk":    start + `,"jwk":{"alg":"Ed25519",` + bare + `}}`,
		"use and key_ops":   start + `,"jwk":{"use":"sig","key_ops":["verify"],` + bare + `}}`,
		"kid, x5c, unknown": start + `,"kid":"","x5c":1,"new":{},"jwk":{"kid":"x","new":1,` + bare + `}}`,
	} {
		if _, _, err := jose.VerifyEmbedded(handmade(t, private, header, `{}`), proofType, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, tc := range map[string]struct {
		header string
		want   error
	}{
		"no typ":             {`{"alg":"EdDSA","jwk":{` + bare + `}}`, jose.ErrType},
		"typ in capitals":    {strings.Replace(good, "dpop+jwt", "DPoP+jwt", 1), jose.ErrType},
		"typ of a token":     {strings.Replace(good, "dpop+jwt", "at+jwt", 1), jose.ErrType},
		"no alg":             {`{"typ":"dpop+jwt","jwk":{` + bare + `}}`, jose.ErrAlgorithm},
		"alg none":           {strings.Replace(good, "EdDSA", "none", 1), jose.ErrAlgorithm},
		"alg HS256":          {strings.Replace(good, "EdDSA", "HS256", 1), jose.ErrAlgorithm},
		"alg of other keys":  {strings.Replace(good, "EdDSA", "ES256", 1), jose.ErrMalformed},
		"other alg in jwk":   {start + `,"jwk":{"alg":"ES256",` + bare + `}}`, jose.ErrMalformed},
		"no jwk":             {start + `}`, jose.ErrMalformed},
		"kid only":           {start + `,"kid":"k"}`, jose.ErrMalformed},
		"jwk twice":          {start + `,"jwk":{` + bare + `},"jwk":{` + bare + `}}`, jose.ErrMalformed},
		"jwk text":           {start + `,"jwk":"` + x + `"}`, jose.ErrMalformed},
		"jwk list":           {start + `,"jwk":[{` + bare + `}]}`, jose.ErrMalformed},
		"jwk empty":          {start + `,"jwk":{}}`, jose.ErrMalformed},
		"private d":          {start + `,"jwk":{"d":"AA",` + bare + `}}`, jose.ErrMalformed},
		"private d escaped":  {start + `,"jwk":{"\u0064":"AA",` + bare + `}}`, jose.ErrMalformed},
		"private null":       {start + `,"jwk":{"d":null,` + bare + `}}`, jose.ErrMalformed},
		"symmetric member":   {start + `,"jwk":{"k":"AA",` + bare + `}}`, jose.ErrMalformed},
		"symmetric":          {start + `,"jwk":{"kty":"oct","k":"AA"}}`, jose.ErrMalformed},
		"for encryption":     {start + `,"jwk":{"use":"enc",` + bare + `}}`, jose.ErrMalformed},
		"not for verifying":  {start + `,"jwk":{"key_ops":["sign"],` + bare + `}}`, jose.ErrMalformed},
		"x twice":            {start + `,"jwk":{"x":"` + x + `",` + bare + `}}`, jose.ErrMalformed},
		"x with padding":     {start + `,"jwk":{"kty":"OKP","crv":"Ed25519","x":"` + x + `="}}`, jose.ErrMalformed},
		"crv of another kty": {start + `,"jwk":{"kty":"OKP","crv":"P-256","x":"` + x + `"}}`, jose.ErrMalformed},
		"crit":               {start + `,"crit":["b64"],"jwk":{` + bare + `}}`, jose.ErrMalformed},
		"crit empty":         {start + `,"crit":[],"jwk":{` + bare + `}}`, jose.ErrMalformed},
		"b64":                {start + `,"b64":false,"jwk":{` + bare + `}}`, jose.ErrMalformed},
		"zip":                {start + `,"zip":"DEF","jwk":{` + bare + `}}`, jose.ErrMalformed},
		"RSA of 1024 bits":   {`{"typ":"dpop+jwt","alg":"RS256","jwk":{"kty":"RSA","e":"AQAB","n":"` + strings.Repeat("z", 170) + `w"}}`, jose.ErrMalformed},
		"not an object":      {`[]`, jose.ErrMalformed},
	} {
		if _, _, err := jose.VerifyEmbedded(handmade(t, private, tc.header, `{}`), proofType, nil); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
	token := handmade(t, private, good, `{}`)
	for name, bad := range map[string]string{
		"empty": "", "two parts": token[:strings.LastIndexByte(token, '.')], "four parts": token + ".a", "padding": token + "=",
		"no signature": token[:strings.LastIndexByte(token, '.')+1], "blank": token + " ", "header alone": "a.b.c",
		"header in the other alphabet": "+" + token[1:], "payload": replacePart(token, 1, func(string) string { return "e3=" }),
		"too long": token + strings.Repeat("A", 16<<10), "long header": strings.Repeat("A", 8<<10) + ".AA.AA",
	} {
		if _, _, err := jose.VerifyEmbedded(bad, proofType, nil); !errors.Is(err, jose.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	other := newSigner(t, jose.EdDSA, "k")
	foreign, err := other.SignEmbedded(proofType, []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	mixed := replacePart(token, 2, func(string) string { return strings.Split(foreign, ".")[2] })
	if _, _, err := jose.VerifyEmbedded(mixed, proofType, nil); !errors.Is(err, jose.ErrSignature) {
		t.Errorf("signature of another key: %v", err)
	}
	// JOS-04: elsewhere a key inside a token is no key.
	set, _ := edSet(t)
	if _, _, err := set.Verify(token, proofType); err == nil {
		t.Error("a set took the key of the token")
	}
}

// The key is compared before anything is computed with it.
func TestVerifyEmbeddedBy_TOK14_OneKey(t *testing.T) {
	t.Parallel()
	for _, alg := range jose.Algorithms() {
		s := newSigner(t, alg, "k")
		token, err := s.SignEmbedded(proofType, []byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		thumbprint, err := jose.Thumbprint(s.Key().Public())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := jose.VerifyEmbeddedBy(thumbprint, token, proofType, nil); err != nil || string(got) != payload {
			t.Errorf("%s: %q %v", alg, got, err)
		}
		unsigned := token[:strings.LastIndexByte(token, '.')] + ".AAAA"
		if _, err := jose.VerifyEmbeddedBy(thumbprint, unsigned, proofType, nil); !errors.Is(err, jose.ErrSignature) {
			t.Errorf("%s: no signature: %v", alg, err)
		}
		for _, other := range []string{"", "k", "-", thumbprint[1:], thumbprint + "A", strings.ToUpper(thumbprint)} {
			for _, token := range []string{token, unsigned} {
				if got, err := jose.VerifyEmbeddedBy(other, token, proofType, nil); !errors.Is(err, jose.ErrUnknownKey) || got != nil {
					t.Errorf("%s by %q: %q %v", alg, other, got, err)
				}
			}
		}
	}
}

// JOS-20: no input makes the parser panic, and what is accepted names its key.
func FuzzVerifyEmbedded(f *testing.F) {
	ours, err := newSigner(f, jose.ES256, "k").SignEmbedded(proofType, []byte(`{"jti":"1"}`))
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{ours, rfc9449Token, rfc9449Resource, "", "..", ours[1:], "eyJhbGciOiJub25lIn0.e30."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		payload, key, err := jose.VerifyEmbedded(token, proofType, nil)
		if err != nil {
			return
		}
		if len(key.ID()) != 43 || len(payload) == 0 {
			t.Errorf("accepted %q", token)
		}
		if _, err := json.Marshal(key); err != nil {
			t.Error(err)
		}
	})
}
