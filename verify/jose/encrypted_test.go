package jose_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/signet-id/signet/verify/jose"
)

// JOS-14 to JOS-18: nothing is decrypted or decompressed here, so whatever an encrypted
// token asks for is refused by its shape, all with one error and before its header is
// read. A signed token that claims to be encrypted or compressed is refused as well.
func TestVerify_JOS14_RefusesEncrypted(t *testing.T) {
	t.Parallel()
	set, private := edSet(t)
	var texts []string
	for _, header := range []string{
		`{"alg":"RSA1_5","enc":"A128CBC-HS256","kid":"k"}`,
		`{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"k","cty":"JWT"}`,
		`{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2s":"AAAAAAAAAAA","p2c":2147483648,"kid":"k"}`,
		`{"alg":"dir","enc":"A256GCM","zip":"DEF","kid":"k"}`,
		`{"alg":"ECDH-ES","enc":"A128GCM","kid":"k","epk":{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}}`,
		`{"alg":"ECDH-ES","enc":"A128GCM","kid":"k","epk":{"kty":"OKP","crv":"X25519","x":"` + strings.Repeat("A", 43) + `"}}`,
	} {
		jwe := b64.EncodeToString([]byte(header)) + ".AAAA.AAAA.AAAA.AAAA"
		for _, token := range []string{jwe, strings.Replace(jwe, ".AAAA", ".", 1), "!" + jwe} {
			_, _, err := set.Verify(token, "at+jwt")
			if !errors.Is(err, jose.ErrMalformed) {
				t.Errorf("%s: %v", header, err)
			}
			texts = append(texts, err.Error())
		}
		signed := handmade(t, private, strings.Replace(header, `{`, `{"typ":"at+jwt",`, 1), `{}`)
		if _, _, err := set.Verify(signed, "at+jwt"); !errors.Is(err, jose.ErrMalformed) {
			t.Errorf("signed: %s: %v", header, err)
		}
	}
	for _, text := range texts {
		if text != "malformed token: not three parts" {
			t.Error(text)
		}
	}
}
