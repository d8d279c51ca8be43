package secret_test

import (
	"errors"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/secret"
)

// TestUserCode_OAU18_Entropy: at least 40 bits, each letter as likely as the others.
func TestUserCode_OAU18_Entropy(t *testing.T) {
	t.Parallel()
	if bits := math.Log2(float64(secret.UserCodes)); bits < 40 {
		t.Errorf("%.1f bits", bits)
	}
	form := regexp.MustCompile(`^[BCDFGHJKLMNPQRSTVWXZ]{5}-[BCDFGHJKLMNPQRSTVWXZ]{5}$`)
	const codes = 40_000
	seen, count := map[string]bool{}, map[rune]int{}
	for range codes {
		code := secret.NewUserCode().Reveal()
		if !form.MatchString(code) || seen[code] {
			t.Fatalf("%q", code)
		}
		seen[code] = true
		for _, r := range strings.ReplaceAll(code, "-", "") {
			count[r]++
		}
	}
	want := float64(codes*10) / 20
	for r, n := range count {
		if math.Abs(float64(n)-want) > 6*math.Sqrt(want) { // never by chance; bytes modulo 20 would miss by 6 %: 9 deviations
			t.Errorf("%c came %d times, expected %.0f", r, n, want)
		}
	}
	if len(count) != 20 {
		t.Errorf("%d letters", len(count))
	}
}

// TestUserCode_RFC8628_6_1_AsTyped: case, blanks and dashes do not matter; everything
// else does.
func TestUserCode_RFC8628_6_1_AsTyped(t *testing.T) {
	t.Parallel()
	for _, typed := range []string{"BCDFG-HJKLM", "bcdfg-hjklm", "BCDFGHJKLM", " bcdfg hjklm ", "bcd fgh jkl m", "BCDFG–HJKLM", "b-c-d-f-g-h-j-k-l-m"} {
		code, err := secret.ParseUserCode(typed)
		if err != nil || code.Reveal() != "BCDFG-HJKLM" {
			t.Errorf("%q: %q, %v", typed, code.Reveal(), err)
		}
	}
	for _, typed := range []string{
		"", "-", "BCDFG-HJKL", "BCDFG-HJKLMN", "ACDFG-HJKLM", "BCDFG-HJKL1", "BCDFG_HJKLM", "BCDFG-HJKLM\x00", "ſCDFG-HJKLM", "ВCDFG-HJKLM",
		strings.Repeat("B", 100_000),
	} {
		if code, err := secret.ParseUserCode(typed); !errors.Is(err, secret.ErrFormat) || !code.Empty() {
			t.Errorf("%.20q accepted", typed)
		}
	}
}

// TestHashKeyed_Purpose: another key, purpose or text gives another hash.
func TestHashKeyed_Purpose(t *testing.T) {
	t.Parallel()
	key, text := [32]byte{1}, secret.NewText("BCDFG-HJKLM")
	same := secret.HashKeyed(key, "user_code", text)
	for name, other := range map[string][32]byte{
		"key":     secret.HashKeyed([32]byte{2}, "user_code", text),
		"purpose": secret.HashKeyed(key, "email_code", text),
		"text":    secret.HashKeyed(key, "user_code", secret.NewText("BCDFG-HJKLN")),
		"no key":  secret.Hash("user_code", text),
	} {
		if other == same {
			t.Errorf("another %s, the same hash", name)
		}
	}
	if secret.HashKeyed(key, "user_code", text) != same {
		t.Error("not the same twice")
	}
}

func FuzzParseUserCode(f *testing.F) {
	for _, s := range []string{"BCDFG-HJKLM", "bcd fgh-jklm", "", "ſ", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		code, err := secret.ParseUserCode(typed)
		if err != nil {
			return
		}
		again, err := secret.ParseUserCode(code.Reveal())
		if err != nil || again.Reveal() != code.Reveal() || len(code.Reveal()) != 11 {
			t.Errorf("%q: %q", typed, code.Reveal())
		}
	})
}
