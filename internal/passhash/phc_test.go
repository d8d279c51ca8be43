package passhash_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/passhash"
)

const (
	salt = "AAAAAAAAAAAAAAAAAAAAAA"
	tag  = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)

func TestParse_Accepts(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]passhash.Params{
		"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + tag:            passhash.Default,
		"$argon2id$v=19$m=262144,t=4,p=4$" + salt + "$" + tag:           {Memory: 262144, Time: 4, Threads: 4},
		"$argon2id$v=19$m=65536,t=16,p=1$" + salt + "$" + tag:           {Memory: 65536, Time: 16, Threads: 1},
		"$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA": {Memory: 8, Time: 1, Threads: 1},
	} {
		if got, err := passhash.Parse(in); err != nil || got != want {
			t.Errorf("%s: %+v, %v", in, got, err)
		}
	}
}

// LOG-05: other schemes, other spellings, and costs that would keep a core busy.
func TestParse_LOG05_Refuses(t *testing.T) {
	t.Parallel()
	const good = "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + tag
	costs := func(s string) string { return "$argon2id$v=19$" + s + "$" + salt + "$" + tag }
	for name, in := range map[string]string{
		"empty":                          "",
		"bcrypt":                         "$2b$12$AAAAAAAAAAAAAAAAAAAAAOAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"argon2i":                        strings.Replace(good, "argon2id", "argon2i", 1),
		"argon2d":                        strings.Replace(good, "argon2id", "argon2d", 1),
		"upper case":                     strings.Replace(good, "argon2id", "Argon2id", 1),
		"version 16":                     strings.Replace(good, "v=19", "v=16", 1),
		"no version":                     strings.Replace(good, "$v=19", "", 1),
		"no dollar":                      good[1:],
		"something before":               "x" + good,
		"something after":                good + "$x",
		"line feed after":                good + "\n",
		"key id":                         costs("m=19456,t=2,p=1,keyid=AAAA"),
		"other order":                    costs("t=2,m=19456,p=1"),
		"missing cost":                   costs("m=19456,t=2"),
		"blank":                          costs("m=19456, t=2,p=1"),
		"leading zero":                   costs("m=019456,t=2,p=1"),
		"plus":                           costs("m=+19456,t=2,p=1"),
		"negative":                       costs("m=19456,t=-2,p=1"),
		"hexadecimal":                    costs("m=0x4c00,t=2,p=1"),
		"underscore":                     costs("m=19_456,t=2,p=1"),
		"no passes":                      costs("m=19456,t=0,p=1"),
		"no lanes":                       costs("m=19456,t=2,p=0"),
		"memory below lanes":             costs("m=31,t=2,p=4"),
		"no memory":                      costs("m=0,t=2,p=1"),
		"memory bomb":                    costs("m=262145,t=1,p=1"),
		"huge memory":                    costs("m=4294967295,t=1,p=1"),
		"overflow":                       costs("m=4294967304,t=1,p=1"),
		"long overflow":                  costs("m=99999999999999999999999999,t=1,p=1"),
		"time bomb":                      costs("m=8,t=17,p=1"),
		"huge time":                      costs("m=8,t=4294967295,p=1"),
		"lanes bomb":                     costs("m=4096,t=1,p=5"),
		"both within, too much together": costs("m=262144,t=5,p=1"),
		"padding":                        "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "==$" + tag,
		"unused bits":                    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAB$" + tag,
		"line feed inside":               "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAA\nAAAAAAAAAAAA$" + tag,
		"URL alphabet":                   "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAA-A$" + tag,
		"no salt":                        "$argon2id$v=19$m=19456,t=2,p=1$$" + tag,
		"short salt":                     "$argon2id$v=19$m=19456,t=2,p=1$AAAA$" + tag,
		"long salt":                      "$argon2id$v=19$m=19456,t=2,p=1$" + strings.Repeat("A", 88) + "$" + tag,
		"no tag":                         "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$",
		"short tag":                      "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$AAAA",
		"long tag":                       "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + strings.Repeat("A", 88),
		"very long":                      good + strings.Repeat("A", 1<<20),
	} {
		if p, err := passhash.Parse(in); !errors.Is(err, passhash.ErrFormat) {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

// Whatever is read is within the caps, and there is one spelling of it.
func FuzzParse(f *testing.F) {
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + tag)
	f.Add("$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA")
	f.Add("$2b$12$x")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := passhash.Parse(s)
		if err != nil {
			return
		}
		if p.Memory < 8*uint32(p.Threads) || p.Memory > 256<<10 || p.Time < 1 || p.Time > 16 || p.Threads < 1 || p.Threads > 4 || p.Memory*p.Time > 1<<20 {
			t.Fatalf("%q: %+v", s, p)
		}
		if passhash.Rewrite(s) != s {
			t.Fatalf("%q is also %q", s, passhash.Rewrite(s))
		}
	})
}
