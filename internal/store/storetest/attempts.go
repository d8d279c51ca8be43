package storetest

import (
	"fmt"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

var attemptTests = []test{
	{"LOG-02 attempts are counted against all limits or none", attempts},
	{"STO-05 a clock that is set back locks nobody out for longer than a window", attemptsClock},
	{"LOG-02 a person's networks are known for a while, the newest ones", familiarNetworks},
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

func familiarNetworks(w *world) {
	ann, bob := w.user("ann"), w.user("bob")
	check := func(what string, u idp.User, network string, want bool) {
		w.Helper()
		got, err := w.Familiar(w.ctx, u.ID, network, w.now)
		w.must(err)
		w.equal(what, got, want)
	}
	check("before", ann, "a", false)
	w.must(w.MakeFamiliar(w.ctx, ann.ID, "a", w.now.Add(time.Hour)))
	check("after", ann, "a", true)
	check("somebody else", bob, "a", false)
	check("somewhere else", ann, "b", false)
	w.wait(time.Hour)
	check("too long ago", ann, "a", false)
	w.must(w.MakeFamiliar(w.ctx, ann.ID, "a", w.now.Add(time.Hour)))
	check("again", ann, "a", true)
	w.must(w.MakeFamiliar(w.ctx, bob.ID, "a", w.now.Add(time.Minute)))
	for i := range 16 {
		w.must(w.MakeFamiliar(w.ctx, ann.ID, fmt.Sprint("new ", i), w.now.Add(2*time.Hour+time.Duration(i))))
	}
	check("the oldest of many", ann, "a", false)
	check("the newest of many", ann, "new 15", true)
	check("of somebody with few", bob, "a", true)
	w.wait(30 * time.Minute)
	_, err := w.Sweep(w.ctx, w.now)
	w.must(err)
	check("swept", bob, "a", false)
	check("not swept", ann, "new 15", true)
	w.must(w.DeleteUser(w.ctx, operator, ann.ID, w.now))
	check("of nobody", ann, "new 15", false)
}
