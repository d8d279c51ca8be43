package jose

// Check decides whether signature is one of signed by the key that it was made for:
// with Ed25519 over the message itself (RFC 8032 §5.1.7), with ES256 over its SHA-256,
// as r || s of 32 bytes each, both known to be in 1..n-1. When decided is false the
// standard library is asked instead. A Check must accept exactly what the standard
// library accepts, and may be called by many goroutines at once.
type Check func(signed, signature []byte) (valid, decided bool)

// Accelerator verifies signatures sooner than the standard library. It is told by Use
// which keys are in use from now on, forgets all others, and returns a Check for each of
// them in the same order; nil leaves a key to the standard library. An accelerator
// serves one key set at a time.
type Accelerator interface {
	Use(keys []*Key) []Check
}

// Accelerated returns the set with signatures checked by a.
func (s *KeySet) Accelerated(a Accelerator) *KeySet {
	checks := a.Use(s.Keys())
	fast := &KeySet{keys: make([]*Key, len(s.keys)), byID: make(map[string]*Key, len(s.keys))}
	for i, k := range s.keys {
		own := *k
		own.fast = checks[i]
		fast.keys[i], fast.byID[k.kid] = &own, &own
	}
	return fast
}

// ask asks the accelerator, if there is one.
func (k *Key) ask(signed, signature []byte) (valid, decided bool) {
	if k.fast == nil {
		return false, false
	}
	return k.fast(signed, signature)
}
