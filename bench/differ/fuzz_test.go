package differ_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/signet-id/signet/verify"
)

// FuzzToken changes good tokens and signs them again: header and claims member by member
// (headerEdits, payloadEdits, see edit) and as bytes, the encoded text before and after
// it is signed (signedText, sentText, see spell), and the signature (how, see sign).
func FuzzToken(f *testing.F) {
	w, known := prepare(f)
	for n, alg := range w.algs {
		f.Add(byte(n), goodHeader(alg), goodPayload, []byte(nil), []byte(nil), []byte(nil), []byte(nil), byte(0))
		for how := byte(1); how < 10; how++ {
			f.Add(byte(n), goodHeader(alg), goodPayload, []byte(nil), []byte(nil), []byte(nil), []byte(nil), how)
		}
	}
	for what := byte(0); what < 12; what++ {
		f.Add(what, goodHeader(w.algs[int(what)%len(w.algs)]), goodPayload, []byte{what, 1, what}, []byte(nil), []byte(nil), []byte(nil), byte(0))
		f.Add(what, goodHeader(w.algs[int(what)%len(w.algs)]), goodPayload, []byte(nil), []byte{what, 8, what, what, 9, 7}, []byte(nil), []byte(nil), byte(0))
		f.Add(what, goodHeader(w.algs[int(what)%len(w.algs)]), goodPayload, []byte(nil), []byte(nil), []byte{what, 90}, []byte(nil), byte(0))
		f.Add(what, goodHeader(w.algs[int(what)%len(w.algs)]), goodPayload, []byte(nil), []byte(nil), []byte(nil), []byte{what, 200}, byte(0))
	}
	f.Fuzz(func(t *testing.T, n byte, header, payload string, headerEdits, payloadEdits, signedText, sentText []byte, how byte) {
		alg := w.algs[int(n)%len(w.algs)]
		token, proper, err := w.make(alg, edit(header, headerEdits), edit(payload, payloadEdits), signedText, sentText, how)
		if err != nil {
			t.Fatal(err)
		}
		w.hold(t, known, token, proper)
	})
}

// FuzzTokenText signs any text.
func FuzzTokenText(f *testing.F) {
	w, known := prepare(f)
	for n, alg := range w.algs {
		f.Add(byte(n), base64url.EncodeToString([]byte(goodHeader(alg)))+"."+base64url.EncodeToString([]byte(goodPayload)))
	}
	for _, r := range rows {
		token, err := r.token(w)
		if err != nil {
			f.Fatal(err)
		}
		if dot := strings.LastIndexByte(token, '.'); dot > 0 && len(token) < 4000 {
			f.Add(byte(0), token[:dot])
		}
	}
	f.Fuzz(func(t *testing.T, n byte, text string) {
		token, err := w.SignText(w.algs[int(n)%len(w.algs)], text)
		if err != nil {
			t.Fatal(err)
		}
		w.hold(t, known, token, true)
	})
}

// classes is why ours refuses the tokens of the table.
var classes = sync.OnceValues(func() (map[string]string, error) {
	w, err := open()
	if err != nil {
		return nil, err
	}
	known := map[string]string{}
	for _, r := range rows {
		token, err := r.token(w)
		if err != nil {
			return nil, err
		}
		if _, err := read(w.ours, token); err != nil {
			known[class(err)] = r.what
		}
	}
	return known, nil
})

func prepare(f *testing.F) (*world, map[string]string) {
	f.Helper()
	w, err := open()
	if err != nil {
		f.Fatal(err)
	}
	known, err := classes()
	if err != nil {
		f.Fatal(err)
	}
	return w, known
}

// What hold has seen.
const (
	allRefuse = iota
	oursRefuses
	allAccept
)

// hold asks everybody about a token. proper says that the issuer's key has signed it.
func (w *world) hold(t *testing.T, known map[string]string, token string, proper bool) int {
	t.Helper()
	ours, refused := read(w.ours, token)
	if panics(refused) {
		t.Fatalf("%q: ours: %v", token, refused)
	}
	// A verifier that remembers says the same the second time.
	if again, err := read(w.ours, token); (err == nil) != (refused == nil) || difference(ours, again) != "" {
		t.Errorf("%q: ours: %v, and then %v", token, refused, err)
	}
	accepted := 0
	for _, o := range w.others[:oracles] {
		theirs, err := read(o.Reader, token)
		if err != nil {
			continue
		}
		accepted++
		if refused != nil {
			if _, ok := known[class(refused)]; !ok {
				t.Errorf("%q: %s accepts it, ours: %v; the table has no row for that", token, o.name, refused)
			}
			continue
		}
		if d := difference(ours, theirs); d != "" && !(foldsNames[o.name] && lookAlike(payloadOf(token))) {
			t.Errorf("%q: %s reads another %s:\n%+v\n%+v", token, o.name, d, ours, theirs)
		}
	}
	if refused == nil && accepted == 0 {
		t.Errorf("%q: only ours accepts it", token)
	}
	if proper && errors.Is(refused, verify.ErrSignature) && accepted > 0 {
		t.Errorf("%q: ours does not accept a signature of the issuer", token)
	}
	switch {
	case refused == nil:
		return allAccept
	case accepted > 0:
		return oursRefuses
	}
	return allRefuse
}

// foldsNames are the readers that leave claims to encoding/json.
var foldsNames = map[string]bool{"golang-jwt v5": true}

func payloadOf(token string) []byte {
	p := strings.Split(token, ".")
	if len(p) != 3 {
		return nil
	}
	doc, _ := base64url.DecodeString(p[1])
	return doc
}
