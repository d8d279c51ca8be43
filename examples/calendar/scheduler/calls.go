package scheduler

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// refusal is a no of the calendar.
type refusal struct {
	Status    int
	Code      string `json:"error"`
	RevokedAt int64  `json:"revoked_at"` // unix milliseconds, when the token was revoked…
	HeardAt   int64  `json:"heard_at"`   // …and when the calendar knew
}

func (r *refusal) Error() string { return fmt.Sprintf("the calendar says %d %s", r.Status, r.Code) }

// interval is a time in which the person is busy. There is nothing else to know.
type interval struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

func (a *App) busy(ctx context.Context, s *session, from, to time.Time) ([]interval, error) {
	var answer struct {
		Busy []interval `json:"busy"`
	}
	q := url.Values{"from": {from.Format(time.RFC3339)}, "to": {to.Format(time.RFC3339)}}
	err := a.call(ctx, s, http.MethodGet, "/api/freebusy?"+q.Encode(), nil, &answer)
	return answer.Busy, err
}

// call asks the calendar. When it does not take the access token, a new one is asked
// for, once. If there is none, errGrantOver is joined with the calendar's refusal.
func (a *App) call(ctx context.Context, s *session, method, path string, in, out any) error {
	err := a.try(ctx, s, method, path, in, out)
	refused, ok := errors.AsType[*refusal](err)
	if !ok || refused.Status != http.StatusUnauthorized {
		return err
	}
	err = a.refresh(ctx, s, refreshing)
	switch {
	case errors.Is(err, errGrantOver):
		return errors.Join(err, refused)
	case err != nil: // signet does not answer: that is no reason to forget anything
		return err
	}
	return a.try(ctx, s, method, path, in, out)
}

func (a *App) try(ctx context.Context, s *session, method, path string, in, out any) error {
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, a.cfg.CalendarURL+path, &body)
	if err != nil {
		return err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	what := calling
	if s.key != nil {
		what = proving
	}
	return a.send(s, req, document(body.Bytes()), what, out)
}

// send sends a request with the session's token; sent is what the panel shows of the body.
func (a *App) send(s *session, req *http.Request, sent string, what step, out any) error {
	if err := s.authorize(req, a.cfg.Now()); err != nil {
		return err
	}
	got, err := a.ask(req, sent, what, &s.trace)
	switch {
	case err != nil:
		return err
	case got.status/100 != 2:
		var no refusal
		_ = json.Unmarshal(got.body, &no) // a refusal without words is one, too
		no.Status = got.status
		return &no
	case out == nil:
		return nil
	}
	return json.Unmarshal(got.body, out)
}

// authorize puts the token into a request and, if it is bound to a key, the proof (RFC
// 6750 §2.1, RFC 9449 §7.1).
func (s *session) authorize(req *http.Request, now time.Time) error {
	req.Header.Set("Authorization", s.scheme()+" "+s.tokens.Access)
	return s.key.prove(req, s.tokens.Access, now)
}
