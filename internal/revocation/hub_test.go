package revocation_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/revocation"
)

func newHub(l revocation.Log, s *signing) *revocation.Hub {
	return revocation.NewHub(l, s.get, revocation.Config{Issuer: issuer, Now: time.Now})
}

// TestHub_SilentWhenUnconfirmed: while the database does not say where the log ends,
// no heartbeat says it, and a newcomer is turned away. TOK-12
func TestHub_SilentWhenUnconfirmed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, s := newMemLog(), newSigning(t, "k1")
		h := newHub(l, s)
		start(t, h)
		events := follow(t, h, "", 0)
		<-events
		synctest.Wait()
		select {
		case <-events: // the hub's own first look, confirmed as well
		default:
		}
		l.fail(idp.ErrUnavailable)
		select {
		case e := <-events:
			t.Errorf("said %+v", e)
		case <-time.After(time.Minute):
		}
		err := h.Follow(t.Context(), "e1", 0, func(*revocation.Event) error {
			t.Error("told a newcomer something")
			return nil
		})
		if !errors.Is(err, idp.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
		l.fail(nil)
		recovered := time.Now()
		if e := <-events; e.From != 0 || e.To != 0 || time.Since(recovered) > time.Second {
			t.Errorf("after %v: %+v", time.Since(recovered), e)
		}
	})
}

// TestHub_SilentWithoutKey: what cannot be signed is not sent. TOK-13
func TestHub_SilentWithoutKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, s := newMemLog(), newSigning(t, "k1")
		s.err = idp.ErrNotFound
		h := newHub(l, s)
		start(t, h)
		err := h.Follow(t.Context(), "", 0, func(*revocation.Event) error { return errors.New("sent") })
		if !errors.Is(err, idp.ErrNotFound) {
			t.Errorf("got %v", err)
		}
	})
}

// TestHub_RetiredKeyDoesNotSign: a rule against a key is never signed by that key; it
// is told as soon as there is another. TOK-07, TOK-13
func TestHub_RetiredKeyDoesNotSign(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, s := newMemLog(), newSigning(t, "k1")
		h := newHub(l, s)
		start(t, h)
		synctest.Wait() // the hub's first look makes a heartbeat
		events := follow(t, h, "", 0)
		<-events
		now := time.Now()
		l.append(true, idp.Rule{Kind: idp.RuleKey, ID: "k1", At: now, Until: now.Add(time.Hour)})
		select {
		case e := <-events:
			t.Errorf("said %+v", e)
		case <-time.After(30 * time.Second):
		}
		s.set(newSigner(t, "k2"))
		changed := time.Now()
		b := open(t, s, <-events)
		if len(b.Rules) != 1 || b.Rules[0].ID != "k1" || time.Since(changed) > time.Second {
			t.Errorf("after %v: %+v", time.Since(changed), b)
		}
	})
}

// TestHub_Heartbeat: every five seconds, signed once for all, with the time of the
// signature.
func TestHub_Heartbeat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, s := newMemLog(), newSigning(t, "k1")
		l.append(false, grants(3, time.Now())...)
		h := newHub(l, s)
		start(t, h)
		synctest.Wait()
		a, b := follow(t, h, "e1", 3), follow(t, h, "e1", 3)
		if first := open(t, s, <-a); first.From != 3 || first.To != 3 || first.Head != 3 {
			t.Errorf("got %+v", first)
		}
		<-b
		for range 10 {
			began, signatures := time.Now(), s.count()
			x, y := <-a, <-b
			if x != y {
				t.Error("signed for each")
			}
			beat := open(t, s, x)
			if beat.From != 3 || beat.To != 3 || beat.Head != 3 || beat.Rules == nil || len(beat.Rules) != 0 {
				t.Errorf("got %+v", beat)
			}
			if beat.IssuedAt != time.Now().Unix() || beat.Now != time.Now().UnixMilli() {
				t.Errorf("signed at %d, now %d", beat.Now, time.Now().UnixMilli())
			}
			if beat.Issuer != issuer || beat.Audience != issuer+"/revocations" {
				t.Errorf("iss %s, aud %s", beat.Issuer, beat.Audience)
			}
			if d := time.Since(began); d > 5*time.Second || s.count() != signatures+1 {
				t.Errorf("after %v, %d signatures", d, s.count()-signatures)
			}
		}
	})
}

