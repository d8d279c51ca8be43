package idp_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/idp"
	"pgregory.net/rapid"
)

// LOG-02, LOG-06: every spelling of one account is one login; what is no name is none.
func TestCanonicalLogin_LOG06(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 64)
	for _, tt := range []struct{ name, in, want string }{
		{"plain", "ann", "ann"},
		{"case", "ANN", "ann"},
		{"blank after", "ann ", "ann"},
		{"blank before", "\t ann", "ann"},
		{"full width", "ＡＮＮ", "ann"},
		{"decomposed", "ame\u0301lie", "amélie"},
		{"composed upper", "AMÉLIE", "amélie"},
		{"kelvin sign", "mi\u212Ae", "mike"},
		{"greek", "ΝΊΚΟΣ", "νίκοσ"},
		{"greek final", "νίκος", "νίκοσ"},
		{"cyrillic", "Анна", "анна"},
		{"japanese mixes scripts", "山田はなこ", "山田はなこ"},
		{"korean", "김하나", "김하나"},
		{"digits", "007", "007"},
		{"dots and dashes", "ann.lee-smith_1", "ann.lee-smith_1"},
		{"plus", "ann+test", "ann+test"},
		{"e-mail", "ann@example.com", "ann@example.com"},
		{"e-mail case", "Ann.Lee@Example.COM", "ann.lee@example.com"},
		{"e-mail blank", " ann@example.com ", "ann@example.com"},
		{"e-mail sub-address", "ann+x@example.com", "ann+x@example.com"},
		{"e-mail signs", "o'neil/x=y@example.com", "o'neil/x=y@example.com"},
		{"e-mail umlaut domain", "ann@Müller.example", "ann@xn--mller-kva.example"},
		{"e-mail full-width domain", "ann@ｅxample.com", "ann@example.com"},
		{"e-mail A-label", "ann@XN--MLLER-KVA.example", "ann@xn--mller-kva.example"},
		{"e-mail sharp s stays", "ann@straße.example", "ann@xn--strae-oqa.example"},
		{"e-mail longest local", long + "@example.com", long + "@example.com"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := idp.CanonicalLogin(tt.in)
			if err != nil || got != tt.want {
				t.Fatalf("CanonicalLogin(%q) = %q, %v; want %q", tt.in, got, err, tt.want)
			}
		})
	}
}

// LOG-06: nothing of this is a name; a parser that took part of it would let two
// people be one, or one be two.
func TestCanonicalLogin_LOG06_Refuses(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"empty":             "",
		"blanks":            "   ",
		"inner blank":       "ann lee",
		"no-break space":    "ann\u00a0",
		"NUL":               "ann\x00",
		"line feed":         "ann\n",
		"escape":            "ann\x1b[31m",
		"zero width":        "an\u200bn",
		"bidi override":     "\u202enna",
		"tag":               "ann\U000e0061",
		"bad UTF-8":         "ann\xff",
		"ligature":          "oﬃce",
		"colon":             "ann:x",
		"full-width colon":  "ann：x",
		"small at":          "ann﹫example",
		"emoji":             "ann🙂",
		"Cyrillic in Latin": "аdmin",
		"Greek in Latin":    "αdmin",
		"Latin and Arabic":  "annعلي",
		"too long":          strings.Repeat("a", 255),
		"two at":            "ann@evil@example.com",
		"no local":          "@example.com",
		"no domain":         "ann@",
		"one label":         "ann@localhost",
		"dot before":        ".ann@example.com",
		"dot after":         "ann.@example.com",
		"two dots":          "ann..lee@example.com",
		"quoted":            `"ann lee"@example.com`,
		"comment":           "ann(x)@example.com",
		"display name":      "Ann <ann@example.com>",
		"address list":      "ann@example.com,bob@example.com",
		"header injection":  "ann@example.com\r\nBcc: bob@example.com",
		"literal":           "ann@[192.0.2.1]",
		"IP address":        "ann@192.0.2.1",
		"root dot":          "ann@example.com.",
		"empty label":       "ann@example..com",
		"hyphen first":      "ann@-example.com",
		"hyphen last":       "ann@example-.com",
		"underscore":        "ann@ex_ample.com",
		"percent":           "ann@exam%70le.com",
		"local too long":    strings.Repeat("a", 65) + "@example.com",
		"label too long":    "ann@" + strings.Repeat("a", 64) + ".com",
		"domain too long":   "ann@" + strings.Repeat("a.", 130) + "com",
		"address too long":  strings.Repeat("a", 64) + "@" + strings.Repeat("abcdefg.", 24) + "com",
		"non-ASCII local":   "änn@example.com",
		"kelvin local":      "mi\u212Ae@example.com",
		"full-width at":     "ann＠example.com",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := idp.CanonicalLogin(in); !errors.Is(err, idp.ErrInvalid) {
				t.Fatalf("CanonicalLogin(%q) = %q, %v; want ErrInvalid", in, got, err)
			}
		})
	}
}

