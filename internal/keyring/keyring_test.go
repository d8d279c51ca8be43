package keyring_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/keyring"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/store"
	"github.com/signet-id/signet/verify/jose"
)

var (
	start      = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	operator   = idp.Actor{Kind: "operator", ID: "test"}
	algorithms = []jose.Algorithm{jose.RS256, jose.ES256, jose.EdDSA}
)

// TestOpen_WrongKEK: nothing opens, nothing is replaced, and the error says why. STO-09
func TestOpen_WrongKEK(t *testing.T) {
	t.Parallel()
	db, kek := openStore(t), secret.Key()
	first := mustOpen(t, db, kek)
	before := stored(t, db)
	for name, wrong := range map[string][32]byte{"another": secret.Key(), "zero": {}, "one bit": flipped(kek)} {
		if _, err := keyring.Open(t.Context(), db, keyring.Config{KEK: wrong}, start); !errors.Is(err, keyring.ErrKEK) {
			t.Errorf("%s: got %v", name, err)
		} else if !strings.Contains(err.Error(), "key-encryption key") {
			t.Errorf("%s: the message helps nobody: %v", name, err)
		}
	}
	if after := stored(t, db); len(after) != len(before) {
		t.Errorf("%d keys became %d", len(before), len(after))
	}
	if again := mustOpen(t, db, kek); !bytes.Equal(again.JWKS(), first.JWKS()) {
		t.Error("the keys changed")
	}
}

// TestOpen_AlteredRows: who can write to the database but lacks the KEK cannot make us
// publish a key or sign with the wrong one. STO-09
func TestOpen_AlteredRows(t *testing.T) {
	t.Parallel()
	kek := shared.kek
	rs, es, ed := shared.rows(t)[0], shared.rows(t)[1], shared.rows(t)[2]
	foreign, err := keyring.Generate(jose.EdDSA, secret.Key(), start)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]func(k *idp.SigningKey){
		"foreign key":           func(k *idp.SigningKey) { *k = foreign },
		"foreign name":          func(k *idp.SigningKey) { k.ID = foreign.ID },
		"foreign seal":          func(k *idp.SigningKey) { k.Sealed = foreign.Sealed },
		"other algorithm":       func(k *idp.SigningKey) { k.Alg = "ES256" },
		"other row's seal":      func(k *idp.SigningKey) { k.Sealed = es.Sealed },
		"name and seal swapped": func(k *idp.SigningKey) { k.ID, k.Sealed = es.ID, es.Sealed },
		"no seal":               func(k *idp.SigningKey) { k.Sealed = nil },
		"truncated seal":        func(k *idp.SigningKey) { k.Sealed = k.Sealed[:len(k.Sealed)-1] },
		"changed seal":          func(k *idp.SigningKey) { k.Sealed = append(bytes.Clone(k.Sealed[1:]), 0) },
		"name of another kind":  func(k *idp.SigningKey) { k.ID += "x" },
		"name is no thumbprint": func(k *idp.SigningKey) {
			renamed, err := keyring.Rename(*k, kek, es.ID+"2")
			if err != nil {
				t.Fatal(err)
			}
			*k = renamed
		},
	}
	for name, alter := range rows {
		k := ed
		alter(&k)
		// The seal itself must not open; only a name that we sealed is looked at later.
		_, err := keyring.Open(t.Context(), &rowsOnly{keys: []idp.SigningKey{k, es}}, keyring.Config{KEK: kek}, start)
		if sealed := name != "name is no thumbprint"; err == nil || errors.Is(err, keyring.ErrKEK) != sealed || errors.Is(err, errAdd) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	// The public half in the row is not believed either: the sealed one is published.
	k := ed
	k.PublicJWK = foreign.PublicJWK
	ring, err := keyring.Open(t.Context(), &rowsOnly{keys: []idp.SigningKey{rs, es, k}}, keyring.Config{KEK: kek}, start)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(ring.JWKS(), []byte(foreign.ID)) {
		t.Error("published a key from the unsealed column")
	}
}