// TestHub_Immediate: a rule reaches every follower without any waiting, signed once and
// read from the database once. TOK-12
func TestHub_Immediate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, s := newMemLog(), newSigning(t, "k1")
		h := newHub(l, s)
		start(t, h)
		followers := make([]<-chan *revocation.Event, 100)
		for i := range followers {
			followers[i] = follow(t, h, "", 0)
			<-followers[i]
		}
		for seq := range int64(20) {
			synctest.Wait()
			signatures, reads, began := s.count(), l.ruleReads(), time.Now()
			l.append(true, grants(1, began)...)
			for _, events := range followers {
				e := <-events
				if e.From != seq || e.To != seq+1 || e.Head != seq+1 {
					t.Fatalf("got %+v", e)
				}
			}
			if d := time.Since(began); d != 0 || s.count() != signatures+1 || l.ruleReads() != reads+1 {
				t.Fatalf("after %v, %d signatures, %d reads", d, s.count()-signatures, l.ruleReads()-reads)
			}
		}
	})
}

// TestHub_Poll: a rule of another node, of which no poke tells, comes within a second.
func TestHub_Poll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, s := newMemLog(), newSigning(t, "k1")
		h := newHub(l, s)
		start(t, h)
		events := follow(t, h, "", 0)
		<-events
		began := time.Now()
		l.append(false, grants(1, began)...)
		if e := <-events; e.To != 1 || time.Since(began) > time.Second {
			t.Errorf("after %v: %+v", time.Since(began), e)
		}
	})
}

// TestHub_RestoredLog: another epoch is told from its beginning. STO-06
func TestHub_RestoredLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, s := newMemLog(), newSigning(t, "k1")
		l.append(false, grants(5, time.Now())...)
		h := newHub(l, s)
		start(t, h)
		events := follow(t, h, "e1", 5)
		<-events
		l.mu.Lock()
		l.epoch, l.rules = "e2", l.rules[:2]
		l.mu.Unlock()
		e := <-events
		for e.Epoch == "e1" { // heartbeats that were on their way
			e = <-events
		}
		if e.Epoch != "e2" || e.From != 0 || e.To != 2 {
			t.Errorf("got %+v", e)
		}
	})
}

// TestHub_LogSetBack: when the log is set back within its epoch, who follows is told it
// from its beginning, before it has grown past the old positions and after. STO-06
func TestHub_LogSetBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, s := newMemLog(), newSigning(t, "k1")
		l.append(false, grants(5, time.Now())...)
		h := newHub(l, s)
		start(t, h)
		events := follow(t, h, "e1", 5)
		<-events
		l.mu.Lock()
		l.rules = l.rules[:2]
		l.mu.Unlock()
		time.Sleep(2 * time.Second)
		l.append(true, grants(6, time.Now())...)
		e := <-events
		for e.From == 5 && e.To == 5 { // heartbeats that were on their way
			e = <-events
		}
		if e.Epoch != "e1" || e.From != 0 {
			t.Errorf("got %+v", e)
		}
		for e.To < 8 {
			e = <-events
		}
		time.Sleep(20 * time.Second)
		if e = <-events; e.From == 0 {
			t.Errorf("told twice: %+v", e)
		}
	})
}

// TestHub_Ends: with Run, every follower ends; nothing runs on. DOS-04
func TestHub_Ends(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // fails if a goroutine is left
		l, s := newMemLog(), newSigning(t, "k1")
		h := newHub(l, s)
		ctx, cancel := context.WithCancel(t.Context())
		ran, followed := make(chan error, 1), make(chan error, 2)
		go func() { ran <- h.Run(ctx) }()
		go func() { followed <- h.Follow(t.Context(), "", 0, func(*revocation.Event) error { return nil }) }()
		synctest.Wait()
		cancel()
		if err := <-ran; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
		if err := <-followed; !errors.Is(err, revocation.ErrClosed) {
			t.Errorf("Follow: %v", err)
		}
		err := h.Follow(t.Context(), "e1", 0, func(*revocation.Event) error { return errors.New("sent") })
		if !errors.Is(err, revocation.ErrClosed) {
			t.Errorf("Follow after the end: %v", err)
		}
	})
}

