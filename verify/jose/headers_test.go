package jose_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/signet-id/signet/verify/jose"
)

// A header is learned only when the signature held, and means the same ever after.
func TestVerify_LearnsHeaders(t *testing.T) {
	t.Parallel()
	good, other := newSigner(t, jose.EdDSA, "a"), newSigner(t, jose.EdDSA, "a")
	set := newSet(t, good.Key())
	token, forged := sign(t, good, "at+jwt", `{"a":1}`), sign(t, other, "at+jwt", `{"a":1}`)
	verify := func(token, typ string, want error) {
		t.Helper()
		payload, key, err := set.Verify(token, typ)
		if !errors.Is(err, want) || err == nil && (string(payload) != `{"a":1}` || key.ID() != "a") {
			t.Errorf("%s: %s, %v, want %v", typ, payload, err, want)
		}
	}
	verify(forged, "at+jwt", jose.ErrSignature)
	verify(token, "JWT", jose.ErrType)
	if n := jose.Learned(set); n != 0 {
		t.Fatalf("learned %d headers from bad tokens", n)
	}
	for range 2 {
		verify(token, "at+jwt", nil)
		verify(forged, "at+jwt", jose.ErrSignature)
		verify(token, "JWT", jose.ErrType) // the bytes are known, but for another type
		verify(token, "at+jwt\x00", jose.ErrType)
		if n := jose.Learned(set); n != 1 {
			t.Fatalf("learned %d headers from one", n)
		}
	}
	// Nothing is learned for another set.
	if _, _, err := newSet(t, other.Key()).Verify(token, "at+jwt"); !errors.Is(err, jose.ErrSignature) {
		t.Error(err)
	}
}

// JOS-10: where a header was learned, the dots are not looked for. A token that is changed in
// one byte, or cut, or has a byte more, is refused as by a set that has learned nothing.
func TestVerify_JOS10_DotsOfKnownHeaders(t *testing.T) {
	t.Parallel()
	signer := newSigner(t, jose.EdDSA, "a")
	fresh, learned := newSet(t, signer.Key()), newSet(t, signer.Key())
	token := sign(t, signer, "at+jwt", `{"a":1}`)
	if _, _, err := learned.Verify(token, "at+jwt"); err != nil || jose.Learned(learned) != 1 {
		t.Fatal(err)
	}
	check := func(changed string) {
		t.Helper()
		if changed == token {
			return
		}
		_, _, want := fresh.Verify(changed, "at+jwt")
		_, _, err := learned.Verify(changed, "at+jwt")
		if want == nil || err == nil {
			t.Fatalf("accepted: %q", changed)
		}
		for _, class := range []error{jose.ErrMalformed, jose.ErrSignature, jose.ErrAlgorithm, jose.ErrType, jose.ErrUnknownKey} {
			if errors.Is(err, class) != errors.Is(want, class) {
				t.Errorf("%q: %v, want %v", changed, err, want)
			}
		}
	}
	for i := range token {
		check(token[:i])
		check(token[i:])
		for _, c := range []string{"", ".", "A", ",", "..", "A."} {
			check(token[:i] + c + token[i:])
			check(token[:i] + c + token[i+1:])
		}
	}
	header, _, _ := strings.Cut(token, ".")
	signature := token[strings.LastIndexByte(token, '.'):]
	for _, changed := range []string{header + ".", header + "." + signature, header + signature, token + ".", token + signature} {
		check(changed)
	}
}

// A signer that writes a new header each time gets no more than the room there is.
func TestVerify_LearnsFewHeaders(t *testing.T) {
	t.Parallel()
	set, private := edSet(t)
	verify := func(header string) {
		t.Helper()
		if _, _, err := set.Verify(handmade(t, private, header, `{}`), "JWT"); err != nil {
			t.Fatal(err)
		}
	}
	verify(`{"alg":"EdDSA","typ":"JWT","kid":"k","x":"` + strings.Repeat("x", 500) + `"}`)
	if n := jose.Learned(set); n != 0 {
		t.Error("learned a long header")
	}
	for range 2 {
		for i := range 20 {
			verify(fmt.Sprintf(`{"alg":"EdDSA","typ":"JWT","kid":"k","n":%d}`, i))
		}
	}
	if n := jose.Learned(set); n != 16 {
		t.Errorf("learned %d headers", n)
	}
}

// VerifyInto keeps to the room that it is given.
func TestVerifyInto(t *testing.T) {
	t.Parallel()
	signer := newSigner(t, jose.EdDSA, "a")
	set := newSet(t, signer.Key())
	var room []byte
	for _, size := range []int{10, 1000, 1, 5000, 0} {
		payload := `{"x":"` + strings.Repeat("y", size) + `"}`
		token := sign(t, signer, "JWT", payload)
		out, key, err := set.VerifyInto(room, token, "JWT")
		if err != nil || key.ID() != "a" || string(out) != token+payload {
			t.Fatalf("%q, %v", out, err)
		}
		if cap(room) >= 2*len(token) && &out[0] != &room[:1][0] {
			t.Error("other memory than that of room")
		}
		room = out
		if out, key, err := set.VerifyInto(bytes.Clone(room), token+"A", "JWT"); err == nil || key != nil {
			t.Errorf("%q, %v", out, err)
		}
	}
}

func sign(t testing.TB, s *jose.Signer, typ, payload string) string {
	t.Helper()
	token, err := s.Sign(typ, []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	return token
}
