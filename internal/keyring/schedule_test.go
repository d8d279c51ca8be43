package keyring_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/keyring"
)

const day = 24 * time.Hour

// TestNewPolicy: a key is published longer than any cache is old before it signs, and
// longer than any of its tokens lives after it has. TOK-07
func TestNewPolicy(t *testing.T) {
	t.Parallel()
	p := keyring.NewPolicy(time.Hour, 0)
	if p.Lead < time.Hour || p.Ahead < p.Lead || p.Active != 30*day || p.Hints != 90*day {
		t.Errorf("got %+v", p)
	}
	// Life, leeway of the verifier, a token that is dated ahead, and four clocks.
	if least := time.Hour + 2*time.Minute + 4*5*time.Minute; p.Retiring < least {
		t.Errorf("retiring for %v, want %v", p.Retiring, least)
	}
	if long := keyring.NewPolicy(3*time.Hour, 200*day); long.Retiring < 3*time.Hour || long.Hints != 200*day {
		t.Errorf("got %+v", long)
	}
}

// TestPlan: what is due, and nothing else. TOK-07, STO-05
func TestPlan(t *testing.T) {
	t.Parallel()
	p := keyring.NewPolicy(time.Hour, 0)
	now := start
	ago, in := func(d time.Duration) time.Time { return now.Add(-d) }, func(d time.Duration) time.Time { return now.Add(d) }
	key := func(id string, staged, active time.Time) idp.SigningKey {
		return idp.SigningKey{ID: id, Alg: "EdDSA", StagedAt: staged, ActiveAt: active}
	}
	signing := func(age time.Duration) idp.SigningKey { return key("a", ago(age), ago(age)) }
	retiring := func(since time.Time) idp.SigningKey {
		k := key("old", ago(40*day), ago(35*day))
		k.RetiringAt = since
		return k
	}
	retired := func(since time.Time) idp.SigningKey {
		k := retiring(since.Add(-day))
		k.RetiredAt = since
		return k
	}
	tests := []struct {
		name string
		rows []idp.SigningKey
		want string
	}{
		{"nothing there", nil, ""},
		{"new", []idp.SigningKey{signing(0)}, ""},
		{"a second before a successor is needed", []idp.SigningKey{signing(29*day - time.Second)}, ""},
		{"a successor is needed", []idp.SigningKey{signing(29 * day)}, "stage a to sign in 24h0m0s"},
		{"a bit late", []idp.SigningKey{signing(30*day - 2*time.Hour)}, "stage a to sign in 2h0m0s"},
		{"the server was off for long", []idp.SigningKey{signing(300 * day)}, "stage a to sign in 1h0m0s"},
		{"a successor is there", []idp.SigningKey{signing(29 * day), key("b", ago(time.Hour), in(day))}, ""},
		{"a second before it signs", []idp.SigningKey{signing(30 * day), key("b", ago(day), in(time.Second))}, ""},
		{"it signs", []idp.SigningKey{signing(30 * day), key("b", ago(day), now)}, "hand over a to b"},
		{"taken forward by the operator", []idp.SigningKey{signing(day), key("b", ago(time.Hour), now)}, "hand over a to b"},
		{"not published for long enough", []idp.SigningKey{signing(31 * day), key("b", ago(time.Hour-time.Second), now)}, ""},
		{"two that sign at once (two nodes made them)", []idp.SigningKey{signing(0), key("b", now, now)}, ""},
		{"two for an hour", []idp.SigningKey{signing(time.Hour), key("b", ago(time.Hour), ago(time.Hour))}, "hand over a to b"},
		{"three: one step at a time", []idp.SigningKey{signing(9 * day), key("b", ago(9*day), ago(2*day)), key("c", ago(9*day), ago(day))}, "hand over a to b"},
		{"order of rows does not matter", []idp.SigningKey{key("b", ago(day), now), signing(30 * day)}, "hand over a to b"},
		{"retiring, a second early", []idp.SigningKey{signing(day), retiring(ago(p.Retiring - time.Second))}, ""},
		{"retiring, over", []idp.SigningKey{signing(day), retiring(ago(p.Retiring))}, "finish old"},
		{"retired, a second early", []idp.SigningKey{signing(day), retired(ago(90*day - time.Second))}, ""},
		{"retired, over", []idp.SigningKey{signing(day), retired(ago(90 * day))}, "forget old"},
		{"a kind of a newer release", []idp.SigningKey{{ID: "pq", Alg: "FN-DSA-512", StagedAt: ago(99 * day), ActiveAt: ago(99 * day), RetiringAt: ago(50 * day)}}, ""},
		{"never to sign", []idp.SigningKey{signing(40 * day), key("b", ago(day), time.Time{})}, "stage a to sign in 1h0m0s"},
		{"each algorithm for itself", []idp.SigningKey{signing(40 * day), {ID: "r", Alg: "RS256", StagedAt: ago(40 * day), ActiveAt: ago(40 * day)}},
			"stage r to sign in 1h0m0s, stage a to sign in 1h0m0s"},

		// Clocks. Whether a row from the future is wrong or the clock is, nobody knows.
		{"set back after staging", []idp.SigningKey{signing(30 * day), key("b", in(5*time.Minute), in(65*time.Minute))}, ""},
		{"set back a year after staging", []idp.SigningKey{signing(40 * day), key("b", in(365*day), in(366*day))}, ""},
		{"set back a year after the first start", []idp.SigningKey{key("a", in(365*day), in(365*day))}, ""},
		{"set back after handing over", []idp.SigningKey{key("b", ago(day), in(5*time.Minute)), retiring(in(5 * time.Minute))}, ""},
		{"set back after retiring", []idp.SigningKey{signing(day), retired(in(day))}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			before := slices.Clone(tt.rows)
			var got []string
			for _, a := range keyring.Plan(tt.rows, now, p) {
				got = append(got, describe(a, now))
			}
			if s := strings.Join(got, ", "); s != tt.want {
				t.Errorf("got  %q\nwant %q", s, tt.want)
			}
			if fmt.Sprint(before) != fmt.Sprint(tt.rows) {
				t.Error("the rows were changed")
			}
		})
	}
}

func describe(a keyring.Action, now time.Time) string {
	switch a.Do {
	case keyring.Stage:
		return fmt.Sprintf("stage %s to sign in %v", a.Key.ID, a.ActiveAt.Sub(now))
	case keyring.HandOver:
		return fmt.Sprintf("hand over %s to %s", a.Key.ID, a.Next)
	}
	return fmt.Sprintf("%s %s", a.Do, a.Key.ID)
}
