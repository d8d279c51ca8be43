package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The steps of the story in which somebody tries what must not work.

func (s *story) readsEvents(ctx context.Context) (got string, err error) {
	if s.scheduler, err = s.schedulerTokens(ctx); err != nil {
		return "", err
	}
	a, err := s.client.api(ctx, http.MethodGet, "/api/events", s.scheduler.access, nil)
	if err != nil || !strings.Contains(a.challenge, `scope="`+scopeEvents+`"`) {
		return a.text(), err
	}
	return a.text() + " " + scopeEvents, nil
}

// cancelsForeign: the calendar's own pages add a meeting, the scheduler tries to cancel it.
func (s *story) cancelsForeign(ctx context.Context) (got string, err error) {
	if s.calendar, err = s.calendarTokens(ctx); err != nil {
		return "", err
	}
	start := time.Now().AddDate(0, 0, 60).Truncate(24 * time.Hour) // at midnight everybody is free
	made, err := s.client.api(ctx, http.MethodPost, "/api/meetings", s.calendar.access,
		map[string]any{"title": "Birthday", "start": start, "end": start.Add(time.Hour)})
	if err != nil || made.status != http.StatusCreated {
		return "not made: " + made.text(), err
	}
	a, err := s.client.api(ctx, http.MethodDelete, "/api/meetings/"+made.body.ID, s.scheduler.access, nil)
	return a.text(), err
}

// wrongAudience: the token is good, but not here (RFC 9068 §4, RFC 8707 §2).
func (s *story) wrongAudience(ctx context.Context) (string, error) {
	a, err := s.client.bearer(ctx, http.MethodGet, s.at.issuer+"/userinfo", s.scheduler.access, nil)
	if err == nil && a.body.Error == "" && strings.Contains(a.challenge, `error="invalid_token"`) {
		a.body.Error = "invalid_token"
	}
	return a.text(), err
}

func (s *story) changedByte(ctx context.Context) (string, error) {
	b := []byte(s.scheduler.access)
	if i := len(b) / 2; b[i] == 'A' {
		b[i] = 'B'
	} else {
		b[i] = 'A'
	}
	a, err := s.client.api(ctx, http.MethodGet, "/api/freebusy", string(b), nil)
	return a.text(), err
}

func (s *story) codeReplay(ctx context.Context) (got string, err error) {
	if s.scheduler, err = s.schedulerTokens(ctx); err != nil {
		return "", err
	}
	if status, err := s.client.freeBusy(ctx, s.scheduler.access); err != nil || status != http.StatusOK {
		return fmt.Sprintf("%d before", status), err
	}
	s.began = time.Now()
	a, err := s.client.redeem(ctx, devScheduler, s.at.scheduler+"/callback", s.scheduler)
	return a.text(), err
}

// replayKills: the calendar refuses what came of the artefact that was used twice.
func (s *story) replayKills(ctx context.Context) (string, error) {
	return s.refusedSince(ctx, s.scheduler.access, s.began)
}

func (s *story) refresh(ctx context.Context) (apiAnswer, error) {
	return s.client.token(ctx, devScheduler, url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {s.scheduler.refresh}, "resource": {s.at.calendar},
	})
}

// refreshRetry: an honest client whose answer got lost asks again and loses nothing.
func (s *story) refreshRetry(ctx context.Context) (got string, err error) {
	if s.scheduler, err = s.schedulerTokens(ctx); err != nil {
		return "", err
	}
	first, err := s.refresh(ctx)
	if err != nil || first.body.Refresh == "" {
		return "first: " + first.text(), err
	}
	second, err := s.refresh(ctx)
	if err != nil || second.body.Refresh != first.body.Refresh {
		return second.text() + ", another successor", err
	}
	s.scheduler.access = second.body.Access
	return second.text() + ", the same successor", nil
}

// refreshReplay: later than any lost answer, the old token can only be a stolen one.
func (s *story) refreshReplay(ctx context.Context) (string, error) {
	s.advance(31 * time.Second)
	s.began = time.Now()
	a, err := s.refresh(ctx)
	return a.text(), err
}
