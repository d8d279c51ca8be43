package storetest

import (
	"time"

	"github.com/signet-id/signet/internal/idp"
)

var attemptTests = []test{
	{"LOG-02 attempts are counted against all limits or none", attempts},
	{"STO-05 a clock that is set back locks nobody out for longer than a window", attemptsClock},
}

func attempts(w *world) {
	account := idp.Limit{Key: "account ann", Max: 2, Window: time.Minute}
	network := idp.Limit{Key: "network a", Max: 3, Window: time.Hour}
	other := idp.Limit{Key: "account bob", Max: 2, Window: time.Minute}
	count := func(name string, want time.Duration, limits ...idp.Limit) {
		w.Helper()
		got, err := w.CountAttempt(w.ctx, limits, w.now)
		w.must(err)
		w.equal(name, got, want)
	}
	count("first", 0, account, network)
	w.wait(10 * time.Second)
	count("second", 0, account, network)
	count("account is full", 50*time.Second, account, network)
	count("account is full, the other way round", 50*time.Second, network, account)
	count("the network was not counted", 0, other, network)
	count("network is full", time.Hour-10*time.Second, other, network)
	count("bob was not counted", 0, other)
	count("both are full", time.Hour-10*time.Second, account, network)
	w.wait(50 * time.Second)
	count("a new window", 0, account)
	count("a new window", 0, account)
	count("full again", time.Minute, account)
	w.must(w.ForgetAttempts(w.ctx, account.Key, "never counted"))
	count("forgotten", 0, account)
	count("no room at all", time.Minute, idp.Limit{Key: "none", Max: 0, Window: time.Minute})
	count("nothing to count", 0)
	_, err := w.CountAttempt(w.ctx, []idp.Limit{{Max: 1, Window: time.Minute}}, w.now)
	w.want("no key", err, idp.ErrInvalid)
}

func attemptsClock(w *world) {
	limit := []idp.Limit{{Key: "a", Max: 1, Window: time.Minute}}
	_, err := w.CountAttempt(w.ctx, limit, w.now)
	w.must(err)
	wait, err := w.CountAttempt(w.ctx, limit, w.now.Add(-24*time.Hour))
	w.must(err)
	w.equal("wait", wait, time.Minute)
}
