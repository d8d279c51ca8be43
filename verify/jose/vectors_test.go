package jose_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/signet-id/signet/verify/jose"
)

// vector is a published key with a token that it signed.
type vector struct {
	Source  string          // RFC and section
	Alg     jose.Algorithm  // the key says it nowhere
	Key     json.RawMessage // as published, without private members
	Token   string
	Payload string // decoded; "" if it is not looked at
}

func vectors(t testing.TB) (list []vector) {
	t.Helper()
	if err := json.Unmarshal(readFile(t, "testdata/vectors.json"), &list); err != nil || len(list) != 9 {
		t.Fatal(err, len(list))
	}
	return list
}

// ready gives a published key the members that this package asks for.
func (v vector) ready(t testing.TB, kid string) string {
	t.Helper()
	key := with(t, with(t, string(v.Key), "alg", `"`+string(v.Alg)+`"`), "use", `"sig"`)
	return with(t, key, "kid", `"`+kid+`"`)
}

func (v vector) symmetric() bool { return strings.HasPrefix(string(v.Alg), "HS") }

// Each signature is right, each changed one is wrong: RFC 7515 appendix A, RFC 7520 §4,
// RFC 8037 appendix A.
func TestVectors_Signatures(t *testing.T) {
	t.Parallel()
	for _, v := range vectors(t) {
		t.Run(v.Source, func(t *testing.T) {
			t.Parallel()
			dot := strings.LastIndex(v.Token, ".")
			signed, signature := []byte(v.Token[:dot]), decode(t, v.Token[dot+1:])
			verify := func(signed, signature []byte) bool {
				if v.symmetric() {
					set, err := jose.ParseSecretSet([]byte(`{"keys":[` + v.ready(t, "k") + `]}`))
					if err != nil {
						t.Fatal(err)
					}
					return jose.VerifyRawSecret(set, "k", signed, signature)
				}
				k, err := jose.ParseKey([]byte(v.ready(t, "k")))
				if err != nil {
					t.Fatal(err)
				}
				return jose.VerifyRaw(k, signed, signature)
			}
			if !verify(signed, signature) {
				t.Error("refused")
			}
			for i := range signature {
				signature[i] ^= 1
				if i%16 == 0 && verify(signed, signature) {
					t.Errorf("accepted with another bit in byte %d", i)
				}
				signature[i] ^= 1
			}
			signed[len(signed)-1] ^= 1
			if verify(signed, signature) {
				t.Error("accepted for another payload")
			}
		})
	}
}

// What the whole API says of the published tokens: those of RFC 7520 name their key and
// have no type; those of RFC 7515 and RFC 8037 name no key, and are refused for that.
func TestVectors_Tokens(t *testing.T) {
	t.Parallel()
	for _, v := range vectors(t) {
		kid := "k"
		if strings.HasPrefix(v.Source, "RFC 7520") {
			var named struct{ Kid string }
			if err := json.Unmarshal(v.Key, &named); err != nil {
				t.Fatal(err)
			}
			kid = named.Kid
		}
		set := []byte(`{"keys":[` + v.ready(t, kid) + `]}`)
		verify := func(typ string) (payload []byte, err error) {
			if v.symmetric() {
				s, err := jose.ParseSecretSet(set)
				if err != nil {
					t.Fatal(v.Source, err)
				}
				payload, _, err = s.Verify(v.Token, typ)
				return payload, err
			}
			s, err := jose.ParseKeySet(set)
			if err != nil {
				t.Fatal(v.Source, err)
			}
			payload, _, err = s.Verify(v.Token, typ)
			return payload, err
		}
		typ := "" // the same as none
		if v.Source == "RFC 7515 A.1" {
			typ = "JWT"
		}
		payload, err := verify(typ)
		if kid == "k" {
			if !errors.Is(err, jose.ErrMalformed) || !strings.Contains(err.Error(), "no kid") {
				t.Errorf("%s: names no key: %v", v.Source, err)
			}
			continue
		}
		if err != nil || string(payload) != v.Payload {
			t.Errorf("%s: %q, %v", v.Source, payload, err)
		}
		if _, err := verify("at+jwt"); !errors.Is(err, jose.ErrType) {
			t.Errorf("%s: has no type: %v", v.Source, err)
		}
	}
}

