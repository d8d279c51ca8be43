package differ_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// FuzzKeySet changes key sets member by member (edits of one key, see edit) and as text.
func FuzzKeySet(f *testing.F) {
	for _, key := range []string{edKey, ecKey, rsaKey} {
		f.Add(keySet(key), []byte(nil))
		for what := byte(0); what < 12; what++ {
			f.Add(key, []byte{what, 2, what})
		}
	}
	f.Add(keySet(edKey, ecKey, rsaKey), []byte(nil))
	for _, r := range keyRows {
		f.Add(r.doc, []byte(nil))
	}
	known := knownKeys()
	f.Fuzz(func(t *testing.T, doc string, edits []byte) {
		if len(edits) > 0 { // doc is one key
			doc = keySet(edit(doc, edits))
		}
		holdKeys(t, known, doc)
	})
}

// knownKeys is why ours refuses the sets of the table.
func knownKeys() map[string]string {
	known := map[string]string{}
	for _, r := range keyRows {
		if _, err := readKeys(ourKeys, r.doc); err != nil {
			known[class(err)] = r.what
		}
	}
	return known
}

// holdKeys asks everybody about a key set.
func holdKeys(t *testing.T, known map[string]string, doc string) {
	t.Helper()
	ours, refused := readKeys(ourKeys, doc)
	if panics(refused) {
		t.Fatalf("%q: ours: %v", doc, refused)
	}
	all := map[string]int{}
	for _, o := range keyReaders {
		theirs, err := readKeys(o.read, doc)
		if err != nil || len(theirs) == 0 {
			continue
		}
		if refused != nil {
			if _, ok := known[class(refused)]; !ok {
				t.Errorf("%q: %s takes it, ours: %v; the table has no row for that", doc, o.name, refused)
			}
			continue
		}
		for kid, key := range ours {
			other, ok := theirs[kid]
			if !ok {
				continue
			}
			all[kid]++
			if !sameKey(key, other) && !shared(doc, kid) {
				t.Errorf("%q: %s reads another key %q", doc, o.name, kid)
			}
		}
	}
	for kid := range ours {
		if all[kid] == 0 && !takenAlone(doc, kid) {
			t.Errorf("%q: only ours takes the key %q", doc, kid)
		}
	}
}

// shared reports whether several elements of a set have one kid, which keys of different
// kinds may (RFC 7517 §4.5): ours leaves out those that it cannot use, and then others may
// find another one first.
func shared(doc, kid string) bool {
	var set struct {
		Keys []struct {
			KeyID string `json:"kid"`
		} `json:"keys"`
	}
	if json.Unmarshal([]byte(doc), &set) != nil {
		return false
	}
	n := 0
	for _, k := range set.Keys {
		if k.KeyID == kid {
			n++
		}
	}
	return n > 1
}

// takenAlone reports whether another reader takes a key when it is the only one of its
// set and has no certificates: others refuse a set for a key of a kind that they do not
// know, and look at members that ours does not; see lenientKeys.
func takenAlone(doc, kid string) bool {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal([]byte(doc), &set) != nil {
		return false
	}
	for _, element := range set.Keys {
		alone := keySet(withoutCertificates(string(element)))
		mine, err := readKeys(ourKeys, alone)
		if err != nil || mine[kid] == nil {
			continue
		}
		for _, o := range keyReaders {
			if theirs, err := readKeys(o.read, alone); err == nil && sameKey(mine[kid], theirs[kid]) {
				return true
			}
		}
	}
	return false
}

// withoutCertificates takes x5u, x5c, x5t and x5t#S256 out of a key (RFC 7517 §4.6 to §4.9).
func withoutCertificates(key string) string {
	all, ok := split(key)
	if !ok {
		return key
	}
	return join(slices.DeleteFunc(all, func(m member) bool { return strings.HasPrefix(m.name, `"x5`) }))
}
