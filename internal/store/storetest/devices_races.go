package storetest

import (
	"errors"

	"github.com/signet-id/signet/internal/idp"
)

// raceDeviceAnswer: several people, or one in several windows, say yes and no at once.
func raceDeviceAnswer(w *world) {
	ann, bob := w.user("ann"), w.user("bob")
	w.client("app")
	sa, _ := w.session(ann)
	sb, _ := w.session(bob)
	for round := range rounds() {
		d := w.device("app")
		var flows [callers]idp.AuthRequest
		var grants [callers]idp.Grant
		for i := range callers {
			u, s := ann, sa
			if i%2 == 1 {
				u, s = bob, sb
			}
			flows[i] = w.deviceFlow(d, s.ID)
			grants[i], _ = w.newGrant(u, "app", s.ID)
		}
		results := at(callers, func(i int) error {
			r, g := flows[i], grants[i]
			by := idp.Actor{Kind: "user", ID: g.UserID}
			if i%4 == 3 {
				return w.on(i/2).RefuseDeviceRequest(w.ctx, by, r.ID, r.BrowserHash, w.now)
			}
			return w.on(i/2).FinishDeviceRequest(w.ctx, by, r.ID, r.BrowserHash, idp.Approval{SessionID: g.SessionID}, g, w.now)
		})
		w.oneWinner(round, results, idp.ErrConsumed)
		got, err := w.PollDevice(w.ctx, d.DeviceHash, "app", w.now)
		w.must(err)
		for i, g := range grants {
			won := results[i] == nil && i%4 != 3
			if _, err := w.Standing(w.ctx, g.ID, w.now); (err == nil) != won || won && (got.GrantID != g.ID || got.UserID != g.UserID) {
				w.Fatalf("round %d: grant of caller %d: %v, its answer %v, the device's %+v", round, i, err, results[i], got)
			}
		}
	}
}

// raceDevicePoll: of polls at one moment one is answered, on whatever node.
func raceDevicePoll(w *world) {
	for round := range rounds() {
		d := w.device("app")
		w.oneWinner(round, at(callers, func(i int) error {
			_, err := w.on(i).PollDevice(w.ctx, d.DeviceHash, "app", w.now)
			return err
		}), idp.ErrLimited)
	}
}

func raceDeviceRedeem(w *world) {
	ann := w.user("ann")
	w.client("app")
	s, _ := w.session(ann)
	for round := range rounds() {
		d := w.device("app")
		g, _ := w.newGrant(ann, "app", "")
		w.must(w.approve(ann, s.ID, w.deviceFlow(d, s.ID), g))
		before := w.head()
		w.oneWinner(round, at(callers, func(i int) error {
			r := w.newRefresh(g)
			return w.on(i).RedeemDevice(w.ctx, asClient("app"), d.DeviceHash, &r, w.now)
		}), idp.ErrConsumed)
		if _, err := w.Standing(w.ctx, g.ID, w.now); !errors.Is(err, idp.ErrNotFound) {
			w.Fatalf("round %d: the grant is alive: %v", round, err)
		}
		if n := w.head() - before; n != 1 {
			w.Fatalf("round %d: %d rules", round, n)
		}
	}
}
