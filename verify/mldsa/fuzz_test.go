package mldsa_test

import (
	"crypto"
	"encoding/json"
	"io"
	"testing"

	"filippo.io/mldsa"

	"github.com/signet-id/signet/verify/jose"
)

// JOS-20: no input makes a parser panic, and the fuzzer cannot sign.

func FuzzVerify(f *testing.F) {
	private, err := mldsa.NewPrivateKey(mldsa.MLDSA44(), make([]byte, mldsa.PrivateKeySize))
	if err != nil {
		f.Fatal(err)
	}
	s, err := jose.NewSigner(jose.MLDSA44, "k", deterministic{private})
	if err != nil {
		f.Fatal(err)
	}
	good, err := s.Sign("t", []byte(`{}`))
	if err != nil {
		f.Fatal(err)
	}
	set := newSet(f, s)
	f.Add(good)
	f.Add(good[:len(good)-4] + "AAAA")
	f.Fuzz(func(t *testing.T, token string) {
		if _, _, err := set.Verify(token, "t"); err == nil && token != good {
			t.Errorf("accepted %q", token)
		}
	})
}

// deterministic signs the same in each of the fuzzer's processes.
type deterministic struct{ *mldsa.PrivateKey }

func (d deterministic) Sign(_ io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	return d.SignDeterministic(message, opts)
}

func FuzzParseKeySet(f *testing.F) {
	for alg := range params {
		pub := b64.EncodeToString(newPrivate(f, alg).PublicKey().Bytes())
		f.Add([]byte(`{"keys":[{"kty":"AKP","alg":"` + string(alg) + `","use":"sig","kid":"k","pub":"` + pub + `"}]}`))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		set, err := jose.ParseKeySet(doc)
		if err != nil {
			return
		}
		again, err := json.Marshal(set)
		if err != nil {
			t.Fatal(err)
		}
		if other, err := jose.ParseKeySet(again); err != nil || !other.Equal(set) {
			t.Errorf("own output: %v: %s", err, again)
		}
	})
}