// TestHub_BatchForm: what a batch says of each kind of rule.
func TestHub_BatchForm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, s := newMemLog(), newSigning(t, "k1")
		now := time.Now().Add(250 * time.Millisecond)
		for _, k := range []idp.RuleKind{idp.RuleJTI, idp.RuleGrant, idp.RuleSession, idp.RuleKey, idp.RuleClient, idp.RuleAll} {
			r := idp.Rule{Kind: k, ID: "x-" + string(k), At: now, Until: now.Add(time.Hour)}
			if k == idp.RuleClient || k == idp.RuleAll {
				r.Before = now.Add(2 * time.Second)
			}
			if k == idp.RuleAll {
				r.ID = ""
			}
			l.append(false, r)
		}
		h := newHub(l, s)
		start(t, h)
		e := <-follow(t, h, "", 0)
		b := open(t, s, e)
		if len(b.Rules) != 6 {
			t.Fatalf("got %+v", b)
		}
		for i, r := range b.Rules {
			timed := r.Kind == "client" || r.Kind == "all"
			if r.Seq != int64(i)+1 || r.At != now.UnixMilli() || r.Until != now.Add(time.Hour).Unix() || (r.Before != nil) != timed {
				t.Errorf("got %+v", r)
			}
			if timed && *r.Before != now.Add(2*time.Second).Unix() {
				t.Errorf("%s: before %d", r.Kind, *r.Before)
			}
			if (r.Kind != "all") != (r.ID == "x-"+r.Kind) {
				t.Errorf("%s: id %q", r.Kind, r.ID)
			}
		}
		var wire strings.Builder
		if _, err := e.WriteTo(&wire); err != nil {
			t.Fatal(err)
		}
		if want := "id: e1.6\nevent: batch\ndata: " + e.Token + "\n\n"; wire.String() != want {
			t.Errorf("got %q", wire.String())
		}
	})
}

// TestHub_Ready: a node that cannot say what is revoked says that it is not ready, and is
// again when it can.
func TestHub_Ready(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, s := newMemLog(), newSigning(t, "k1")
		h := newHub(l, s)
		if h.Ready(time.Now()) == nil {
			t.Error("ready before the log was read")
		}
		start(t, h)
		synctest.Wait()
		if err := h.Ready(time.Now()); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		if err := h.Ready(time.Now()); err != nil {
			t.Error(err)
		}
		l.fail(idp.ErrUnavailable)
		time.Sleep(4 * time.Second)
		if err := h.Ready(time.Now()); err != nil {
			t.Errorf("a short trouble: %v", err)
		}
		time.Sleep(3 * time.Second)
		if h.Ready(time.Now()) == nil {
			t.Error("ready without the log")
		}
		l.fail(nil)
		time.Sleep(time.Second)
		if err := h.Ready(time.Now()); err != nil {
			t.Errorf("when it is over: %v", err)
		}
	})
}

// TestHub_Open: what was revoked just before a start dates the first token after it.
func TestHub_Open(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newMemLog()
		before := time.Now().Add(2 * time.Second)
		l.append(false, idp.Rule{Kind: idp.RuleAll, Before: before, At: time.Now(), Until: before.Add(time.Hour)})
		h := newHub(l, newSigning(t, "k1"))
		if err := h.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := h.NotBefore("app"); !got.Equal(before) {
			t.Errorf("not before %v, want %v", got, before)
		}
		l.fail(idp.ErrUnavailable)
		if err := newHub(l, newSigning(t, "k1")).Open(t.Context()); !errors.Is(err, idp.ErrUnavailable) {
			t.Errorf("without the log: %v", err)
		}
	})
}
