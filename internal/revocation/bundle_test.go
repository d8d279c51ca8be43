package revocation_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/revocation"
	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/jose"
)

// bundled is a bundle as a verifier without a network reads it.
func bundled(t *testing.T, b revocation.Bundle, now time.Time) verify.Status {
	t.Helper()
	file := filepath.Join(t.TempDir(), "bundle")
	if err := os.WriteFile(file, []byte(b.Token), 0o600); err != nil {
		t.Fatal(err)
	}
	v, err := verify.NewOffline(issuer, "https://orders.example.com",
		verify.Bundle{File: file, Signers: []string{b.Signer}, MaxAge: time.Hour}, verify.Clock(func() time.Time { return now }))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- v.Run(ctx) }()
	select {
	case <-v.Ready():
	case <-time.After(10 * time.Second):
		t.Error("not ready: ", v.Status().LastTrouble)
	}
	cancel()
	<-done
	return v.Status()
}

// TOK-12: a bundle has every live rule, however many batches they would be, and no more.
func TestBundle_TOK12_AllRules(t *testing.T) {
	t.Parallel()
	now := time.Now()
	l, s := newMemLog(), newSigning(t, "k1")
	over := grants(1, now)
	over[0].Until = now.Add(-time.Second)
	l.append(false, over...)
	l.append(false, grants(2500, now)...)
	l.append(false, idp.Rule{Kind: idp.RuleClient, ID: "c", Before: now, At: now, Until: now.Add(time.Hour)})
	keys, err := jose.NewKeySet(s.signer.Key())
	if err != nil {
		t.Fatal(err)
	}
	h := newHub(l, s)
	b, err := h.Bundle(t.Context(), keys, 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if b.Rules != 2501 || b.Keys != 1 || b.Issuer != issuer || b.ExpiresAt.Sub(b.IssuedAt) != 24*time.Hour {
		t.Errorf("%d rules, %d keys, %s to %s", b.Rules, b.Keys, b.IssuedAt, b.ExpiresAt)
	}
	if got := bundled(t, b, now); got.Rules != 2501 || got.Position != 2502 || got.Epoch != "e1" || len(got.Keys) != 1 || got.Stale {
		t.Errorf("a verifier has %+v", got)
	}
}

// TOK-07, TOK-13: a key does not sign a bundle that retires it; a log that cannot be read,
// or is replaced meanwhile, makes none.
func TestBundle_TOK13_Refuses(t *testing.T) {
	t.Parallel()
	now := time.Now()
	gone := errors.New("database is gone")
	for name, tc := range map[string]struct {
		prepare func(*memLog)
		want    error
	}{
		"retired key": {func(l *memLog) {
			l.append(false, idp.Rule{Kind: idp.RuleKey, ID: "k1", At: now, Until: now.Add(time.Hour)})
		}, revocation.ErrRetiredKey},
		"no database": {func(l *memLog) { l.fail(gone) }, gone},
		"replaced":    {func(l *memLog) { l.onRead = func() { l.epoch = fmt.Sprint("e", l.reads+1) } }, revocation.ErrReplaced},
		"too many":    {func(l *memLog) { l.append(false, grants(340_000, now)...) }, revocation.ErrBundleSize},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, s := newMemLog(), newSigning(t, "k1")
			tc.prepare(l)
			keys, err := jose.NewKeySet(s.signer.Key())
			if err != nil {
				t.Fatal(err)
			}
			if b, err := newHub(l, s).Bundle(t.Context(), keys, time.Hour); !errors.Is(err, tc.want) || b.Token != "" {
				t.Errorf("%v, %d bytes", err, len(b.Token))
			}
		})
	}
}
