package authn_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/authn"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

var annLee = idp.User{
	ID: "1", Username: "Ann.Lee", Email: "annabel.lee@kingdom.example",
	Profile: idp.Profile{Name: "Annabel Lee", GivenName: "Annabel", FamilyName: "Lee", Nickname: "Belle"},
}

// LOG-09, NIST SP 800-63B-4 §3.1.1.2: long, not known, not about the person; and no rule
// about kinds of characters.
func TestAcceptable_LOG09(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		password string
		want     authn.Reason // empty: acceptable
	}{
		"words":                      {"seven wet otters juggle", ""},
		"lower case only":            {"kgqznvbwtyhmrpd", ""},
		"digits only":                {"839201746510927364", ""},
		"with blanks around":         {"  seven wet otters ", ""},
		"64 characters":              {strings.Repeat("seven wet otters", 1) + " juggle forty blue kettles at dawn near Oslo!", ""},
		"1,024 bytes":                {strings.Repeat("seven wet otters ", 60) + "abxy", ""},
		"umlauts are one character":  {"zwölf böse Käuze", ""},
		"emoji":                      {"🦦🥌🪁🧲🪜 otter kite", ""},
		"Chinese":                    {"七只湿水獭在月光下玩弄彩色的小石头", ""},
		"a name among other words":   {"annabel feeds nine otters", ""},
		"our name among other words": {"signet feeds nine otters", ""},
		"a common word among others": {"welcome nine wet otters", ""},
		"15 characters":              {"otter kite wind", ""},
		"managed password":           {"xK9#mQ2$vL7@pR4!", ""},

		"empty":                       {"", authn.TooShort},
		"14 characters":               {"otter kite win", authn.TooShort},
		"14 characters of many bytes": {"ötter kïte wïn", authn.TooShort},
		"1,025 bytes":                 {strings.Repeat("seven wet otters ", 60) + "abxyz", authn.TooLong},

		"one letter":           {"aaaaaaaaaaaaaaaaaaaa", authn.Pattern},
		"four letters":         {"abcdabcdabcddcba", authn.Pattern},
		"a unit three times":   {"otter1otter1otter1", authn.Pattern},
		"a unit with case":     {"OTTER1otter1Otter1", authn.Pattern},
		"a word twice":         {"kettledkettledkettl", authn.Pattern},
		"alphabet":             {"abcdefghijklmnop", authn.Pattern},
		"alphabet backwards":   {"zyxwvutsrqponmlk", authn.Pattern},
		"digits":               {"1234567890123456", authn.Pattern},
		"keyboard":             {"qwertyuiopasdfgh", authn.Pattern},
		"German keyboard":      {"qwertzuiopasdfgh", authn.Pattern},
		"keyboard backwards":   {"poiuytrewqlkjhgf", authn.Pattern},
		"keyboard with an end": {"qwertyuiop12345!", authn.Pattern},

		"famous":                        {"correct horse battery staple", authn.Common},
		"famous without blanks":         {"correcthorsebatterystaple", authn.Common},
		"famous with signs":             {"Correct-Horse-Battery-Staple!", authn.Common},
		"famous with year":              {"correcthorsebatterystaple2026", authn.Common},
		"famous with digits as letters": {"c0rr3cth0rs3b4tt3ryst4pl3", authn.Common},
		"saying":                        {"To be, or not to be", authn.Common},
		"saying in film":                {"May the Force be with you!", authn.Common},
		"German":                        {"das ist mein passwort", authn.Common},
		"keys that look random":         {"1qaz2wsx3edc4rfv", authn.Common},
		"pi":                            {"3.14159265358979", authn.Common},
		"word and digits":               {"password12345678", authn.Common},
		"word and year":                 {"Welcome!!!2026!!!", authn.Common},
		"words of that kind":            {"adminpasswordlogin1", authn.Common},
		"word with signs as letters":    {"P@$$word20262027", authn.Common},

		"username":       {"annlee-20262027!", authn.Personal},
		"username again": {"ann.lee.ann.lee.1", authn.Personal},
		"e-mail address": {"annabel.lee@kingdom", authn.Personal},
		"name":           {"Annabel Lee 1998!", authn.Personal},
		"nickname":       {"belle belle 19981231", authn.Personal},
		"this service":   {"signet-signet-2026", authn.Personal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := authn.Acceptable(secret.NewText(tt.password), annLee)
			u, refused := errors.AsType[*authn.Unacceptable](err)
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (!refused || u.Reason != tt.want || !errors.Is(err, idp.ErrInvalid)):
				t.Errorf("%v; want %s", err, tt.want)
			case refused && (u.Error() == "" || tt.password != "" && strings.Contains(u.Error(), tt.password)):
				t.Errorf("text: %q", u)
			}
		})
	}
}

// A user of whom nothing is known has no words of his own.
func TestAcceptable_EmptyUser(t *testing.T) {
	t.Parallel()
	if err := authn.Acceptable(secret.NewText("seven wet otters juggle"), idp.User{}); err != nil {
		t.Error(err)
	}
}

// Every reason has a text that a person can act on.
func TestUnacceptable_Texts(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range []authn.Reason{authn.TooShort, authn.TooLong, authn.Common, authn.Pattern, authn.Personal, authn.Unchanged, "other"} {
		text := (&authn.Unacceptable{Reason: r}).Error()
		if seen[text] {
			t.Errorf("%s: %q again", r, text)
		}
		seen[text] = true
	}
}

func FuzzAcceptable(f *testing.F) {
	f.Add("correct horse battery staple")
	f.Add("\xff\x00p@$$w0rd")
	f.Fuzz(func(t *testing.T, s string) {
		if err := authn.Acceptable(secret.NewText(s), annLee); err == nil && (len(s) > 1024 || len([]rune(s)) < 15) {
			t.Fatalf("%q", s)
		}
	})
}
