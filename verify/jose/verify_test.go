package jose_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/signet-id/signet/verify/jose"
)

const payload = `{"sub":"u"}`

func TestVerify_Accepts(t *testing.T) {
	t.Parallel()
	for _, alg := range jose.Algorithms() {
		t.Run(string(alg), func(t *testing.T) {
			t.Parallel()
			s := newSigner(t, alg, "k1")
			set := newSet(t, newSigner(t, jose.EdDSA, "k0").Key(), s.Key())
			token, err := s.Sign("at+jwt", []byte(payload))
			if err != nil {
				t.Fatal(err)
			}
			got, key, err := set.Verify(token, "at+jwt")
			if err != nil || string(got) != payload || key.ID() != "k1" || key.Algorithm() != alg {
				t.Errorf("got %q, %v, %v", got, key, err)
			}
			if _, _, err := set.Verify(token, "JWT"); !errors.Is(err, jose.ErrType) {
				t.Errorf("other typ: %v", err)
			}
			other := replacePart(token, 1, func(string) string { return b64.EncodeToString([]byte(`{"sub":"v"}`)) })
			if _, _, err := set.Verify(other, "at+jwt"); !errors.Is(err, jose.ErrSignature) {
				t.Errorf("other payload: %v", err)
			}
		})
	}
}

// RFC 9864 §2.2: EdDSA and Ed25519 are two names of one algorithm for an Ed25519 key.
func TestVerify_RFC9864_BothNamesOfEd25519(t *testing.T) {
	t.Parallel()
	set, private := edSet(t)
	for _, alg := range []string{"EdDSA", "Ed25519"} {
		token := handmade(t, private, `{"alg":"`+alg+`","typ":"at+jwt","kid":"k"}`, payload)
		if _, _, err := set.Verify(token, "at+jwt"); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
	}
}

