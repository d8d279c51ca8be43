package verifytest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/jose"
)

// maxBatch is the number of rules in one message.
const maxBatch = 1000

// Revoke adds a rule to the revocation log and returns when all verifiers of Verifier and
// WaitFor have heard of it (at once while the feed is paused). Seq is given by the log;
// At, Until and, where the kind has it, Before may be left zero.
func (i *Issuer) Revoke(r verify.Rule) {
	i.tb.Helper()
	i.mu.Lock()
	now := i.now()
	r.Seq = int64(len(i.rules)) + 1
	if r.At.IsZero() {
		r.At = now
	}
	if r.Until.IsZero() {
		r.Until = now.Add(time.Hour)
	}
	if r.Before.IsZero() {
		r.Before = now
		for _, older := range i.rules { // what was made since is dated after it
			if timed(older) && !older.Before.Before(r.Before.Truncate(time.Second)) {
				r.Before = older.Before.Add(time.Second)
			}
		}
	}
	i.rules = append(i.rules, r)
	i.poke()
	verifiers, paused := slices.Clone(i.verifiers), i.paused
	i.mu.Unlock()
	if !paused {
		i.await(verifiers, r.Seq)
	}
}

// timed reports whether a rule names tokens by their time of issue.
func timed(r verify.Rule) bool { return r.Kind == verify.RuleClient || r.Kind == verify.RuleAll }

// RevokeToken revokes an access token of this issuer, and no other one, by its "jti". It
// returns when Revoke does.
func (i *Issuer) RevokeToken(token string) {
	i.tb.Helper()
	keys, err := jose.NewKeySet(i.access.Key())
	if err != nil {
		i.tb.Fatal("verifytest: keys:", err)
	}
	payload, _, err := keys.Verify(token, "at+jwt")
	if err != nil {
		i.tb.Fatal("verifytest: revoke: not an access token of this issuer:", err)
	}
	var c struct {
		ID      string  `json:"jti"`
		Expires float64 `json:"exp"`
	}
	if err := json.Unmarshal(payload, &c); err != nil || c.ID == "" {
		i.tb.Fatal("verifytest: revoke: the token has no jti")
	}
	until := max(i.now().Unix(), int64(c.Expires)) + 3600
	i.Revoke(verify.Rule{Kind: verify.RuleJTI, ID: c.ID, Until: time.Unix(until, 0)})
}

// await looks until the verifiers have got so far.
func (i *Issuer) await(verifiers []*verify.Verifier, seq int64) {
	i.tb.Helper()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	deadline := time.After(10 * time.Second)
	for len(verifiers) > 0 {
		if verifiers[0].Status().Position >= seq {
			verifiers = verifiers[1:]
			continue
		}
		select {
		case <-look.C:
		case <-deadline:
			i.tb.Error("verifytest: a verifier does not hear of the revocation: ", verifiers[0].Status().LastTrouble)
			return
		}
	}
}

// Pause makes the feed fall silent, as when a line is cut without anybody noticing: no
// heartbeats, no rules. Connections stay open.
func (i *Issuer) Pause() { i.setPaused(true) }

// Resume ends a Pause.
func (i *Issuer) Resume() { i.setPaused(false) }

func (i *Issuer) setPaused(paused bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.paused = paused
	i.poke()
}

// poke wakes the connections. The caller holds mu.
func (i *Issuer) poke() {
	close(i.changed)
	i.changed = make(chan struct{})
}

// serveFeed sends the log from where the verifier stands, and a heartbeat now and then.
func (i *Issuer) serveFeed(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	out := http.NewResponseController(w)
	if out.Flush() != nil {
		return
	}
	at := i.resume(r.Header.Get("Last-Event-ID"))
	pulse := time.NewTicker(i.pulse)
	defer pulse.Stop()
	for beat := true; ; {
		message, to, changed, err := i.message(at, beat)
		if err != nil {
			i.tb.Error("verifytest: feed:", err)
			return
		}
		if message != "" {
			if _, err := fmt.Fprintf(w, "id: %s.%d\nevent: batch\ndata: %s\n\n", i.epoch, to, message); err != nil {
				return
			}
			if out.Flush() != nil {
				return
			}
			at, beat = to, false
			continue
		}
		select {
		case <-r.Context().Done():
			return
		case <-changed:
		case <-pulse.C:
			beat = true
		}
	}
}

// resume reads "<epoch>.<seq>"; a position that is not ours is the beginning.
func (i *Issuer) resume(id string) int64 {
	i.mu.Lock()
	defer i.mu.Unlock()
	epoch, number, _ := strings.Cut(id, ".")
	seq, err := strconv.ParseInt(number, 10, 64)
	if err != nil || epoch != i.epoch || seq < 0 || seq > int64(len(i.rules)) {
		return 0
	}
	return seq
}

// wireRule is a rule as the feed has it.
type wireRule struct {
	Seq    int64           `json:"seq"`
	Kind   verify.RuleKind `json:"kind"`
	ID     string          `json:"id,omitempty"`
	Before int64           `json:"before,omitempty"`
	At     int64           `json:"at"`
	Until  int64           `json:"until"`
}

// message signs what comes after a position, or nothing if there is nothing to say. The
// channel is closed when that changes.
func (i *Issuer) message(at int64, beat bool) (message string, to int64, changed <-chan struct{}, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	head := int64(len(i.rules))
	if i.paused || at == head && !beat {
		return "", at, i.changed, nil
	}
	to = min(head, at+maxBatch)
	rules := make([]wireRule, 0, to-at)
	for _, r := range i.rules[at:to] {
		w := wireRule{Seq: r.Seq, Kind: r.Kind, ID: r.ID, At: r.At.UnixMilli(), Until: r.Until.Unix()}
		if timed(r) {
			w.Before = r.Before.Unix()
		}
		rules = append(rules, w)
	}
	now := i.now()
	payload, err := json.Marshal(Claims{
		"iss": i.URL, "aud": i.URL + "/revocations", "iat": now.Unix(), "now": now.UnixMilli(),
		"epoch": i.epoch, "from": at, "to": to, "head": head, "rules": rules,
	})
	if err != nil {
		return "", at, nil, err
	}
	message, err = i.access.Sign("revocations+jwt", payload)
	return message, to, i.changed, err
}
