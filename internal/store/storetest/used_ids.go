package storetest

import (
	"fmt"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

var usedTests = []test{
	{"CLI-01 an id is used once, whatever happens after", useOnce},
	{"STO-06 used ids are not in a backup, and stay when an epoch begins in place", useOnceEpoch},
}

func useOnce(w *world) {
	use := func(what, purpose, id string, ttl time.Duration, want error) {
		w.Helper()
		w.want(what, w.UseOnce(w.ctx, purpose, hash(id), w.now.Add(ttl), w.now), want)
	}
	use("first", "assertion a", "1", time.Minute, nil)
	use("again", "assertion a", "1", time.Minute, idp.ErrConsumed)
	use("again, with another end", "assertion a", "1", time.Hour, idp.ErrConsumed)
	use("another id", "assertion a", "2", time.Minute, nil)
	use("another client", "assertion b", "1", time.Minute, nil)
	use("another kind", "proof a", "1", time.Minute, nil)
	use("no purpose", "", "1", time.Minute, idp.ErrInvalid)
	use("already expired", "assertion a", "3", 0, idp.ErrInvalid)
	use("a long life", "assertion a", "4", time.Hour, nil)
	w.wait(time.Minute)
	use("after its end", "assertion a", "1", time.Minute, idp.ErrConsumed)
	w.equal("kept for a while", w.sweepAll(), 0)
	w.wait(10 * time.Minute)
	w.equal("swept", w.sweepAll(), 4)
	use("not swept", "assertion a", "4", time.Hour, idp.ErrConsumed)
	use("forgotten, and its time is over for everybody who asks", "assertion a", "1", time.Minute, nil)
	for i := range 1200 {
		use("many", "assertion c", fmt.Sprint(i), time.Minute, nil)
	}
	w.wait(time.Hour)
	n, err := w.Sweep(w.ctx, w.now)
	w.must(err)
	if n > 600 {
		w.Errorf("one sweep took %d rows", n)
	}
	w.equal("all", n+w.sweepAll(), 1202)
}

func useOnceEpoch(w *world) {
	w.user("ann")
	w.must(w.UseOnce(w.ctx, "assertion a", hash("1"), w.now.Add(time.Minute), w.now))
	_, err := w.BeginEpoch(w.ctx, operator, w.now)
	w.must(err)
	w.want("in place", w.UseOnce(w.ctx, "assertion a", hash("1"), w.now.Add(time.Minute), w.now), idp.ErrConsumed)
}

func raceUseOnce(w *world) {
	for round := range rounds() {
		id := hash(fmt.Sprint(round))
		w.oneWinner(round, at(callers, func(i int) error {
			return w.on(i).UseOnce(w.ctx, "assertion app", id, w.now.Add(time.Minute), w.now)
		}), idp.ErrConsumed)
	}
}
