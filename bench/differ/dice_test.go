package differ_test

import (
	"math/rand/v2"
	"testing"
)

// dice makes a token by chance: up to three changes to header, claims, text or
// signature, most often to the claims.
func (w *world) dice(seed uint64) (token string, proper bool, err error) {
	r := rand.New(rand.NewPCG(seed, 0))
	program := func(size int) []byte {
		b := make([]byte, size)
		for n := range b {
			b[n] = byte(r.IntN(256))
		}
		return b
	}
	alg := w.algs[r.IntN(len(w.algs))]
	var header, payload, signed, sent []byte
	how := byte(0)
	for range 1 + r.IntN(3) {
		switch r.IntN(12) {
		case 0, 1, 2, 3:
			header = append(header, program(3)...)
		case 4, 5, 6, 7, 8:
			payload = append(payload, program(3)...)
		case 9:
			signed = append(signed, program(2)...)
		case 10:
			sent = append(sent, program(2)...)
		case 11:
			how = byte(r.IntN(256))
		}
	}
	return w.make(alg, edit(goodHeader(alg), header), edit(goodPayload, payload), signed, sent, how)
}

// make signs and spells; proper says that the issuer's key has signed the text as it is.
func (w *world) make(alg, header, payload string, signedText, sentText []byte, how byte) (token string, proper bool, err error) {
	signed := spell(base64url.EncodeToString([]byte(header))+"."+base64url.EncodeToString([]byte(payload)), signedText)
	signature, proper, err := w.sign(alg, how, []byte(signed))
	if err != nil {
		return "", false, err
	}
	return spell(signed+"."+base64url.EncodeToString(signature), sentText), proper && len(sentText) < 2, nil
}

// FuzzTokenDice tries tokens by chance, a new one for each seed.
func FuzzTokenDice(f *testing.F) {
	f.Add(uint64(1))
	w, known := prepare(f)
	f.Fuzz(func(t *testing.T, seed uint64) {
		token, proper, err := w.dice(seed)
		if err != nil {
			t.Fatal(err)
		}
		w.hold(t, known, token, proper)
	})
}

// TestToken_Dice is FuzzTokenDice with the same tokens each time, and sees
// that they are worth it: many are accepted by all, and many by some.
func TestToken_Dice(t *testing.T) {
	w, err := open()
	if err != nil {
		t.Fatal(err)
	}
	known, err := classes()
	if err != nil {
		t.Fatal(err)
	}
	const tokens = 600
	accepted, differ := 0, 0
	for seed := range uint64(tokens) {
		token, proper, err := w.dice(seed)
		if err != nil {
			t.Fatal(err)
		}
		switch w.hold(t, known, token, proper) {
		case allAccept:
			accepted++
		case oursRefuses:
			differ++
		}
	}
	if accepted < tokens/20 || differ < tokens/20 {
		t.Errorf("of %d tokens %d are accepted, %d by others only: the dice are no good", tokens, accepted, differ)
	}
	t.Logf("%d tokens: %d accepted by ours, %d by others only", tokens, accepted, differ)
}

// TestKeySet_Dice changes one key of a set by chance, once or twice.
func TestKeySet_Dice(t *testing.T) {
	t.Parallel()
	known := knownKeys()
	const sets = 2000
	taken := 0
	for seed := range uint64(sets) {
		r := rand.New(rand.NewPCG(seed, 1))
		keys := []string{edKey, ecKey, rsaKey}
		var program []byte
		for range 3 * (1 + r.IntN(2)) {
			program = append(program, byte(r.IntN(256)))
		}
		n := r.IntN(len(keys))
		keys[n] = edit(keys[n], program)
		doc := keySet(keys[r.IntN(n+1):]...)
		holdKeys(t, known, doc)
		if _, err := ourKeys([]byte(doc)); err == nil {
			taken++
		}
	}
	if taken < sets/20 || taken > sets*3/4 {
		t.Errorf("%d of %d sets are taken: the dice are no good", taken, sets)
	}
	t.Logf("%d sets: %d taken", sets, taken)
}
