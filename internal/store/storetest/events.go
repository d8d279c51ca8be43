package storetest

import (
	"strings"
	"unicode/utf8"

	"github.com/signet-id/signet/internal/idp"
)

var eventTests = []test{
	{"the audit log is read newest first, by person and by page", eventsRead},
	{"what a stranger sends is cut", eventsShort},
}

func eventsRead(w *world) {
	ann, bob := w.user("ann"), w.user("bob")
	stranger := idp.Actor{Kind: "anonymous", IP: "203.0.113.9", UserAgent: "curl/8"}
	refused := idp.Event{At: w.now, Actor: stranger, UserID: ann.ID, Action: "login", Target: ann.ID, ClientID: "app", Result: "refused", Reason: "wrong password"}
	w.must(w.Audit(w.ctx, refused))
	own := idp.Event{At: w.now, Actor: person(ann), Action: "login", Result: "ok"}
	w.must(w.Audit(w.ctx, own))
	w.must(w.Audit(w.ctx, idp.Event{At: w.now, Actor: person(bob), Action: "login", Result: "ok"}))
	w.must(w.Audit(w.ctx, idp.Event{At: w.now, Actor: stranger, Action: "login", Result: "refused"}))

	anns, err := w.Events(w.ctx, ann.ID, 0, 10)
	w.must(err)
	if len(anns) != 3 {
		w.Fatalf("%d events concern ann: %+v", len(anns), anns)
	}
	own.ID, own.UserID, refused.ID = anns[0].ID, ann.ID, anns[1].ID
	w.equal("hers", anns[:2], []idp.Event{own, refused})
	w.equal("her creation", anns[2].Action, "user.create")

	all, err := w.Events(w.ctx, "", 0, 100)
	w.must(err)
	w.equal("all", len(all), 6)
	var paged []idp.Event
	for before := int64(0); ; before = paged[len(paged)-1].ID {
		page, err := w.Events(w.ctx, "", before, 4)
		w.must(err)
		if len(page) == 0 {
			break
		}
		paged = append(paged, page...)
	}
	w.equal("pages", paged, all)
}

func eventsShort(w *world) {
	long := strings.Repeat("é", 500)
	w.must(w.Audit(w.ctx, idp.Event{At: w.now, Actor: idp.Actor{Kind: "anonymous", IP: long, UserAgent: "a" + long}, Action: "login", Result: "refused"}))
	e, _ := w.lastEvent()
	if len(e.Actor.UserAgent) > 160 || len(e.Actor.IP) > 64 || !utf8.ValidString(e.Actor.UserAgent) || len(e.Actor.UserAgent) < 150 {
		w.Errorf("address %d bytes, user agent %q", len(e.Actor.IP), e.Actor.UserAgent)
	}
}
