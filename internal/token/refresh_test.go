package token_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/token"
)

// TestParseRefresh_Rejections: every truncation and extension, and every other kind of
// opaque token. TOK-08, TOK-09
func TestParseRefresh_Rejections(t *testing.T) {
	t.Parallel()
	tok, _, _ := token.NewRefresh()
	good := tok.Reveal()
	var bad []string
	for i := range len(good) {
		bad = append(bad, good[:i], good[i+1:], good[:i]+good[i+1:], good[:i]+"0"+good[i:], good+good[i:])
	}
	for _, p := range []secret.Prefix{secret.Access, secret.Code, secret.Personal, secret.ClientSecret, secret.Session, secret.Flow} {
		bad = append(bad, secret.New(p).Reveal(), string(p)+good[4:])
	}
	for _, s := range bad {
		if tok, _, _, err := token.ParseRefresh(s); !errors.Is(err, secret.ErrFormat) || !tok.Empty() {
			t.Errorf("%q accepted", s)
		}
	}
	if again, _, _, err := token.ParseRefresh(good); err != nil || again.Reveal() != good {
		t.Error(err)
	}
}

// TestRefresh_Family: all tokens of a family are found by one handle, none by another's,
// and each has a hash of its own. OAU-09
func TestRefresh_Family(t *testing.T) {
	t.Parallel()
	first, family, hash := token.NewRefresh()
	seen := map[[32]byte]bool{hash: true}
	current := first
	for range 100 {
		next, hash, _ := token.NextRefresh(current, "")
		parsed, handle, parsedHash, err := token.ParseRefresh(next.Reveal())
		if err != nil || handle != family || parsedHash != hash || parsed.Reveal() != next.Reveal() {
			t.Fatalf("handle %x of family %x: %v", handle, family, err)
		}
		if seen[hash] || seen[handle] || hash != secret.Hash("refresh", next) {
			t.Fatal("hashes repeat")
		}
		seen[hash], current = true, next
	}
	if _, other, _ := token.NewRefresh(); other == family {
		t.Error("two families with one handle")
	}
}

// TestRefresh_NoPrediction: neither a token nor its sealed successor's bytes tell the
// next secret: two rotations of one token differ, and only the handle stays. OAU-09
func TestRefresh_NoPrediction(t *testing.T) {
	t.Parallel()
	presented, _, _ := token.NewRefresh()
	a, _, sealedA := token.NextRefresh(presented, "")
	b, _, sealedB := token.NextRefresh(presented, "")
	_, va, err1 := secret.Parse(secret.Refresh, a.Reveal())
	_, vb, err2 := secret.Parse(secret.Refresh, b.Reveal())
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if [16]byte(va[:16]) != [16]byte(vb[:16]) || [16]byte(va[16:]) == [16]byte(vb[16:]) || bytes.Equal(sealedA, sealedB) {
		t.Error("successors are not independent")
	}
	if bytes.Contains(sealedA, va[16:]) || strings.Contains(string(sealedA), a.Reveal()) {
		t.Error("sealed in the clear")
	}
	if len(sealedA) > 64 {
		t.Errorf("%d bytes a rotation", len(sealedA))
	}
}

// TestOpenSuccessor_OnlyForThePresented: the successor opens with the token that it
// replaced; not with itself, not with a sibling, and not with what the database has. OAU-10, STO-09
func TestOpenSuccessor_OnlyForThePresented(t *testing.T) {
	t.Parallel()
	presented, handleHash, hash := token.NewRefresh()
	next, nextHash, sealed := token.NextRefresh(presented, "")
	opened, err := token.OpenSuccessor(presented, "", sealed)
	if err != nil || opened.Reveal() != next.Reveal() {
		t.Fatalf("a retry gets another token: %v", err)
	}
	_, value, err := secret.Parse(secret.Refresh, presented.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	sameHandle, sameSecret := value, value
	sameHandle[31] ^= 1
	sameSecret[0] ^= 1
	stranger, _, _ := token.NewRefresh()
	for name, key := range map[string]secret.Text{
		"the successor":      next,
		"another family":     stranger,
		"sibling":            secret.FromBytes(secret.Refresh, sameHandle),
		"other handle":       secret.FromBytes(secret.Refresh, sameSecret),
		"the token's hash":   secret.FromBytes(secret.Refresh, hash),
		"the handle's hash":  secret.FromBytes(secret.Refresh, handleHash),
		"the successor hash": secret.FromBytes(secret.Refresh, nextHash),
		"a code":             secret.FromBytes(secret.Code, value),
		"nothing":            {},
	} {
		if got, err := token.OpenSuccessor(key, "", sealed); err == nil || !got.Empty() {
			t.Errorf("%s opened it", name)
		}
	}
	// With the stored values as keys themselves, it does not open either.
	for _, key := range [][32]byte{hash, handleHash, nextHash, secret.Derive(hash[:], "refresh_successor")} {
		if _, err := secret.Open(key, sealed, nil); err == nil {
			t.Error("the database opens it")
		}
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := token.OpenSuccessor(presented, "", changed); err == nil {
			t.Errorf("byte %d changed, and it opened", i)
		}
		if _, err := token.OpenSuccessor(presented, "", sealed[:i]); err == nil {
			t.Errorf("cut to %d bytes, and it opened", i)
		}
	}
}

func BenchmarkNextRefresh(b *testing.B) {
	presented, _, _ := token.NewRefresh()
	b.ReportAllocs()
	for b.Loop() {
		token.NextRefresh(presented, "")
	}
}