// JOS-01, JOS-02, JOS-06, JOS-07, JOS-08, JOS-09: every header is signed with the right
// key, so only the header can be the reason.
func TestVerify_RefusesHeaders(t *testing.T) {
	t.Parallel()
	set, private := edSet(t)
	good := `{"alg":"EdDSA","typ":"at+jwt","kid":"k"}`
	if _, _, err := set.Verify(handmade(t, private, good, payload), "at+jwt"); err != nil {
		t.Fatal("the good one:", err)
	}
	for _, tc := range []struct {
		name, header string
		want         error
	}{
		{"none", `{"alg":"none","typ":"at+jwt","kid":"k"}`, jose.ErrAlgorithm},
		{"None", `{"alg":"None","typ":"at+jwt","kid":"k"}`, jose.ErrAlgorithm},
		{"nOnE", `{"alg":"nOnE","typ":"at+jwt","kid":"k"}`, jose.ErrAlgorithm},
		{"empty alg", `{"alg":"","typ":"at+jwt","kid":"k"}`, jose.ErrAlgorithm},
		{"no alg", `{"typ":"at+jwt","kid":"k"}`, jose.ErrAlgorithm},
		{"none with another kid", `{"alg":"none","typ":"at+jwt","kid":"x"}`, jose.ErrAlgorithm},
		{"lower case alg", `{"alg":"eddsa","typ":"at+jwt","kid":"k"}`, jose.ErrAlgorithm},
		{"HS256", `{"alg":"HS256","typ":"at+jwt","kid":"k"}`, jose.ErrAlgorithm},
		{"ES256 for an Ed25519 key", `{"alg":"ES256","typ":"at+jwt","kid":"k"}`, jose.ErrAlgorithm},
		{"RS256 for an Ed25519 key", `{"alg":"RS256","typ":"at+jwt","kid":"k"}`, jose.ErrAlgorithm},
		{"alg no string", `{"alg":["EdDSA"],"typ":"at+jwt","kid":"k"}`, jose.ErrMalformed},
		{"no typ", `{"alg":"EdDSA","kid":"k"}`, jose.ErrType},
		{"typ JWT", `{"alg":"EdDSA","typ":"JWT","kid":"k"}`, jose.ErrType},
		{"typ in capitals", `{"alg":"EdDSA","typ":"AT+JWT","kid":"k"}`, jose.ErrType},
		{"typ with blank", `{"alg":"EdDSA","typ":"at+jwt ","kid":"k"}`, jose.ErrType},
		{"typ with prefix", `{"alg":"EdDSA","typ":"application/at+jwt","kid":"k"}`, jose.ErrType},
		{"no kid", `{"alg":"EdDSA","typ":"at+jwt"}`, jose.ErrMalformed},
		{"empty kid", `{"alg":"EdDSA","typ":"at+jwt","kid":""}`, jose.ErrMalformed},
		{"kid null", `{"alg":"EdDSA","typ":"at+jwt","kid":null}`, jose.ErrMalformed},
		{"kid number", `{"alg":"EdDSA","typ":"at+jwt","kid":1}`, jose.ErrMalformed},

		{"crit with unknown name", `{"alg":"EdDSA","typ":"at+jwt","kid":"k","crit":["x"],"x":1}`, jose.ErrMalformed},
		{"crit empty", `{"alg":"EdDSA","typ":"at+jwt","kid":"k","crit":[]}`, jose.ErrMalformed},
		{"crit no list", `{"alg":"EdDSA","typ":"at+jwt","kid":"k","crit":"x"}`, jose.ErrMalformed},
		{"crit null", `{"alg":"EdDSA","typ":"at+jwt","kid":"k","crit":null}`, jose.ErrMalformed},
		{"crit twice the same", `{"alg":"EdDSA","typ":"at+jwt","kid":"k","crit":["x","x"],"x":1}`, jose.ErrMalformed},
		{"crit registered name", `{"alg":"EdDSA","typ":"at+jwt","kid":"k","crit":["alg"]}`, jose.ErrMalformed},
		{"b64 false", `{"alg":"EdDSA","typ":"at+jwt","kid":"k","crit":["b64"],"b64":false}`, jose.ErrMalformed},
		{"b64 without crit", `{"alg":"EdDSA","typ":"at+jwt","kid":"k","b64":false}`, jose.ErrMalformed},
		{"zip", `{"alg":"EdDSA","typ":"at+jwt","kid":"k","zip":"DEF"}`, jose.ErrMalformed},
		{"enc", `{"alg":"EdDSA","typ":"at+jwt","kid":"k","enc":"A256GCM"}`, jose.ErrMalformed},

		{"alg twice", `{"alg":"none","alg":"EdDSA","typ":"at+jwt","kid":"k"}`, jose.ErrMalformed},
		{"alg twice, the other way", `{"alg":"EdDSA","typ":"at+jwt","kid":"k","alg":"none"}`, jose.ErrMalformed},
		{"alg twice, one escaped", `{"alg":"EdDSA","\u0061lg":"EdDSA","typ":"at+jwt","kid":"k"}`, jose.ErrMalformed},
		{"kid twice", `{"alg":"EdDSA","typ":"at+jwt","kid":"k","kid":"k"}`, jose.ErrMalformed},
		{"twice inside", `{"alg":"EdDSA","typ":"at+jwt","kid":"k","x":{"y":1,"y":2}}`, jose.ErrMalformed},
		{"ALG alone", `{"ALG":"EdDSA","typ":"at+jwt","kid":"k"}`, jose.ErrAlgorithm},
		{"Typ alone", `{"alg":"EdDSA","Typ":"at+jwt","kid":"k"}`, jose.ErrType},
		{"kid with the Kelvin sign", `{"alg":"EdDSA","typ":"at+jwt","Kid":"k"}`, jose.ErrMalformed},

		{"trailing bytes", good + `x`, jose.ErrMalformed},
		{"two objects", good + good, jose.ErrMalformed},
		{"BOM", "\ufeff" + good, jose.ErrMalformed},
		{"bad UTF-8", `{"alg":"EdDSA","typ":"at+jwt","kid":"k","x":"` + "\xff" + `"}`, jose.ErrMalformed},
		{"lone surrogate", `{"alg":"EdDSA","typ":"at+jwt","kid":"k","x":"\ud800"}`, jose.ErrMalformed},
		{"infinite number", `{"alg":"EdDSA","typ":"at+jwt","kid":"k","x":1e400}`, jose.ErrMalformed},
		{"deep", `{"alg":"EdDSA","typ":"at+jwt","kid":"k","x":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`, jose.ErrMalformed},
		{"a list", `["EdDSA"]`, jose.ErrMalformed},
		{"nothing", ``, jose.ErrMalformed},
		{"too long", `{"alg":"EdDSA","typ":"at+jwt","kid":"k","x":"` + strings.Repeat("x", 4096) + `"}`, jose.ErrMalformed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if _, _, err := set.Verify(handmade(t, private, tc.header, payload), "at+jwt"); !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
}

// JOS-08: a variant of a registered name is an unknown name and changes nothing.
func TestVerify_IgnoresVariantsBesideTheName(t *testing.T) {
	t.Parallel()
	set, private := edSet(t)
	token := handmade(t, private, `{"alg":"EdDSA","ALG":"none","typ":"at+jwt","kid":"k","Kid":"other"}`, payload)
	if _, _, err := set.Verify(token, "at+jwt"); err != nil {
		t.Error(err)
	}
}

// JOS-01: without a signature nothing is accepted, whatever the header says.
func TestVerify_RefusesUnsigned(t *testing.T) {
	t.Parallel()
	set, private := edSet(t)
	for _, alg := range []string{"none", "None", "nOnE", "", "EdDSA"} {
		token := handmade(t, private, `{"alg":"`+alg+`","typ":"at+jwt","kid":"k"}`, payload)
		for _, unsigned := range []string{token[:strings.LastIndex(token, ".")+1], token[:strings.LastIndex(token, ".")]} {
			if _, _, err := set.Verify(unsigned, "at+jwt"); err == nil {
				t.Errorf("alg %q, %d dots: accepted", alg, strings.Count(unsigned, "."))
			}
		}
	}
}

// JOS-02: the public key must not become the secret of an HMAC.
func TestVerify_RefusesHMACWithPublicKey(t *testing.T) {
	t.Parallel()
	for _, alg := range []jose.Algorithm{jose.RS256, jose.ES256, jose.EdDSA} {
		s := newSigner(t, alg, "k")
		set := newSet(t, s.Key())
		der, err := x509.MarshalPKIXPublicKey(s.Key().Public())
		if err != nil {
			t.Fatal(err)
		}
		jwk, err := json.Marshal(s.Key())
		if err != nil {
			t.Fatal(err)
		}
		text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
		for name, secret := range map[string][]byte{"der": der, "pem": text, "jwk": jwk, "empty": nil} {
			for _, claimed := range []string{"HS256", string(alg)} {
				signed := b64.EncodeToString([]byte(`{"alg":"`+claimed+`","typ":"at+jwt","kid":"k"}`)) + "." + b64.EncodeToString([]byte(payload))
				mac := hmac.New(sha256.New, secret)
				mac.Write([]byte(signed))
				if _, _, err := set.Verify(signed+"."+b64.EncodeToString(mac.Sum(nil)), "at+jwt"); err == nil {
					t.Errorf("%s with %s of the key as secret: accepted", claimed, name)
				}
			}
		}
	}
}

// RFC 8725 §3.1: an RSA key for RS256 does not verify PS256, and the other way round.
func TestVerify_RFC8725_3_1_AlgorithmIsTheKeys(t *testing.T) {
	t.Parallel()
	pss := newSigner(t, jose.PS256, "k")
	pkcs := newSigner(t, jose.RS256, "k") // the same RSA key
	for _, tc := range []struct{ signer, verifier *jose.Signer }{{pss, pkcs}, {pkcs, pss}} {
		token, err := tc.signer.Sign("at+jwt", []byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := newSet(t, tc.verifier.Key()).Verify(token, "at+jwt"); !errors.Is(err, jose.ErrAlgorithm) {
			t.Errorf("%s with a key for %s: %v", tc.signer.Key().Algorithm(), tc.verifier.Key().Algorithm(), err)
		}
	}
}

// JOS-04: a key that a token brings or points to is not used, and nothing is fetched.
func TestVerify_IgnoresEmbeddedKeys(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer server.Close()
	set, _ := edSet(t)
	_, attacker := edSet(t)
	key, err := jose.NewKey(jose.EdDSA, "k", attacker.Public())
	if err != nil {
		t.Fatal(err)
	}
	jwk, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, extra := range map[string]string{
		"jwk":      string(jwk),
		"jku":      `"` + server.URL + `"`,
		"x5u":      `"` + server.URL + `"`,
		"x5c":      `["AAAA"]`,
		"x5t":      `"AAAA"`,
		"x5t#S256": `"AAAA"`,
	} {
		for _, kid := range []string{"k", "attacker"} {
			token := handmade(t, attacker, `{"alg":"EdDSA","typ":"at+jwt","kid":"`+kid+`","`+name+`":`+extra+`}`, payload)
			if _, _, err := set.Verify(token, "at+jwt"); !errors.Is(err, jose.ErrSignature) && !errors.Is(err, jose.ErrUnknownKey) {
				t.Errorf("%s, kid %s: %v", name, kid, err)
			}
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// JOS-05: a kid is a name in a map and nothing else.
func TestVerify_RefusesStrangeKids(t *testing.T) {
	t.Parallel()
	set, private := edSet(t)
	for _, kid := range []string{
		"../../etc/passwd", "/dev/null", "' OR 1=1 --", "http://127.0.0.1/", "k\x00", "\x00", "K", " k", "k ",
		"\u212a", strings.Repeat("k", 256), strings.Repeat("k", 257), strings.Repeat("k", 1<<20),
	} {
		name, err := json.Marshal(kid)
		if err != nil {
			t.Fatal(err)
		}
		token := handmade(t, private, `{"alg":"EdDSA","typ":"at+jwt","kid":`+string(name)+`}`, payload)
		want := jose.ErrUnknownKey
		if len(kid) > 256 {
			want = jose.ErrMalformed
		}
		if _, _, err := set.Verify(token, "at+jwt"); !errors.Is(err, want) {
			t.Errorf("kid of %d bytes: %v", len(kid), err)
		}
	}
	if _, err := jose.NewKeySet(set.Keys()[0], set.Keys()[0]); !errors.Is(err, jose.ErrKey) {
		t.Errorf("duplicate kid: %v", err)
	}
}

// JOS-10: each token has one spelling.
func TestVerify_RefusesOtherBase64(t *testing.T) {
	t.Parallel()
	set, private := edSet(t)
	// Payloads of every length modulo 3, so that each kind of last group occurs.
	for _, payload := range []string{`{"sub":"u"}`, `{"sub":"uu"}`, `{"sub":"uuu"}`} {
		token := handmade(t, private, `{"alg":"EdDSA","typ":"at+jwt","kid":"k"}`, payload)
		for part := range 3 {
			for name, change := range map[string]func(string) string{
				"LF inside":     func(s string) string { return s[:2] + "\n" + s[2:] },
				"CR LF at end":  func(s string) string { return s + "\r\n" },
				"space":         func(s string) string { return s[:3] + " " + s[3:] },
				"padding":       func(s string) string { return s + "=" },
				"two paddings":  func(s string) string { return s + "==" },
				"plus":          func(s string) string { return s[:4] + "+" + s[5:] },
				"slash":         func(s string) string { return s[:4] + "/" + s[5:] },
				"NUL":           func(s string) string { return s[:4] + "\x00" + s[5:] },
				"not ASCII":     func(s string) string { return s[:4] + "é" + s[5:] },
				"one character": func(s string) string { return s + strings.Repeat("A", (5-len(s)%4)%4) },
				"empty":         func(string) string { return "" },
			} {
				if _, _, err := set.Verify(replacePart(token, part, change), "at+jwt"); !errors.Is(err, jose.ErrMalformed) {
					t.Errorf("part %d: %s: %v", part, name, err)
				}
			}
			flipped := replacePart(token, part, flipUnusedBit)
			if _, _, err := set.Verify(flipped, "at+jwt"); flipped != token && !errors.Is(err, jose.ErrMalformed) {
				t.Errorf("part %d: unused bit: %v", part, err)
			}
		}
	}
}

// flipUnusedBit changes the last bit of the last character, if no byte depends on it.
func flipUnusedBit(s string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	if len(s)%4 == 0 {
		return s
	}
	last := strings.IndexByte(alphabet, s[len(s)-1])
	return s[:len(s)-1] + string(alphabet[last^1])
}

// JOS-10: the decoder agrees with the standard one on what encodes canonically, and
// re-encoding gives the same text.
func TestAppendDecoded_AllLengths(t *testing.T) {
	t.Parallel()
	data := make([]byte, 0, 70)
	for n := range 70 {
		data = append(data, byte(n*37))
		text := b64.EncodeToString(data)
		got, ok := jose.AppendDecoded([]byte("x"), text)
		if !ok || string(got) != "x"+string(data) {
			t.Errorf("length %d: %x, %v", len(data), got, ok)
		}
	}
}

// JOS-10: the last character of an incomplete group has no bits but those of its byte.
func TestAppendDecoded_JOS10_UnusedBits(t *testing.T) {
	t.Parallel()
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for _, before := range []string{"", "AAAA", "AAAAAAAAAAAA", "AAAAAAAAAAAAAAAA"} {
		for _, tail := range []string{"A", "AA"} {
			for _, last := range alphabet {
				text := before + tail + string(last)
				want, err := b64.Strict().DecodeString(text)
				got, ok := jose.AppendDecoded(nil, text)
				if ok != (err == nil) || ok && !bytes.Equal(got, want) {
					t.Errorf("%s: %x, %v, want %x, %v", text, got, ok, want, err)
				}
			}
		}
	}
}

// The decoder writes more than it decodes at once, but nowhere behind the result.
func TestAppendDecoded_KeepsToItsRoom(t *testing.T) {
	t.Parallel()
	for n := range 70 {
		text := b64.EncodeToString(make([]byte, n))
		for spare := range 20 {
			room := bytes.Repeat([]byte{0xA5}, 3+n+spare)
			got, ok := jose.AppendDecoded(room[:3], text)
			want := append(append([]byte("\xA5\xA5\xA5"), make([]byte, n)...), bytes.Repeat([]byte{0xA5}, spare)...)
			if !ok || &got[0] != &room[0] || !bytes.Equal(room, want) {
				t.Errorf("%d bytes, %d to spare: %x, %v", n, spare, room, ok)
			}
		}
	}
}

// JOS-18: a token has three parts; neither five (JWE) nor JSON.
func TestVerify_RefusesOtherSerializations(t *testing.T) {
	t.Parallel()
	set, private := edSet(t)
	token := handmade(t, private, `{"alg":"EdDSA","typ":"at+jwt","kid":"k"}`, payload)
	p := strings.Split(token, ".")
	for name, other := range map[string]string{
		"empty":     "",
		"one part":  p[0],
		"two parts": p[0] + "." + p[1],
		"four":      token + "." + p[2],
		"five, JWE": b64.EncodeToString([]byte(`{"alg":"RSA-OAEP","enc":"A256GCM"}`)) + ".AAAA.AAAA.AAAA.AAAA",
		"flattened": `{"protected":"` + p[0] + `","payload":"` + p[1] + `","signature":"` + p[2] + `"}`,
		"general":   `{"payload":"` + p[1] + `","signatures":[{"protected":"` + p[0] + `","signature":"` + p[2] + `"}]}`,
		"detached":  p[0] + ".." + p[2],
		"leading":   " " + token,
		"trailing":  token + " ",
		"prefixed":  "Bearer " + token,
	} {
		if _, _, err := set.Verify(other, "at+jwt"); !errors.Is(err, jose.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// JOS-19: size and shape are checked before anything is allocated. Behind a header that is
// known a dot too many costs what a wrong signature does.
func TestVerify_RefusesHugeWithoutWork(t *testing.T) { // not parallel: it counts bytes
	set, _ := edSet(t)
	header := b64.EncodeToString([]byte(`{"alg":"EdDSA","typ":"at+jwt","kid":"k"}`))
	for name, token := range map[string]string{
		"8 MiB of dots":      strings.Repeat(".", 8<<20),
		"16 KiB of dots":     strings.Repeat(".", 16<<10),
		"one over the limit": header + "." + strings.Repeat("A", 16<<10-len(header)-4) + ".AAA",
		"many segments":      header + strings.Repeat(".AAAA", 3000),
		"long header":        strings.Repeat("A", 6000) + ".AAAA.AAAA",
	} {
		if _, _, err := set.Verify(token, "at+jwt"); !errors.Is(err, jose.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range 100 {
			_, _, _ = set.Verify(token, "at+jwt")
		}
		runtime.ReadMemStats(&after)
		bytes := (after.TotalAlloc - before.TotalAlloc) / 100
		if bytes > 1024 {
			t.Errorf("%s: %d bytes allocated", name, bytes)
		}
	}
}

// VerifyLong is for documents that are longer than a token, such as feed messages.
func TestVerifyLong_Limit(t *testing.T) {
	t.Parallel()
	s := newSigner(t, jose.EdDSA, "k")
	set := newSet(t, s.Key())
	token, err := s.Sign("x", []byte(`{"a":"`+strings.Repeat("a", 50_000)+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := set.Verify(token, "x"); !errors.Is(err, jose.ErrMalformed) {
		t.Errorf("as a token: %v", err)
	}
	if _, _, err := set.VerifyLong(token, "x", len(token)); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	if _, _, err := set.VerifyLong(token, "x", len(token)-1); !errors.Is(err, jose.ErrMalformed) {
		t.Errorf("over the limit: %v", err)
	}
}
