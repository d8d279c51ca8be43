package oauth_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/oauth"
	"github.com/signet-id/signet/internal/store"
)

// writes is the real store with a count of what a refusal wrote.
type writes struct {
	*store.DB
	n int
}

func (s *writes) CountAttempt(ctx context.Context, l []idp.Limit, now time.Time) (time.Duration, error) {
	s.n++
	return s.DB.CountAttempt(ctx, l, now)
}

func (s *writes) Audit(ctx context.Context, e idp.Event) error {
	s.n++
	return s.DB.Audit(ctx, e)
}

// TestClientAuth_DOS03_RecordsAreBounded: a flood of refused clients leaves a bounded
// trace, does not wait for the writer, and hears what the first one heard.
func TestClientAuth_DOS03_RecordsAreBounded(t *testing.T) {
	t.Parallel()
	s := &writes{}
	w := newWorld(t, func(c *oauth.Config) {
		s.DB = c.Store.(*store.DB)
		c.Store = s
	})
	knock := func(from, client string) string {
		r := httptest.NewRequest("POST", "/token", strings.NewReader("client_id="+client+"&client_secret=x&grant_type=client_credentials"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.RemoteAddr = from
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, r)
		return fmt.Sprint(rec.Code, rec.Body)
	}
	const evil = "198.51.100.7:1"
	first := knock(evil, "nobody")
	for i := range 59 {
		if got := knock(evil, []string{"nobody", "robot"}[i%2]); got != first {
			t.Fatalf("%d: %s; want %s", i, got, first)
		}
	}
	before := s.n
	for _, client := range []string{"nobody", "robot", "other"} {
		if got := knock(evil, client); got != first {
			t.Errorf("over the quota, %s: %s; want %s", client, got, first)
		}
	}
	if s.n != before {
		t.Errorf("%d writes over the quota", s.n-before)
	}
	knock("203.0.113.5:1", "robot")
	rows, err := w.db.Events(t.Context(), "", 0, 1000)
	w.must(err)
	from := map[string]int{}
	for _, e := range rows {
		if e.Action == "client.authenticate" {
			from[e.Actor.IP]++
		}
	}
	if from["198.51.100.7"] != 60 || from["203.0.113.5"] != 1 {
		t.Errorf("rows: %v", from)
	}
	w.pass(time.Hour)
	knock(evil, "robot")
	if s.n != before+4 {
		t.Errorf("an hour later: %d writes", s.n-before-2)
	}
}
