package scheduler

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// refusal is a no of the calendar.
type refusal struct {
	Status    int
	Challenge string // WWW-Authenticate (RFC 6750 §3)
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
	t, err := a.token(ctx, url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {s.tokens.Refresh}, "resource": {a.cfg.CalendarURL},
	})
	switch {
	case errors.Is(err, errGrantOver):
		return errors.Join(err, refused)
	case err != nil: // signet does not answer: that is no reason to forget anything
		return err
	}
	s.tokens.Access = t.Access
	if t.Refresh != "" { // it rotates: the old one is worth nothing now
		s.tokens.Refresh = t.Refresh
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
	req.Header.Set("Authorization", "Bearer "+s.tokens.Access)
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := a.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	switch {
	case err != nil:
		return err
	case res.StatusCode/100 != 2:
		no := refusal{Challenge: res.Header.Get("WWW-Authenticate")}
		_ = json.Unmarshal(answer, &no) // a refusal without words is one, too
		no.Status = res.StatusCode
		return &no
	case out == nil:
		return nil
	}
	return json.Unmarshal(answer, out)
}
