package differ_test

import (
	"crypto"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	gojose "github.com/go-jose/go-jose/v4"
	"github.com/lestrrat-go/jwx/v3/jwk"

	"github.com/signet-id/signet/verify/jose"
)

// keyReaders read a key set and say which public keys they would check signatures with,
// by kid. The columns are go-jose and jwx.
var keyReaders = []struct {
	name string
	read func(doc []byte) (map[string]crypto.PublicKey, error)
}{
	{"go-jose v4", goJOSEKeys},
	{"jwx v3", jwxKeys},
}

func ourKeys(doc []byte) (map[string]crypto.PublicKey, error) {
	set, err := jose.ParseKeySet(doc)
	if err != nil {
		return nil, err
	}
	keys := map[string]crypto.PublicKey{}
	for _, k := range set.Keys() {
		keys[k.ID()] = k.Public()
	}
	return keys, nil
}

func goJOSEKeys(doc []byte) (map[string]crypto.PublicKey, error) {
	var set gojose.JSONWebKeySet
	if err := json.Unmarshal(doc, &set); err != nil {
		return nil, err
	}
	keys := map[string]crypto.PublicKey{}
	for _, k := range set.Keys {
		if _, taken := keys[k.KeyID]; k.Valid() && !taken { // the first is found first
			keys[k.KeyID] = k.Public().Key
		}
	}
	return keys, nil
}

func jwxKeys(doc []byte) (map[string]crypto.PublicKey, error) {
	set, err := jwk.Parse(doc)
	if err != nil {
		return nil, err
	}
	keys := map[string]crypto.PublicKey{}
	for n := range set.Len() {
		k, _ := set.Key(n)
		kid, _ := k.KeyID()
		public, err := jwk.PublicKeyOf(k)
		if err != nil {
			continue
		}
		var raw any
		if _, taken := keys[kid]; taken || jwk.Export(public, &raw) != nil {
			continue
		}
		keys[kid] = raw
	}
	return keys, nil
}

// readKeys asks a reader, which may panic.
func readKeys(read func([]byte) (map[string]crypto.PublicKey, error), doc string) (keys map[string]crypto.PublicKey, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return read([]byte(doc))
}

// sameKey compares keys as the standard library does.
func sameKey(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}

// TestKeySetDifferences shows for every row who takes the key, and that ours does not.
func TestKeySetDifferences(t *testing.T) {
	for _, r := range keyRows {
		if _, err := readKeys(ourKeys, r.doc); err == nil || panics(err) {
			t.Errorf("%s: ours: %v", r.what, err)
		}
		accepts := ""
		for n, o := range keyReaders {
			keys, err := readKeys(o.read, r.doc)
			if panics(err) {
				t.Errorf("%s: %s: %v", r.what, o.name, err)
			}
			if err == nil && len(keys) > 0 {
				accepts += letters[n+1 : n+2]
			}
		}
		if accepts != r.accepts || accepts == "" {
			t.Errorf("%s: accepted by %q, the table says %q", r.what, accepts, r.accepts)
		}
	}
	document(t, "keys", keyTable(keyRows))
}

// What ours takes and others do not: keys beside others that nobody knows what to do with.
func TestKeySetDifferences_OursTakes(t *testing.T) {
	for _, r := range lenientKeys {
		if keys, err := readKeys(ourKeys, r.doc); err != nil || len(keys) == 0 {
			t.Errorf("%s: ours: %v, %v", r.what, keys, err)
		}
		refuses := ""
		for n, o := range keyReaders {
			if keys, err := readKeys(o.read, r.doc); err != nil || len(keys) == 0 {
				refuses += letters[n+1 : n+2]
			}
		}
		if refuses != r.accepts || refuses == "" {
			t.Errorf("%s: refused by %q, the table says %q", r.what, refuses, r.accepts)
		}
	}
	document(t, "lenient keys", keyTable(lenientKeys))
}

func TestKeySetDifferences_AllRefuse(t *testing.T) {
	for what, doc := range refusedKeys {
		if keys, err := readKeys(ourKeys, doc); err == nil || panics(err) {
			t.Errorf("%s: ours: %v, %v", what, keys, err)
		}
		for _, o := range keyReaders {
			if keys, err := readKeys(o.read, doc); err == nil && len(keys) > 0 || panics(err) {
				t.Errorf("%s: %s: %v, %v: the table needs a row", what, o.name, keys, err)
			}
		}
	}
}

func TestKeySetDifferences_AllAcceptGoodSets(t *testing.T) {
	doc := keySet(edKey, ecKey, rsaKey)
	want, err := ourKeys([]byte(doc))
	if err != nil || len(want) != 3 {
		t.Fatalf("%v, %v", want, err)
	}
	for _, o := range keyReaders {
		got, err := o.read([]byte(doc))
		if err != nil || len(got) != len(want) {
			t.Errorf("%s: %v, %v", o.name, got, err)
		}
		for kid := range want {
			if !sameKey(want[kid], got[kid]) {
				t.Errorf("%s reads another %s", o.name, kid)
			}
		}
	}
}

func keyTable(rows []keyRow) string {
	var b strings.Builder
	b.WriteString("| a key set with ")
	for _, o := range keyReaders {
		b.WriteString("| " + o.name + " ")
	}
	b.WriteString("| our rule | source |\n|---|---|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s ", r.what)
		for n := range keyReaders {
			mark := "| "
			if strings.Contains(r.accepts, letters[n+1:n+2]) {
				mark = "| ● "
			}
			b.WriteString(mark)
		}
		fmt.Fprintf(&b, "| %s | %s |\n", r.rule, r.source)
	}
	return b.String()
}