// TestOpen_FirstStart: one key for each algorithm, named by its thumbprint, that signs
// and verifies at once.
func TestOpen_FirstStart(t *testing.T) {
	t.Parallel()
	db := openStore(t)
	ring := mustOpen(t, db, secret.Key())
	if err := ring.Ready(); err != nil {
		t.Fatal(err)
	}
	for _, alg := range algorithms {
		signer, err := ring.Signer(alg)
		if err != nil {
			t.Fatal(err)
		}
		thumbprint, err := jose.Thumbprint(signer.Key().Public())
		if err != nil || signer.Key().ID() != thumbprint || signer.Key().Algorithm() != alg {
			t.Errorf("%s: kid %s, thumbprint %s (RFC 7638), %v", alg, signer.Key().ID(), thumbprint, err)
		}
		tok, err := signer.Sign("x", []byte(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		if _, key, err := ring.Keys().Verify(tok, "x"); err != nil || key.ID() != thumbprint {
			t.Errorf("%s: %v", alg, err)
		}
	}
	for _, alg := range []jose.Algorithm{jose.PS256, jose.PS384} {
		if _, err := ring.Signer(alg); !errors.Is(err, idp.ErrNotFound) {
			t.Errorf("%s: %v", alg, err)
		}
	}
	if _, err := ring.Signer(""); !errors.Is(err, idp.ErrNotFound) {
		t.Errorf("no algorithm: %v", err)
	}
}

// TestJWKS_RFC7517_5_PublicOnly: every key has a name, a use and an algorithm, and none
// a private member. JOS-21
func TestJWKS_RFC7517_5_PublicOnly(t *testing.T) {
	t.Parallel()
	ring := shared.open(t)
	var doc struct {
		Keys []map[string]any `json:"keys"`
	}
	if err := json.Unmarshal(ring.JWKS(), &doc); err != nil || len(doc.Keys) != len(algorithms) {
		t.Fatalf("%s: %v", ring.JWKS(), err)
	}
	allowed := map[string][]string{
		"OKP": {"kty", "use", "alg", "kid", "crv", "x"},
		"EC":  {"kty", "use", "alg", "kid", "crv", "x", "y"},
		"RSA": {"kty", "use", "alg", "kid", "n", "e"},
	}
	kids := map[any]bool{}
	for i, k := range doc.Keys {
		kty, _ := k["kty"].(string)
		if len(k) != len(allowed[kty]) {
			t.Errorf("%s key has %d members: %v", kty, len(k), k)
		}
		for _, name := range allowed[kty] {
			if s, ok := k[name].(string); !ok || s == "" {
				t.Errorf("%s key: member %s is missing", kty, name)
			}
		}
		if k["use"] != "sig" || k["alg"] != string(algorithms[i]) || kids[k["kid"]] {
			t.Errorf("use %v, alg %v, kid %v", k["use"], k["alg"], k["kid"])
		}
		kids[k["kid"]] = true
	}
	if _, err := jose.ParseKeySet(ring.JWKS()); err != nil {
		t.Error(err)
	}
}

// TestStore_NoPrivateKeyAtRest: the database's files hold no private half and no KEK. STO-09
func TestStore_NoPrivateKeyAtRest(t *testing.T) {
	t.Parallel()
	dir, kek := t.TempDir(), secret.Key()
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(dir, "signet.db"), store.Options{RuleLifetime: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	mustOpen(t, db, kek)
	canaries := map[string][]byte{"KEK": kek[:]}
	for _, k := range stored(t, db) {
		der, err := keyring.Unseal(k, kek)
		if err != nil {
			t.Fatal(err)
		}
		canaries[k.Alg+" key"] = privatePart(t, der)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for what, canary := range canaries {
			if bytes.Contains(content, canary) {
				t.Errorf("%s holds the %s", filepath.Base(name), what)
			}
		}
	}
}

// TestOpen_TwoNodes: nodes that start at once end with the same keys. STO-04
func TestOpen_TwoNodes(t *testing.T) {
	t.Parallel()
	db, kek := openStore(t), secret.Key()
	const nodes = 4
	rings := make([]*keyring.Ring, nodes)
	var all sync.WaitGroup
	for i := range nodes {
		all.Go(func() {
			ring, err := keyring.Open(t.Context(), db, keyring.Config{KEK: kek}, start)
			if err != nil {
				t.Error(err)
			}
			rings[i] = ring
		})
	}
	all.Wait()
	if t.Failed() {
		return
	}
	for _, ring := range rings[1:] {
		if !bytes.Equal(ring.JWKS(), rings[0].JWKS()) {
			t.Errorf("%s\n%s", ring.JWKS(), rings[0].JWKS())
		}
	}
	if n := len(stored(t, db)); n != len(algorithms) {
		t.Errorf("%d keys", n)
	}
}

// TestReload_RetiredKey: an emergency retirement takes the key out of the set at once,
// whatever the node's clock says, and another takes over. TOK-07, STO-05
func TestReload_RetiredKey(t *testing.T) {
	t.Parallel()
	db := openStore(t)
	ring := mustOpen(t, db, secret.Key())
	signer, err := ring.Signer(jose.EdDSA)
	if err != nil {
		t.Fatal(err)
	}
	old := signer.Key().ID()
	if err := db.RetireKey(t.Context(), operator, old, start.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := ring.Reload(t.Context(), start); err != nil { // this clock is an hour late
		t.Fatal(err)
	}
	if _, published := ring.Keys().Key(old); published || bytes.Contains(ring.JWKS(), []byte(old)) {
		t.Error("the retired key is still published")
	}
	if signer, err = ring.Signer(jose.EdDSA); err != nil || signer.Key().ID() == old {
		t.Errorf("no successor: %v", err)
	}
	if n := len(ring.Keys().Keys()); n != len(algorithms) {
		t.Errorf("%d keys", n)
	}
}

// TestReload_Times: staged keys are published but do not sign, retiring ones too; of
// several the first one signs until its row says that it retires, whatever the clock. TOK-07
func TestReload_Times(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		alter  func(a, b, c *idp.SigningKey)
		signs  int // index of the key that signs at start
		public int
	}{
		{"the first, until it hands over", func(a, b, c *idp.SigningKey) {
			a.ActiveAt, b.ActiveAt, c.ActiveAt = start.Add(-2*time.Hour), start.Add(-time.Hour), start.Add(-3*time.Hour)
		}, 2, 3},
		{"staged does not sign", func(a, b, c *idp.SigningKey) {
			a.ActiveAt, b.ActiveAt, c.ActiveAt = start.Add(time.Second), start.Add(time.Hour), start
		}, 2, 3},
		{"never active does not sign", func(a, b, c *idp.SigningKey) {
			a.ActiveAt, b.ActiveAt, c.ActiveAt = time.Time{}, start, time.Time{}
		}, 1, 3},
		{"retiring does not sign", func(a, b, c *idp.SigningKey) {
			a.RetiringAt, b.RetiringAt, c.ActiveAt = start.Add(-time.Hour), start.Add(time.Hour), start.Add(time.Hour)
		}, 2, 3},
		{"retired is not published", func(a, b, c *idp.SigningKey) {
			a.RetiredAt, b.RetiredAt = start, start.Add(time.Hour)
		}, 2, 1},
		{"clock set back: the first that will be active", func(a, b, c *idp.SigningKey) {
			a.ActiveAt, b.ActiveAt, c.ActiveAt = start.Add(3*time.Hour), start.Add(time.Hour), start.Add(2*time.Hour)
		}, 1, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var keys [3]idp.SigningKey
			for i := range keys {
				keys[i] = shared.make(t, jose.EdDSA)
			}
			tt.alter(&keys[0], &keys[1], &keys[2])
			rows := &rowsOnly{keys: append(keys[:], shared.rows(t)[:2]...)} // and those of other algorithms
			ring, err := keyring.Open(t.Context(), rows, keyring.Config{KEK: shared.kek}, start)
			if err != nil {
				t.Fatal(err)
			}
			signer, err := ring.Signer(jose.EdDSA)
			if err != nil || signer.Key().ID() != keys[tt.signs].ID {
				t.Errorf("another key signs: %v", err)
			}
			if n := len(ring.Keys().Keys()) - 2; n != tt.public {
				t.Errorf("%d keys are published", n)
			}
		})
	}
}

// TestReload_Failure: a ring that cannot be read again stays as it was.
func TestReload_Failure(t *testing.T) {
	t.Parallel()
	rows := &rowsOnly{keys: shared.rows(t)}
	ring, err := keyring.Open(t.Context(), rows, keyring.Config{KEK: shared.kek}, start)
	if err != nil {
		t.Fatal(err)
	}
	before := ring.JWKS()
	rows.err = idp.ErrUnavailable
	if err := ring.Reload(t.Context(), start); !errors.Is(err, idp.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	rows.err, rows.keys = nil, []idp.SigningKey{{ID: "x", Alg: "EdDSA", ActiveAt: start, Sealed: []byte("x")}}
	if err := ring.Reload(t.Context(), start); !errors.Is(err, keyring.ErrKEK) {
		t.Errorf("got %v", err)
	}
	if !bytes.Equal(ring.JWKS(), before) || ring.Ready() != nil {
		t.Error("the ring changed")
	}
}

// TestReload_NewerRelease: a kind of key that this release does not know is left alone. STO-10
func TestReload_NewerRelease(t *testing.T) {
	t.Parallel()
	newer := idp.SigningKey{ID: "pq", Alg: "FN-DSA-512", ActiveAt: start, Sealed: []byte("x")}
	ring, err := keyring.Open(t.Context(), &rowsOnly{keys: append(shared.rows(t), newer)}, keyring.Config{KEK: shared.kek}, start)
	if err != nil || len(ring.Keys().Keys()) != len(algorithms) {
		t.Errorf("got %v", err)
	}
}

// TestRing_Format: printing a ring prints no key. OPS-01
func TestRing_Format(t *testing.T) {
	t.Parallel()
	ring := shared.open(t)
	if got := fmt.Sprintf("%v %+v %#v %s", ring, ring, ring, ring); got != strings.TrimSpace(strings.Repeat("[keyring] ", 4)) {
		t.Errorf("got %s", got)
	}
}
