package token_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/token"
	"github.com/signet-id/signet/verify/jose"
)

// FuzzClaims: no value leaves its string, and every value comes back as it was. TOK-16, OPS-02
func FuzzClaims(f *testing.F) {
	for _, s := range []string{"", "a", `"`, `\`, `\u0000`, `","sub":"x`, "\x00", "\x1f\x7f\u0080", "\u2028", "😀", "\xff", "a\xc3", "\xed\xa0\x80", "</script>"} {
		f.Add(s, int64(len(s)), s+"2")
	}
	f.Fuzz(func(t *testing.T, text string, number int64, other string) {
		list := []string{other, text}
		doc, err := token.Object(text, number, list)
		if !utf8.ValidString(text) || !utf8.ValidString(other) {
			if !errors.Is(err, idp.ErrInvalid) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := jose.CheckObject(doc); err != nil {
			t.Fatalf("%s: %v", doc, err)
		}
		var got struct {
			Text     string
			Number   int64
			Optional string
			List     []string
		}
		if err := json.Unmarshal(doc, &got); err != nil {
			t.Fatalf("%s: %v", doc, err)
		}
		if got.Text != text || got.Number != number || got.Optional != text || !slices.Equal(got.List, list) {
			t.Errorf("%q, %d, %q became %s", text, number, list, doc)
		}
		var names map[string]json.RawMessage
		if err := json.Unmarshal(doc, &names); err != nil || len(names) > 4 || len(names) < 3 {
			t.Errorf("%s: %v", doc, err)
		}
	})
}