// RFC 7515 A.5 (unsecured) and RFC 7520 §4.4 to §4.6 (JSON, detached, unprotected).
func TestVectors_RefusesOtherForms(t *testing.T) {
	t.Parallel()
	const header, mac = "eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9", "s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0"
	secrets, err := jose.ParseSecretSet([]byte(`{"keys":[{"kty":"oct","kid":"018c0ae5-4d9b-471b-bfd6-eef314bc7037","use":"sig","alg":"HS256","k":"hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	keys, _ := edSet(t)
	for name, token := range map[string]string{
		"A.5, unsecured":  "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.",
		"4.4, general":    `{"payload":"SXTigJlz","signatures":[{"protected":"` + header + `","signature":"` + mac + `"}]}`,
		"4.4, flattened":  `{"payload":"SXTigJlz","protected":"` + header + `","signature":"` + mac + `"}`,
		"4.5, detached":   header + ".." + mac,
		"4.5, general":    `{"signatures":[{"protected":"` + header + `","signature":"` + mac + `"}]}`,
		"4.6, some in it": `{"payload":"SXTigJlz","protected":"eyJhbGciOiJIUzI1NiJ9","header":{"kid":"018c0ae5-4d9b-471b-bfd6-eef314bc7037"},"signature":"bWUSVaxorn7bEF1djytBd0kHv70Ly5pvbomzMWSOr20"}`,
		"4.7, none in it": `{"payload":"SXTigJlz","header":{"alg":"HS256","kid":"018c0ae5-4d9b-471b-bfd6-eef314bc7037"},"signature":"xuLifqLGiblpv9zBpuZczWhNj1gARaLV3UxvxhJxZuk"}`,
	} {
		if _, _, err := secrets.Verify(token, ""); !errors.Is(err, jose.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
		if _, _, err := keys.Verify(token, ""); !errors.Is(err, jose.ErrMalformed) {
			t.Errorf("%s, with public keys: %v", name, err)
		}
	}
}

const (
	rfc7517EC = `{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"enc","kid":"1"}`
	rfc7517D  = "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"
	rfc7517RS = `{"kty":"RSA","n":"` + rsaN + `","e":"AQAB","alg":"RS256","kid":"2011-04-29"}`
)

// RFC 7517 A.1: a key for encryption, and one that does not say what it is for.
func TestVectors_RFC7517_A_1_PublicKeys(t *testing.T) {
	t.Parallel()
	if _, err := jose.ParseKeySet([]byte(`{"keys":[` + rfc7517EC + `,` + rfc7517RS + `]}`)); !errors.Is(err, jose.ErrKey) {
		t.Errorf("as published: %v", err)
	}
	ec, rs := with(t, with(t, rfc7517EC, "use", `"sig"`), "alg", `"ES256"`), with(t, rfc7517RS, "use", `"sig"`)
	set, err := jose.ParseKeySet([]byte(`{"keys":[` + ec + `,` + rs + `]}`))
	if err != nil || len(set.Keys()) != 2 {
		t.Errorf("with a purpose: %v", err)
	}
}

// RFC 7517 A.2: the same keys with their private halves, which nobody may publish.
func TestVectors_RFC7517_A_2_PrivateKeys(t *testing.T) {
	t.Parallel()
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), decode(t, rfc7517D))
	if err != nil {
		t.Fatal(err)
	}
	ec := with(t, with(t, rfc7517EC, "use", `"sig"`), "alg", `"ES256"`)
	k, err := jose.ParseKey([]byte(ec))
	if err != nil || !private.PublicKey.Equal(k.Public()) {
		t.Fatal("d is not of this key", err)
	}
	for _, bad := range []string{with(t, ec, "d", `"`+rfc7517D+`"`), with(t, with(t, rfc7517RS, "use", `"sig"`), "d", `"AAAA"`)} {
		if _, err := jose.ParseKeySet([]byte(`{"keys":[` + bad + `]}`)); !errors.Is(err, jose.ErrKey) || !strings.Contains(err.Error(), "private") {
			t.Errorf("%v", err)
		}
	}
}

// RFC 7517 A.3: symmetric keys; the second one is that of RFC 7515 A.1.
func TestVectors_RFC7517_A_3_SymmetricKeys(t *testing.T) {
	t.Parallel()
	const wrap = `{"kty":"oct","alg":"A128KW","k":"GawgguFyGrWKav7AX4VKUg"}`
	const mac = `{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow","kid":"HMAC key used in JWS spec Appendix A.1 example"}`
	published := []byte(`{"keys":[` + wrap + `,` + mac + `]}`)
	if _, err := jose.ParseKeySet(published); !errors.Is(err, jose.ErrKey) {
		t.Errorf("as public keys: %v", err)
	}
	if _, err := jose.ParseSecretSet(published); !errors.Is(err, jose.ErrKey) {
		t.Errorf("without a purpose: %v", err)
	}
	ready := with(t, with(t, mac, "alg", `"HS256"`), "use", `"sig"`)
	if _, err := jose.ParseSecretSet([]byte(`{"keys":[` + wrap + `,` + ready + `]}`)); err != nil {
		t.Errorf("with a purpose: %v", err)
	}
}

// RFC 7517 appendix B: a certificate beside the key. It is not looked at (§4.7), so that
// it can neither replace the key nor break the set.
func TestVectors_RFC7517_B_CertificateIsIgnored(t *testing.T) {
	t.Parallel()
	src := readFile(t, "testdata/rfc7517_b.json")
	published := string(src)
	if _, err := jose.ParseKey(src); !errors.Is(err, jose.ErrKey) {
		t.Errorf("without alg: %v", err)
	}
	k, err := jose.ParseKey([]byte(with(t, published, "alg", `"RS256"`)))
	if err != nil {
		t.Fatal(err)
	}
	var chain struct{ X5c []string }
	if err := json.Unmarshal(src, &chain); err != nil {
		t.Fatal(err)
	}
	der, err := base64.StdEncoding.DecodeString(chain.X5c[0])
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil || !certificate.PublicKey.(*rsa.PublicKey).Equal(k.Public()) {
		t.Errorf("the example's certificate is of another key: %v", err)
	}
	other := with(t, with(t, rsaKey, "x5c", `["`+chain.X5c[0]+`"]`), "x5t", `1`)
	if k, err = jose.ParseKey([]byte(other)); err != nil || certificate.PublicKey.(*rsa.PublicKey).Equal(k.Public()) {
		t.Errorf("another key beside the certificate: %v", err)
	}
}

// RFC 8037 A.1 to A.4: the private key signs exactly the published token.
func TestVectors_RFC8037_A_PrivateKey(t *testing.T) {
	t.Parallel()
	private := ed25519.NewKeyFromSeed(decode(t, "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"))
	if got := b64.EncodeToString(private.Public().(ed25519.PublicKey)); got != edX {
		t.Errorf("public key %s", got)
	}
	for _, v := range vectors(t) {
		if v.Source != "RFC 8037 A.4" {
			continue
		}
		dot := strings.LastIndex(v.Token, ".")
		if got := b64.EncodeToString(ed25519.Sign(private, []byte(v.Token[:dot]))); got != v.Token[dot+1:] {
			t.Errorf("signature %s", got)
		}
	}
}

// RFC 9068 §3, figure 2 spells the type "at+JWT". Ours is "at+jwt" and compared byte for
// byte: who verifies such tokens says so.
func TestVectors_RFC9068_3_Header(t *testing.T) {
	t.Parallel()
	s := newSigner(t, jose.RS256, "RjEwOwOA")
	claims := []byte(`{"iss":"https://authorization-server.example.com/","sub":"5ba552d67","aud":"https://rs.example.com/","exp":1639528912,"iat":1618354090,"jti":"dbe39bf3a3ba4238a513f51d6e1691c4","client_id":"s6BhdRkqt3","scope":"openid profile reademail"}`)
	if err := jose.CheckObject(claims); err != nil {
		t.Fatal(err)
	}
	signed := b64.EncodeToString([]byte(`{"typ":"at+JWT","alg":"RS256","kid":"RjEwOwOA"}`)) + "." + b64.EncodeToString(claims)
	token := signed + "." + b64.EncodeToString(rs256(t, rsaPrivate(), signed))
	set := newSet(t, s.Key())
	if _, _, err := set.Verify(token, "at+jwt"); !errors.Is(err, jose.ErrType) {
		t.Errorf("in small letters: %v", err)
	}
	if payload, _, err := set.Verify(token, "at+JWT"); err != nil || string(payload) != string(claims) {
		t.Errorf("as published: %v", err)
	}
}
