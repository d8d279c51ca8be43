package secret_test

import (
	"errors"
	"math/big"
	"strings"
	"testing"
	"testing/cryptotest"

	"pgregory.net/rapid"

	"github.com/signet-id/signet/internal/secret"
)

var prefixes = []secret.Prefix{
	secret.Access, secret.Refresh, secret.Code, secret.Personal, secret.ServiceKey,
	secret.ClientSecret, secret.Device, secret.Invitation, secret.Pushed, secret.Management, secret.Session, secret.Flow,
}

// Vectors made with Python's big integers and zlib.crc32.
var vectors = []struct {
	value [32]byte
	text  string
}{
	{[32]byte{}, "sgr_00000000000000000000000000000000000000000001pjMwW"},
	{[32]byte{31: 1}, "sgr_00000000000000000000000000000000000000000010Lm6mo"},
	{ones(), "sgr_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp13nlV8u"},
	{counting(), "sgr_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1L1uqC"},
}

// TestParse_Rejections: with a right checksum and without, what is next to a token is none. TOK-08
func TestParse_Rejections(t *testing.T) {
	t.Parallel()
	good := vectors[3].text
	rejected := map[string]string{
		"empty":             "",
		"prefix only":       "sgr_",
		"2^256":             "sgr_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp21aPU6Y",
		"62^43-1":           "sgr_zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz08J6In",
		"other prefix":      "sgc_" + good[4:],
		"upper prefix":      "SGR_" + good[4:],
		"no prefix":         good[4:],
		"two prefixes":      "sgr_" + good,
		"space before":      " " + good,
		"newline after":     good + "\n",
		"newline for last":  good[:52] + "\n",
		"NUL after":         good + "\x00",
		"quoted":            `"` + good + `"`,
		"twice":             good + good,
		"checksum dropped":  good[:47],
		"checksum zero":     good[:47] + "000000",
		"swapped digits":    good[:10] + good[11:12] + good[10:11] + good[12:],
		"non-ASCII digit":   good[:10] + "é" + good[12:],
		"full-width prefix": "ｓgr_" + good[6:],
	}
	for name, s := range rejected {
		if text, value, err := secret.Parse(secret.Refresh, s); !errors.Is(err, secret.ErrFormat) || !text.Empty() || value != ([32]byte{}) {
			t.Errorf("%s: %q accepted", name, s)
		}
	}
}

// TestParse_TruncatedOrExtended: no beginning, end or extension of a token is a token,
// and none of a changed byte, for every kind. TOK-08
func TestParse_TruncatedOrExtended(t *testing.T) {
	t.Parallel()
	for _, p := range prefixes {
		good := secret.New(p).Reveal()
		mustReject := func(s string) {
			t.Helper()
			if _, _, err := secret.Parse(p, s); !errors.Is(err, secret.ErrFormat) {
				t.Fatalf("%q accepted beside %q", s, good)
			}
		}
		for i := range len(good) {
			mustReject(good[:i])
			mustReject(good[i+1:])
			mustReject(good[:i] + good[i+1:])
			for _, c := range []byte{'0', 'z', '_', '-', ' ', 0, 0xff} {
				mustReject(good[:i] + string([]byte{c}) + good[i:])
				mustReject(good[:i] + strings.Repeat(string([]byte{c}), 200) + good[i:])
				if c != good[i] {
					mustReject(good[:i] + string([]byte{c}) + good[i+1:])
				}
			}
		}
		for n := range 300 {
			mustReject(good + strings.Repeat("0", n+1))
		}
	}
}

// TestParse_OtherKind: a token of one kind is none of another. TOK-09
func TestParse_OtherKind(t *testing.T) {
	t.Parallel()
	for _, made := range prefixes {
		for _, wanted := range prefixes {
			text := secret.New(made)
			_, _, err := secret.Parse(wanted, text.Reveal())
			if (err == nil) != (made == wanted) {
				t.Errorf("%s as %s: %v", made, wanted, err)
			}
			// Changing the prefix does not help: the checksum covers it.
			retyped := string(wanted) + text.Reveal()[4:]
			if _, _, err := secret.Parse(wanted, retyped); (err == nil) != (made == wanted) {
				t.Errorf("%s retyped as %s: %v", made, wanted, err)
			}
		}
	}
}

func TestFormat_Vectors(t *testing.T) {
	t.Parallel()
	for _, v := range vectors {
		if got := secret.FromBytes(secret.Refresh, v.value).Reveal(); got != v.text {
			t.Errorf("got %s, want %s", got, v.text)
		}
		text, value, err := secret.Parse(secret.Refresh, v.text)
		if err != nil || value != v.value || text.Reveal() != v.text {
			t.Errorf("%s: %x %v", v.text, value, err)
		}
	}
	for _, p := range prefixes {
		if len(p) != 4 || len(secret.New(p).Reveal()) != secret.TokenLen {
			t.Errorf("%s: wrong length", p)
		}
	}
}

// TestFormat_AgainstBigInt compares with the plain definition of the format.
func TestFormat_AgainstBigInt(t *testing.T) {
	t.Parallel()
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	rapid.Check(t, func(t *rapid.T) {
		var value [32]byte
		copy(value[rapid.IntRange(0, 31).Draw(t, "zeros"):], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "value"))
		n, base, d := new(big.Int).SetBytes(value[:]), big.NewInt(62), new(big.Int)
		want := make([]byte, 43)
		for i := len(want) - 1; i >= 0; i-- {
			n.DivMod(n, base, d)
			want[i] = digits[d.Int64()]
		}
		text := secret.FromBytes(secret.Code, value).Reveal()
		if got := text[4:47]; got != string(want) {
			t.Fatalf("%x: got %s, want %s", value, got, want)
		}
		if _, back, err := secret.Parse(secret.Code, text); err != nil || back != value {
			t.Fatalf("%s: got %x, want %x: %v", text, back, value, err)
		}
	})
}

// TestNew_Random: tokens come from the one source of randomness, whole.
func TestNew_Random(t *testing.T) {
	cryptotest.SetGlobalRandom(t, 1)
	a, b := secret.New(secret.Refresh).Reveal(), secret.New(secret.Refresh).Reveal()
	cryptotest.SetGlobalRandom(t, 1)
	if again := secret.New(secret.Refresh).Reveal(); a != again || a == b {
		t.Errorf("got %s, %s, then %s", a, b, again)
	}
}

// FuzzParse: what is accepted is the one form of its value, and nothing panics. TOK-08
func FuzzParse(f *testing.F) {
	for _, v := range vectors {
		f.Add(v.text)
	}
	f.Add("sgr_zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz08J6In")
	f.Add("sgr_")
	f.Fuzz(func(t *testing.T, s string) {
		for _, p := range prefixes {
			text, value, err := secret.Parse(p, s)
			if err != nil {
				continue
			}
			if text.Reveal() != s || secret.FromBytes(p, value).Reveal() != s {
				t.Errorf("%q is not the form of %x", s, value)
			}
		}
		if secret.IsID(s) && len(s) != 22 {
			t.Errorf("%q is no id", s)
		}
	})
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		secret.New(secret.Refresh)
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := secret.Parse(secret.Refresh, vectors[3].text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHash(b *testing.B) {
	b.ReportAllocs()
	text := secret.NewText(vectors[3].text)
	for b.Loop() {
		secret.Hash("refresh", text)
	}
}

func ones() (v [32]byte) {
	for i := range v {
		v[i] = 0xff
	}
	return v
}

func counting() (v [32]byte) {
	for i := range v {
		v[i] = byte(i)
	}
	return v
}
