package strictjson_test

import (
	"slices"
	"testing"

	"github.com/signet-id/signet/verify/internal/strictjson"
)

// The scanner itself is tested through jose.CheckObject, which is the same.

func TestInt(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]int64{"0": 0, "-0": 0, "7": 7, "-7": -7, "9223372036854775807": 9223372036854775807} {
		if got, err := strictjson.Int([]byte(value)); err != nil || got != want {
			t.Errorf("%s: %d, %v", value, got, err)
		}
	}
	for _, value := range []string{"", "-", "1.0", "1e3", "1E3", `"1"`, "null", "true", "[1]", "9223372036854775808", "1-", "+1"} {
		if got, err := strictjson.Int([]byte(value)); err == nil {
			t.Errorf("%s: %d", value, got)
		}
	}
}

func TestString(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		`""`: "", `"a"`: "a", `"\"\\\/\b\f\n\r\t"`: "\"\\/\b\f\n\r\t", `"\u00e9x"`: "éx", `"\ud83d\ude00!"`: "😀!", `"é"`: "é", `"\u0000"`: "\x00",
	} {
		if got, err := strictjson.String([]byte(value)); err != nil || got != want {
			t.Errorf("%s: %q, %v", value, got, err)
		}
	}
	for _, value := range []string{"", `"`, "a", "1", "null", "[]", "{}"} {
		if got, err := strictjson.String([]byte(value)); err == nil {
			t.Errorf("%s: %q", value, got)
		}
	}
}

func TestStrings(t *testing.T) {
	t.Parallel()
	if got, err := strictjson.Strings([]byte(` ["a" , "b"]`[1:])); err != nil || !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("%q, %v", got, err)
	}
	for _, value := range []string{"", "null", `"a"`, "{}", "[1]", "[null]", `[["a"]]`} {
		if got, err := strictjson.Strings([]byte(value)); err == nil {
			t.Errorf("%s: %q", value, got)
		}
	}
}