// A canonical form is its own canonical form; otherwise look-up and storage disagree.
func TestCanonicalLogin_Idempotent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringMatching(`[A-Za-zÀ-ÿΑ-ωА-я0-9._@-]{1,30}`)).Draw(t, "login")
		once, err := idp.CanonicalLogin(s)
		if err != nil {
			t.Skip()
		}
		if twice, err := idp.CanonicalLogin(once); err != nil || twice != once {
			t.Fatalf("%q -> %q -> %q, %v", s, once, twice, err)
		}
	})
}

// Mail goes to the local part as the person wrote it.
func TestMailbox_KeepsLocalPart(t *testing.T) {
	t.Parallel()
	got, err := idp.Mailbox("Ann.Lee@Example.COM")
	if err != nil || got != "Ann.Lee@example.com" {
		t.Fatalf("%q, %v", got, err)
	}
}

// RFC 3492 §7.1: the samples, as labels of a domain.
func TestMailbox_RFC3492_7_1_Punycode(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"他们为什么不说中文":                    "xn--ihqwcrb4cv8a8dqg056pqjye",
		"他們爲什麽不說中文":                    "xn--ihqwctvzc91f659drss3x8bo0yb",
		"почемужеонинеговорятпорусски": "xn--b1abfaaepdrnnbgefbadotcwatmq2g4l",
		"bücher": "xn--bcher-kva",
		"例え":     "xn--r8jz45g",
		"españa": "xn--espaa-rta",
		"ドメイン名例": "xn--eckwd4c7cu47r2wf",
	} {
		got, err := idp.Mailbox("a@" + in + ".example")
		if err != nil || got != "a@"+want+".example" {
			t.Errorf("%s: %q, %v; want %s", in, got, err, want)
		}
	}
}

// LOG-03: one IPv6 network is one visitor.
func TestNetwork_LOG03(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"192.0.2.1":            "192.0.2.1/32",
		"::ffff:192.0.2.1":     "192.0.2.1/32",
		"2001:db8::1":          "2001:db8::/64",
		"2001:db8::ffff:1:2:3": "2001:db8::/64",
		"2001:db8:0:1::1":      "2001:db8:0:1::/64",
		"fe80::1%eth0":         "fe80::/64",
	} {
		if got := idp.Network(netip.MustParseAddr(in)); got != want {
			t.Errorf("%s: %s; want %s", in, got, want)
		}
		if got := (idp.Actor{IP: in}).Network(); got != want {
			t.Errorf("actor %s: %s; want %s", in, got, want)
		}
	}
	if got := (idp.Actor{}).Network(); got != "unknown" {
		t.Errorf("no address: %s", got)
	}
}

// LOG-03: who has one IPv6 network for nothing may have the 65,535 beside it as well.
func TestSite_LOG03(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"192.0.2.1": "", "::ffff:192.0.2.1": "", "2001:db8::1": "2001:db8::/48", "2001:db8:0:ff12::1": "2001:db8::/48", "2001:db8:1::1": "2001:db8:1::/48",
	} {
		if got := idp.Site(idp.Network(netip.MustParseAddr(in))); got != want {
			t.Errorf("%s: %q; want %q", in, got, want)
		}
	}
	for _, in := range []string{"", "unknown", "2001:db8::/32", "2001:db8::1"} {
		if got := idp.Site(in); got != "" {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func FuzzCanonicalLogin(f *testing.F) {
	for _, s := range []string{"ann", "Ann@Example.com", "ann@müller.example", "\u202eann", "a@xn--.com", "a@\xff.com"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := idp.CanonicalLogin(s)
		if err != nil {
			return
		}
		if len(got) == 0 || len(got) > 254 || strings.ContainsAny(got, " \t\r\n\x00") {
			t.Fatalf("%q -> %q", s, got)
		}
	})
}
