package jose_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/signet-id/signet/verify/jose"
)

var (
	secretSizes  = map[jose.Algorithm]int{jose.HS256: 32, jose.HS384: 48, jose.HS512: 64}
	secretHashes = map[jose.Algorithm]func() hash.Hash{jose.HS256: sha256.New, jose.HS384: sha512.New384, jose.HS512: sha512.New}
)

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

func newSecret(t testing.TB, alg jose.Algorithm, kid string, secret []byte) *jose.Secret {
	t.Helper()
	s, err := jose.NewSecret(alg, kid, secret)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newSecretSet(t testing.TB, secrets ...*jose.Secret) *jose.SecretSet {
	t.Helper()
	s, err := jose.NewSecretSet(secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// mac makes a token with a header that Secret would not write.
func mac(newHash func() hash.Hash, secret []byte, header, payload string) string {
	signed := b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString([]byte(payload))
	h := hmac.New(newHash, secret)
	h.Write([]byte(signed))
	return signed + "." + b64.EncodeToString(h.Sum(nil))
}

func TestSecretSet_AcceptsAndRefuses(t *testing.T) {
	t.Parallel()
	for alg, size := range secretSizes {
		raw := randomBytes(size)
		secret := newSecret(t, alg, "k", raw)
		set := newSecretSet(t, newSecret(t, jose.HS256, "other", randomBytes(32)), secret)
		token, err := secret.Sign("receipt+jwt", []byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		if want := mac(secretHashes[alg], raw, `{"alg":"`+string(alg)+`","typ":"receipt+jwt","kid":"k"}`, payload); token != want {
			t.Errorf("%s: %s, not %s", alg, token, want)
		}
		got, key, err := set.Verify(token, "receipt+jwt")
		if err != nil || string(got) != payload || key != secret || key.ID() != "k" || key.Algorithm() != alg {
			t.Errorf("%s: %q, %v", alg, got, err)
		}
		if _, _, err := set.Verify(token, "JWT"); !errors.Is(err, jose.ErrType) {
			t.Errorf("%s: other typ: %v", alg, err)
		}
		other := replacePart(token, 1, func(string) string { return b64.EncodeToString([]byte(`{"sub":"v"}`)) })
		if _, _, err := set.Verify(other, "receipt+jwt"); !errors.Is(err, jose.ErrSignature) {
			t.Errorf("%s: other payload: %v", alg, err)
		}
		for _, cut := range []int{4, 20, 40} { // a MAC is not truncated, RFC 7518 §3.2
			if _, _, err := set.Verify(token[:len(token)-cut], "receipt+jwt"); err == nil {
				t.Errorf("%s: %d characters cut off: accepted", alg, cut)
			}
		}
		if _, _, err := newSecretSet(t, newSecret(t, alg, "k", randomBytes(size))).Verify(token, "receipt+jwt"); !errors.Is(err, jose.ErrSignature) {
			t.Errorf("%s: another secret: %v", alg, err)
		}
	}
}

// RFC 7518 §3.2: a secret is at least as long as the hash.
func TestNewSecret_RFC7518_3_2_Length(t *testing.T) {
	t.Parallel()
	for alg, size := range secretSizes {
		for _, n := range []int{0, 1, size - 1} {
			if _, err := jose.NewSecret(alg, "k", randomBytes(n)); !errors.Is(err, jose.ErrKey) {
				t.Errorf("%s with %d bytes: %v", alg, n, err)
			}
		}
		newSecret(t, alg, "k", randomBytes(size))
	}
	for _, alg := range append(jose.Algorithms(), "none", "", "HS1", "hs256") {
		if _, err := jose.NewSecret(alg, "k", randomBytes(64)); !errors.Is(err, jose.ErrAlgorithm) {
			t.Errorf("%s: %v", alg, err)
		}
	}
	for _, kid := range []string{"", strings.Repeat("k", 257), "\xff"} {
		if _, err := jose.NewSecret(jose.HS256, kid, randomBytes(32)); !errors.Is(err, jose.ErrKey) {
			t.Errorf("kid %q: %v", kid, err)
		}
	}
	twin := newSecret(t, jose.HS256, "k", randomBytes(32))
	if _, err := jose.NewSecretSet(twin, twin); !errors.Is(err, jose.ErrKey) {
		t.Errorf("two with one kid: %v", err)
	}
	if _, err := jose.NewSecretSet(nil); !errors.Is(err, jose.ErrKey) {
		t.Errorf("nil: %v", err)
	}
}

// JOS-02: what everybody can read is no secret, in whatever form it is stored.
func TestNewSecret_JOS02_RefusesPublicKeys(t *testing.T) {
	t.Parallel()
	for _, alg := range []jose.Algorithm{jose.RS256, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA} {
		s := newSigner(t, alg, "k")
		der, err := x509.MarshalPKIXPublicKey(s.Key().Public())
		if err != nil {
			t.Fatal(err)
		}
		private, err := x509.MarshalPKCS8PrivateKey(private(t, alg))
		if err != nil {
			t.Fatal(err)
		}
		jwk, err := json.Marshal(s.Key())
		if err != nil {
			t.Fatal(err)
		}
		set, err := json.Marshal(newSet(t, s.Key()))
		if err != nil {
			t.Fatal(err)
		}
		text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
		lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
		forms := map[string][]byte{
			"PEM":                  text,
			"PEM without last LF":  bytes.TrimSpace(text),
			"PEM after a comment":  append([]byte("# the key\n"), text...),
			"between its lines":    bytes.Join(lines[1:len(lines)-1], []byte("\n")),
			"in one line":          []byte(base64.StdEncoding.EncodeToString(der)),
			"DER":                  der,
			"private DER":          private,
			"private PEM":          pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
			"JWK":                  jwk,
			"JWK with line breaks": append([]byte("\n "), jwk...),
			"JWK set":              set,
			"JWK in a list":        append(append([]byte("["), jwk...), ']'),
			"JWK after a BOM":      append([]byte("\xef\xbb\xbf"), jwk...),
			"JWK in base64url":     []byte(b64.EncodeToString(jwk)),
			"PEM in base64":        []byte(base64.StdEncoding.EncodeToString(text)),
			"in base64url":         []byte(base64.URLEncoding.EncodeToString(der)),
			"without padding":      []byte(base64.RawStdEncoding.EncodeToString(der)),
			"in quotes":            []byte(`"` + base64.StdEncoding.EncodeToString(der) + `"`),
			"in hexadecimal":       []byte(hex.EncodeToString(der)),
			"DER and a line break": append(slices.Clone(der), '\n'),
		}
		if alg == jose.RS256 {
			forms["PKCS #1"] = x509.MarshalPKCS1PublicKey(&rsaPrivate().PublicKey)
		}
		for name, secret := range forms {
			if _, err := jose.NewSecret(jose.HS256, "k", secret); !errors.Is(err, jose.ErrKey) || !strings.Contains(err.Error(), "the text of a key") {
				t.Errorf("%s, %s: %v", alg, name, err)
			}
		}
	}
	point, err := newSigner(t, jose.ES256, "k").Key().Public().(interface{ Bytes() ([]byte, error) }).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for name, secret := range map[string][]byte{
		"point":           point,
		"point in base64": []byte(b64.EncodeToString(point)),
		"SSH":             []byte("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"),
		"x5c":             []byte(certificateText(t)),
	} {
		if _, err := jose.NewSecret(jose.HS256, "k", secret); !errors.Is(err, jose.ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for range 20_000 { // none of the forms is hit by chance
		newSecret(t, jose.HS256, "k", randomBytes(32))
	}
}

func certificateText(t *testing.T) string {
	t.Helper()
	var chain struct{ X5c []string }
	if err := json.Unmarshal(readFile(t, "testdata/rfc7517_b.json"), &chain); err != nil {
		t.Fatal(err)
	}
	return chain.X5c[0]
}

// JOS-21: a secret leaves in no form: not as JSON, not through fmt or a log, and not as
// what the caller does with its own bytes afterwards.
func TestSecret_JOS21_IsKept(t *testing.T) {
	t.Parallel()
	raw := bytes.Repeat([]byte("seKret!!"), 4)
	secret := newSecret(t, jose.HS256, "k", raw)
	set := newSecretSet(t, secret)
	for _, v := range []any{secret, set, *secret, *set, []*jose.Secret{secret}, struct{ s *jose.Secret }{secret}, struct{ s jose.SecretSet }{*set}} {
		if doc, err := json.Marshal(v); err == nil && leaks(string(doc)) {
			t.Errorf("%T: JSON: %s", v, doc)
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q"} {
			if got := fmt.Sprintf(verb, v); leaks(got) {
				t.Errorf("%T: %s prints %s", v, verb, got)
			}
		}
	}
	if _, err := json.Marshal(secret); err == nil {
		t.Error("a secret was written")
	}
	if _, err := json.Marshal(set); err == nil {
		t.Error("a set of secrets was written")
	}
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		if got := fmt.Sprintf(verb+verb, secret, set); got != "[secret key][secret keys]" {
			t.Errorf("prints %s", got)
		}
	}
	var text bytes.Buffer
	log := slog.New(slog.NewTextHandler(&text, nil))
	log.Info("x", "secret", secret, "set", set)
	slog.New(slog.NewJSONHandler(&text, nil)).Info("x", "secret", secret, "set", set)
	if leaks(text.String()) {
		t.Errorf("logged: %s", text.String())
	}
	token, err := secret.Sign("x", []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	clear(raw)
	if _, _, err := set.Verify(token, "x"); err != nil {
		t.Errorf("the secret is no copy: %v", err)
	}
}

func leaks(text string) bool {
	raw := []byte("seKret!!")
	for _, form := range []string{"seKret", fmt.Sprintf("%x", raw), fmt.Sprintf("%X", raw), b64.EncodeToString(raw)[:8], fmt.Sprint(raw)[1:20]} {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}

// One defect makes the whole set an error, and no error quotes the secret.
func TestParseSecretSet_RefusesDefects(t *testing.T) {
	t.Parallel()
	raw := b64.EncodeToString(bytes.Repeat([]byte("seKret!!"), 8))
	good := `{"kty":"oct","k":"` + raw + `","alg":"HS512","kid":"s","use":"sig"}`
	if _, err := jose.ParseSecretSet([]byte(`{"keys":[` + good + `]}`)); err != nil {
		t.Fatal("the good one:", err)
	}
	for name, bad := range map[string]string{
		"a public key":      edKey,
		"an RSA key":        rsaKey,
		"public members":    with(t, good, "n", `"AQAB"`),
		"a curve":           with(t, good, "crv", `"P-256"`),
		"private members":   with(t, good, "d", `"AQAB"`),
		"private after k":   good[:len(good)-1] + `,"d":"AQAB"}`,
		"no kty":            with(t, good, "kty", ""),
		"no alg":            with(t, good, "alg", ""),
		"no kid":            with(t, good, "kid", ""),
		"no purpose":        with(t, good, "use", ""),
		"use enc":           with(t, good, "use", `"enc"`),
		"ops without":       with(t, good, "key_ops", `["sign"]`),
		"ops twice":         with(t, good, "key_ops", `["verify","verify"]`),
		"no k":              with(t, good, "k", ""),
		"short":             with(t, good, "k", `"`+raw[:80]+`"`),
		"padded":            with(t, good, "k", `"`+raw+`="`),
		"with a line break": with(t, good, "k", `"`+raw[:8]+`\n`+raw[8:]+`"`),
		"kid twice":         good + "," + good,
		"public text":       with(t, good, "k", `"`+b64.EncodeToString([]byte(edKey))+`"`),
		"trailing":          good + "]}x",
	} {
		_, err := jose.ParseSecretSet([]byte(`{"keys":[` + with(t, good, "kid", `"good"`) + `,` + bad + `]}`))
		if !errors.Is(err, jose.ErrKey) || leaks(err.Error()) || strings.Contains(err.Error(), raw[:12]) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, empty := range []string{`{}`, `{"keys":[]}`, `{"keys":[{"kty":"oct","alg":"A128KW","k":"AAAA"}]}`} {
		if _, err := jose.ParseSecretSet([]byte(empty)); !errors.Is(err, jose.ErrKey) {
			t.Errorf("%s: %v", empty, err)
		}
	}
	if _, err := jose.ParseKeySet([]byte(`{"keys":[` + edKey + `,` + good + `]}`)); !errors.Is(err, jose.ErrKey) {
		t.Errorf("in a public set: %v", err)
	}
}

// The same headers are refused, and for the same reason, by both kinds of sets.
func TestSecretSet_SameRulesAsKeySet(t *testing.T) {
	t.Parallel()
	raw := randomBytes(32)
	secrets := newSecretSet(t, newSecret(t, jose.HS256, "k", raw))
	keys, private := edSet(t)
	for name, tc := range map[string]struct {
		header string // ALG is the set's own algorithm
		want   error
	}{
		"good":           {`{"alg":"ALG","typ":"t","kid":"k"}`, nil},
		"embedded key":   {`{"alg":"ALG","typ":"t","kid":"k","jwk":{"kty":"oct","k":"AAAA"}}`, nil},
		"none":           {`{"alg":"none","typ":"t","kid":"k"}`, jose.ErrAlgorithm},
		"nOnE":           {`{"alg":"nOnE","typ":"t","kid":"k"}`, jose.ErrAlgorithm},
		"no alg":         {`{"typ":"t","kid":"k"}`, jose.ErrAlgorithm},
		"RS256":          {`{"alg":"RS256","typ":"t","kid":"k"}`, jose.ErrAlgorithm},
		"HS384":          {`{"alg":"HS384","typ":"t","kid":"k"}`, jose.ErrAlgorithm},
		"other typ":      {`{"alg":"ALG","typ":"T","kid":"k"}`, jose.ErrType},
		"no typ":         {`{"alg":"ALG","kid":"k"}`, jose.ErrType},
		"no kid":         {`{"alg":"ALG","typ":"t"}`, jose.ErrMalformed},
		"long kid":       {`{"alg":"ALG","typ":"t","kid":"` + strings.Repeat("k", 257) + `"}`, jose.ErrMalformed},
		"other kid":      {`{"alg":"ALG","typ":"t","kid":"K"}`, jose.ErrUnknownKey},
		"crit":           {`{"alg":"ALG","typ":"t","kid":"k","crit":["exp"]}`, jose.ErrMalformed},
		"b64":            {`{"alg":"ALG","typ":"t","kid":"k","b64":true}`, jose.ErrMalformed},
		"zip":            {`{"alg":"ALG","typ":"t","kid":"k","zip":"DEF"}`, jose.ErrMalformed},
		"alg twice":      {`{"alg":"none","alg":"ALG","typ":"t","kid":"k"}`, jose.ErrMalformed},
		"trailing bytes": {`{"alg":"ALG","typ":"t","kid":"k"}x`, jose.ErrMalformed},
		"lone surrogate": {`{"alg":"ALG","typ":"t","kid":"k","x":"\ud800"}`, jose.ErrMalformed},
		"long":           {`{"alg":"ALG","typ":"t","kid":"k","x":"` + strings.Repeat("x", 4096) + `"}`, jose.ErrMalformed},
	} {
		macd := mac(sha256.New, raw, strings.ReplaceAll(tc.header, "ALG", "HS256"), payload)
		signed := handmade(t, private, strings.ReplaceAll(tc.header, "ALG", "EdDSA"), payload)
		_, _, errSecret := secrets.Verify(macd, "t")
		_, _, errKey := keys.Verify(signed, "t")
		if !errors.Is(errSecret, tc.want) || !errors.Is(errKey, tc.want) {
			t.Errorf("%s: secret %v, key %v, want %v", name, errSecret, errKey, tc.want)
		}
	}
	good := mac(sha256.New, raw, `{"alg":"HS256","typ":"t","kid":"k"}`, payload)
	for part := range 3 {
		for name, change := range map[string]func(string) string{
			"padding": func(s string) string { return s + "=" }, "LF": func(s string) string { return s[:2] + "\n" + s[2:] },
			"plus": func(s string) string { return "+" + s[1:] }, "empty": func(string) string { return "" },
		} {
			if _, _, err := secrets.Verify(replacePart(good, part, change), "t"); !errors.Is(err, jose.ErrMalformed) {
				t.Errorf("%s in part %d: %v", name, part, err)
			}
		}
	}
	for name, token := range map[string]string{"four parts": good + ".AAAA", "two": good[:strings.LastIndex(good, ".")], "8 MiB of dots": strings.Repeat(".", 8<<20)} {
		if _, _, err := secrets.Verify(token, "t"); !errors.Is(err, jose.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// JOS-02: a token of one kind of set is nothing to the other, though both have its kid.
func TestSecretSet_JOS02_KindsStayApart(t *testing.T) {
	t.Parallel()
	for _, alg := range jose.Algorithms() {
		s := newSigner(t, alg, "k")
		signed, err := s.Sign("t", []byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		secret := newSecret(t, jose.HS256, "k", randomBytes(32))
		macd, err := secret.Sign("t", []byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := newSecretSet(t, secret).Verify(signed, "t"); !errors.Is(err, jose.ErrAlgorithm) {
			t.Errorf("%s to secrets: %v", alg, err)
		}
		if _, _, err := newSet(t, s.Key()).Verify(macd, "t"); !errors.Is(err, jose.ErrAlgorithm) {
			t.Errorf("HS256 to %s: %v", alg, err)
		}
	}
}
