package storetest

import (
	"fmt"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// key is a signing key that is published and signs at the given times.
func key(id, alg string, staged, active time.Time) idp.SigningKey {
	return idp.SigningKey{ID: id, Alg: alg, PublicJWK: []byte("{}"), Sealed: []byte("private " + id), StagedAt: staged, ActiveAt: active}
}

// keySteps goes through a key's life: each step once, and none out of turn.
func keySteps(w *world) {
	one := func(id string) idp.SigningKey {
		w.Helper()
		all, err := w.SigningKeys(w.ctx)
		w.must(err)
		for _, k := range all {
			if k.ID == id {
				return k
			}
		}
		return idp.SigningKey{}
	}
	first, next := key("k1", "EdDSA", w.now, w.now), key("k2", "EdDSA", w.now, w.now.Add(time.Hour))
	w.want("a successor of nobody", w.StageKey(w.ctx, operator, next, "k1", w.now), idp.ErrExists)
	w.must(w.AddSigningKey(w.ctx, operator, first, true, w.now))
	w.must(w.AddSigningKey(w.ctx, operator, key("r1", "RS256", w.now, w.now), true, w.now))
	w.want("a successor of another algorithm's", w.StageKey(w.ctx, operator, next, "r1", w.now), idp.ErrExists)
	w.want("without a time", w.StageKey(w.ctx, operator, key("k2", "EdDSA", w.now, time.Time{}), "k1", w.now), idp.ErrInvalid)
	w.audited("key.stage", "", func() error { return w.StageKey(w.ctx, operator, next, "k1", w.now) })
	w.want("a second successor", w.StageKey(w.ctx, operator, key("k3", "EdDSA", w.now, w.now.Add(time.Hour)), "k1", w.now), idp.ErrExists)

	moved := next
	moved.StagedAt, moved.ActiveAt = w.now.Add(time.Minute), w.now.Add(2*time.Hour)
	w.audited("key.redate", "", func() error { return w.RedateKey(w.ctx, operator, next, moved.StagedAt, moved.ActiveAt, w.now) })
	w.want("from times that it has no more", w.RedateKey(w.ctx, operator, next, w.now, w.now, w.now), idp.ErrConsumed)
	w.equal("moved", one("k2"), moved)

	for what, pair := range map[string][2]string{"to itself": {"k1", "k1"}, "to nobody": {"k1", "k9"}, "to another algorithm": {"k1", "r1"}, "from nobody": {"k9", "k2"}} {
		w.want("hand over "+what, w.HandOverKey(w.ctx, operator, pair[0], pair[1], w.now), idp.ErrConsumed)
	}
	w.want("finish one that signs", w.FinishKey(w.ctx, operator, "k1", []byte("public"), w.now), idp.ErrConsumed)
	w.wait(time.Hour)
	w.audited("key.activate", "", func() error { return w.HandOverKey(w.ctx, operator, "k1", "k2", w.now) })
	w.want("hand over again", w.HandOverKey(w.ctx, operator, "k1", "k2", w.now.Add(time.Hour)), idp.ErrConsumed)
	w.want("move one that retires", w.RedateKey(w.ctx, operator, first, w.now, w.now, w.now), idp.ErrConsumed)
	first.RetiringAt, moved.ActiveAt = w.now, w.now
	w.equal("from", one("k1"), first)
	w.equal("to", one("k2"), moved)

	w.audited("key.reseal", "", func() error { return w.ResealKey(w.ctx, operator, "k2", moved.Sealed, []byte("anew"), w.now) })
	w.want("reseal what is not there", w.ResealKey(w.ctx, operator, "k2", moved.Sealed, []byte("again"), w.now), idp.ErrConsumed)
	w.want("reseal nothing", w.ResealKey(w.ctx, operator, "k2", nil, []byte("again"), w.now), idp.ErrInvalid)

	w.wait(time.Hour)
	w.audited("key.retire", "", func() error { return w.FinishKey(w.ctx, operator, "k1", []byte("public"), w.now) })
	w.want("finish again", w.FinishKey(w.ctx, operator, "k1", []byte("other"), w.now), idp.ErrConsumed)
	first.RetiredAt, first.Sealed = w.now, []byte("public")
	w.equal("retired", one("k1"), first)
	w.equal("no rule", len(w.rules()), 0)
	w.want("forget too early", w.ForgetKey(w.ctx, operator, "k1", w.now.Add(-time.Millisecond), w.now), idp.ErrConsumed)
	w.want("forget one that signs", w.ForgetKey(w.ctx, operator, "k2", w.now.Add(time.Hour), w.now), idp.ErrConsumed)
	w.audited("key.forget", "", func() error { return w.ForgetKey(w.ctx, operator, "k1", w.now, w.now) })
	w.equal("forgotten", one("k1"), idp.SigningKey{})
}

// keyEmergency: the key is dead and empty, and so are the successors that lay beside it;
// keys that did not depend on it stay. TOK-07, STO-09
func keyEmergency(w *world) {
	w.must(w.AddSigningKey(w.ctx, operator, key("old", "EdDSA", w.now, w.now), true, w.now))
	w.must(w.StageKey(w.ctx, operator, key("k1", "EdDSA", w.now, w.now.Add(time.Hour)), "old", w.now))
	w.must(w.AddSigningKey(w.ctx, operator, key("e1", "ES256", w.now, w.now.Add(time.Hour)), true, w.now))
	w.must(w.HandOverKey(w.ctx, operator, "old", "k1", w.now.Add(time.Hour)))
	w.wait(time.Hour)
	w.must(w.StageKey(w.ctx, operator, key("k2", "EdDSA", w.now, w.now.Add(time.Hour)), "k1", w.now))
	dead := func(want ...string) {
		w.Helper()
		all, err := w.SigningKeys(w.ctx)
		w.must(err)
		names := map[string]bool{}
		for _, id := range want {
			names[id] = true
		}
		for _, k := range all {
			if (len(k.Sealed) == 0) != names[k.ID] || names[k.ID] && k.RetiredAt.IsZero() {
				w.Errorf("%s: sealed %q, retired at %v", k.ID, k.Sealed, k.RetiredAt)
			}
		}
	}
	w.must(w.RetireKey(w.ctx, operator, "old", w.now)) // retiring: what signs stays, and its successor
	dead("old")
	w.must(w.RetireKey(w.ctx, operator, "k1", w.now.Add(-time.Hour))) // this clock is late
	dead("old", "k1", "k2")
	w.equal("rules", w.ruleNames(0), map[string]int{"key old": 1, "key k1": 1, "key k2": 1})
	w.want("no key signs now", w.AddSigningKey(w.ctx, operator, key("k3", "EdDSA", w.now, w.now), true, w.now), nil)

	// Retired on schedule, and known to be stolen later: no hints either.
	w.must(w.StageKey(w.ctx, operator, key("k4", "EdDSA", w.now, w.now), "k3", w.now))
	w.must(w.HandOverKey(w.ctx, operator, "k3", "k4", w.now))
	w.must(w.FinishKey(w.ctx, operator, "k3", []byte("public"), w.now))
	dead("old", "k1", "k2")
	w.audited("key.retire", "", func() error { return w.RetireKey(w.ctx, operator, "k3", w.now.Add(time.Hour)) })
	dead("old", "k1", "k2", "k3")
	w.silent(func() error { return w.RetireKey(w.ctx, operator, "k3", w.now.Add(time.Hour)) })
	// A staged one may be killed by itself.
	w.must(w.StageKey(w.ctx, operator, key("k5", "EdDSA", w.now, w.now.Add(time.Hour)), "k4", w.now))
	w.must(w.RetireKey(w.ctx, operator, "k5", w.now))
	dead("old", "k1", "k2", "k3", "k5")
}

// raceStage: one successor, one hand-over, one end, however many nodes try.
func raceStage(w *world) {
	for round := range rounds() {
		alg := fmt.Sprint("alg ", round)
		first := key(alg, alg, w.now, w.now)
		w.must(w.AddSigningKey(w.ctx, operator, first, true, w.now))
		w.oneWinner(round, at(callers, func(i int) error {
			return w.on(i).StageKey(w.ctx, operator, key(fmt.Sprint(alg, "/", i), alg, w.now, w.now), first.ID, w.now)
		}), idp.ErrExists)
		all, err := w.SigningKeys(w.ctx)
		w.must(err)
		next := ""
		for _, k := range all {
			if k.Alg == alg && k.ID != first.ID {
				next = k.ID
			}
		}
		w.oneWinner(round, at(callers, func(i int) error { return w.on(i).HandOverKey(w.ctx, operator, first.ID, next, w.now) }), idp.ErrConsumed)
		w.oneWinner(round, at(callers, func(i int) error {
			return w.on(i).ResealKey(w.ctx, operator, next, []byte("private "+next), fmt.Append(nil, i), w.now)
		}), idp.ErrConsumed)
		w.oneWinner(round, at(callers, func(i int) error { return w.on(i).FinishKey(w.ctx, operator, first.ID, []byte("public"), w.now) }), idp.ErrConsumed)
		w.oneWinner(round, at(callers, func(i int) error { return w.on(i).ForgetKey(w.ctx, operator, first.ID, w.now, w.now) }), idp.ErrConsumed)
	}
}
