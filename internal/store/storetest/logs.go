package storetest

import (
	"fmt"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

var logTests = []test{
	{"rules carry the times of their kind", rulesTimes},
	{"TOK-13 rules are read from a position, without forgotten ones", rulesRead},
	{"TOK-12 rules about clients, keys and all name tokens by themselves", tokenRevoked},
	{"changes are numbered without gaps and watchers are poked", changesAndWatch},
}

func rulesTimes(w *world) {
	second := w.now.Add(2 * time.Second).Truncate(time.Second)
	given := w.now.Add(time.Hour)
	for i, tt := range []struct {
		name string
		rule idp.Rule
		want idp.Rule
	}{
		{"jti", idp.Rule{Kind: idp.RuleJTI, ID: "j"}, idp.Rule{Kind: idp.RuleJTI, ID: "j", Until: w.now.Add(RuleLifetime)}},
		{"until given", idp.Rule{Kind: idp.RuleGrant, ID: "g", Until: given}, idp.Rule{Kind: idp.RuleGrant, ID: "g", Until: given}},
		{"dead for ever", idp.Rule{Kind: idp.RuleSession, ID: "s", Before: given}, idp.Rule{Kind: idp.RuleSession, ID: "s", Until: w.now.Add(RuleLifetime)}},
		{"key", idp.Rule{Kind: idp.RuleKey, ID: "k"}, idp.Rule{Kind: idp.RuleKey, ID: "k", Until: w.now.Add(RuleLifetime)}},
		{"client", idp.Rule{Kind: idp.RuleClient, ID: "c"}, idp.Rule{Kind: idp.RuleClient, ID: "c", Before: second, Until: second.Add(RuleLifetime)}},
		{"all", idp.Rule{Kind: idp.RuleAll}, idp.Rule{Kind: idp.RuleAll, Before: second, Until: second.Add(RuleLifetime)}},
	} {
		w.audited("rule.append", "", func() error { return w.AppendRule(w.ctx, operator, tt.rule, w.now) })
		tt.want.Seq, tt.want.At = int64(i+1), w.now
		w.equal(tt.name, w.rules()[i], tt.want)
	}
	w.must(w.RevokeJTI(w.ctx, asClient("app"), "j-2", given, w.now))
	w.equal("jti", w.rules()[6], idp.Rule{Seq: 7, Kind: idp.RuleJTI, ID: "j-2", At: w.now, Until: given})
	w.want("no id", w.AppendRule(w.ctx, operator, idp.Rule{Kind: idp.RuleGrant}, w.now), idp.ErrInvalid)
	w.want("no kind", w.AppendRule(w.ctx, operator, idp.Rule{ID: "x"}, w.now), idp.ErrInvalid)
	w.equal("nothing of it", len(w.rules()), 7)
}

// tokenRevoked: rules about clients, keys and everything name tokens by their age.
func tokenRevoked(w *world) {
	dead := func(n idp.TokenNames) bool {
		w.Helper()
		found, err := w.TokenRevoked(w.ctx, n, w.now)
		w.must(err)
		return found
	}
	w.client("app")
	w.must(w.DisableClient(w.ctx, operator, "app", w.now))
	old, young := idp.TokenNames{ClientID: "app", IssuedAt: w.now}, idp.TokenNames{ClientID: "app", IssuedAt: w.now.Add(3 * time.Second)}
	w.equal("client", []bool{dead(old), dead(young), dead(idp.TokenNames{ClientID: "web", IssuedAt: w.now})}, []bool{true, false, false})
	w.must(w.AppendRule(w.ctx, operator, idp.Rule{Kind: idp.RuleKey, ID: "k"}, w.now))
	w.equal("key", []bool{dead(idp.TokenNames{KeyID: "k", IssuedAt: w.now.Add(time.Minute)}), dead(young)}, []bool{true, false})
	w.must(w.AppendRule(w.ctx, operator, idp.Rule{Kind: idp.RuleAll}, w.now))
	w.equal("all", []bool{dead(idp.TokenNames{IssuedAt: w.now}), dead(young)}, []bool{true, false})
}

func rulesRead(w *world) {
	epoch, seq, err := w.RevocationHead(w.ctx)
	w.must(err)
	w.equal("empty log", seq, int64(0))
	dead := func(n idp.TokenNames, at time.Time) bool {
		w.Helper()
		found, err := w.TokenRevoked(w.ctx, n, at)
		w.must(err)
		return found
	}
	w.equal("no rule yet", dead(idp.TokenNames{JTI: "j0"}, w.now), false)
	for i := range 10 {
		w.must(w.RevokeJTI(w.ctx, operator, fmt.Sprint("j", i), w.now.Add(time.Duration(1+i%2)*time.Hour), w.now))
	}
	ids := func(after int64, limit int, now time.Time) (ids []string) {
		rules, err := w.Rules(w.ctx, after, limit, now)
		w.must(err)
		for _, r := range rules {
			ids = append(ids, r.ID)
		}
		return ids
	}
	w.equal("rules for a token", []bool{
		dead(idp.TokenNames{JTI: "j0"}, w.now), dead(idp.TokenNames{ClientID: "j0", KeyID: "j0"}, w.now), dead(idp.TokenNames{JTI: "j"}, w.now),
		dead(idp.TokenNames{JTI: "j0"}, w.now.Add(time.Hour)),
	}, []bool{true, false, false, false})
	w.must(w.RevokeJTI(w.ctx, operator, "j0", w.now.Add(time.Hour), w.now)) // again: no second rule
	w.equal("page", ids(3, 3, w.now), []string{"j3", "j4", "j5"})
	w.equal("end", ids(10, 3, w.now), []string(nil))
	w.equal("half is forgotten", ids(0, 100, w.now.Add(time.Hour)), []string{"j1", "j3", "j5", "j7", "j9"})
	again, seq, err := w.RevocationHead(w.ctx)
	w.must(err)
	w.equal("epoch", again, epoch)
	w.equal("head", seq, int64(10))
	if len(epoch) < 16 {
		w.Errorf("epoch %q is guessable", epoch)
	}
}

func changesAndWatch(w *world) {
	events, stop := w.Watch()
	poked := func() bool {
		select {
		case <-events:
			return true
		default:
			return false
		}
	}
	w.equal("nothing yet", poked(), false)
	w.client("app")
	w.equal("a change", poked(), true)
	w.equal("one poke", poked(), false)
	w.must(w.PutSetting(w.ctx, "x", nil))
	ann := w.user("ann")
	w.equal("no change", poked(), false)
	w.must(w.RevokeJTI(w.ctx, operator, "j", w.now.Add(time.Hour), w.now))
	w.must(w.RevokeJTI(w.ctx, operator, "k", w.now.Add(time.Hour), w.now))
	w.equal("a rule", poked(), true)
	w.equal("pokes are joined", poked(), false)
	w.want("refused", w.DisableClient(w.ctx, operator, "nobody", w.now), idp.ErrNotFound)
	w.equal("nothing changed", poked(), false)
	w.must(w.PutResource(w.ctx, operator, calendar(), w.now))
	w.must(w.AddSigningKey(w.ctx, operator, idp.SigningKey{ID: "k", Alg: "EdDSA"}, false, w.now))
	w.must(w.DisableClient(w.ctx, operator, "app", w.now))
	w.must(w.DisableUser(w.ctx, operator, ann.ID, w.now))
	all, err := w.Changes(w.ctx, 0, 100)
	w.must(err)
	w.equal("changes", all, []idp.Change{
		{Seq: 1, Kind: "client", ID: "app"}, {Seq: 2, Kind: "resource", ID: "https://calendar.example"}, {Seq: 3, Kind: "key", ID: "k"},
		{Seq: 4, Kind: "client", ID: "app"}, {Seq: 5, Kind: "user", ID: ann.ID},
	})
	page, err := w.Changes(w.ctx, 1, 2)
	w.must(err)
	w.equal("page", page, all[1:3])
	poked()
	stop()
	w.client("web")
	w.equal("stopped", poked(), false)
}
