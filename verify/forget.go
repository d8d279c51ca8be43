package verify

import (
	"context"
	"time"
)

// forgetRules drops rules and tokens that are over, a part of them every second.
func (v *Verifier) forgetRules(ctx context.Context) {
	const parts = 64
	for n := 0; ; n = (n + 1) % parts {
		sleep(ctx, time.Second)
		if ctx.Err() != nil {
			return
		}
		if set := v.rules.Load(); set != nil {
			set.forget(n*shardCount/parts, (n+1)*shardCount/parts, v.over())
		}
		v.memory.sweep(n, parts, v.keys.Load(), v.over())
	}
}

// over returns the time before which rules are over: by both clocks, ours and what the
// issuer signed when ours last agreed with it. Nobody sends a rule again that we forgot
// because our clock was hours ahead for a minute.
func (v *Verifier) over() time.Time {
	over := v.now()
	if signed := time.Unix(v.agreed.Load(), 0); signed.Before(over) {
		over = signed
	}
	return over.Add(-maxLeeway)
}
