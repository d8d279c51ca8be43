package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// The steps of the story in which Ann looks under the hood of Friendly Scheduler and
// presses its buttons.

var wholeToken = regexp.MustCompile(`eyJ[\w-]{20}`)

func (s *story) underTheHood(context.Context) (string, error) {
	p := s.ann.page
	if !p.has("RFC 9126 §2.1", "RFC 9207 §2", "RFC 6749 §4.1.3", "RFC 7636 §4.5", "RFC 6750 §2.1", "only here", "ends by itself in") || wholeToken.MatchString(p.body) {
		return s.seen(), nil
	}
	return "RFC 9126, 9207, 6749, 7636, 6750; no whole token", nil
}

var statusLine = regexp.MustCompile(`<b>HTTP (\d+)</b>`)

// presses presses a button of the scheduler and reads what the page says of it. The
// details below say it again.
func (s *story) presses(cheat string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		if err := s.ann.open(ctx, s.at.scheduler+"/"); err != nil {
			return "", err
		}
		if err := s.ann.press(ctx, cheat, nil, nil); err != nil {
			return "", err
		}
		if !s.ann.page.has(": refused</h1>") {
			return s.seen(), nil
		}
		got := "refused:"
		verdict, _, _ := strings.Cut(s.ann.page.body, "Under the hood")
		for _, m := range statusLine.FindAllStringSubmatch(verdict, -1) {
			got += " " + m[1]
		}
		if s.ann.page.has("everything is forgotten here") {
			got += ", forgotten"
		}
		return got, nil
	}
}

// startsAgain: she has said yes before, so signet sends her straight back.
func (s *story) startsAgain(path string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		if err := s.ann.follow(ctx, s.at.scheduler+path); err != nil {
			return "", err
		}
		if !s.ann.page.has("Pick a free hour") {
			return s.seen(), nil
		}
		return "free hours, nothing asked", nil
	}
}

// securityLog has what the buttons did, and what the story did before with tokens in the hand.
func (s *story) securityLog(ctx context.Context) (string, error) {
	if err := s.ann.open(ctx, s.at.issuer+"/account/security"); err != nil {
		return "", err
	}
	count := func(text string) int { return strings.Count(s.ann.page.body, text) }
	return fmt.Sprintf("%d codes used twice, %d refresh tokens",
		count("A sign-in code of Friendly Scheduler was used twice"), count("A key of Friendly Scheduler was used twice")), nil
}

// resets books an hour before, so that there is something to take back.
func (s *story) resets(ctx context.Context) (string, error) {
	if err := s.ann.open(ctx, s.at.scheduler+"/"); err != nil {
		return "", err
	}
	if got, err := s.books(ctx); err != nil || got != "booked" {
		return got, err
	}
	if err := s.ann.press(ctx, "Reset the demo", nil, nil); err != nil {
		return "", err
	}
	if !s.ann.page.has("Back to the beginning") {
		return s.seen(), nil
	}
	if err := s.ann.open(ctx, s.at.calendar+"/"); err != nil {
		return "", err
	}
	if s.ann.page.has("Coffee with Bob") || !s.ann.page.has("Doctor") {
		return s.seen(), nil
	}
	if err := s.ann.open(ctx, s.at.scheduler+"/connect?consent=1"); err != nil {
		return "", err
	}
	if s.ann.page.url.Path != "/consent" {
		return s.seen(), nil
	}
	if got, err := s.authorizesHere(ctx); err != nil || got != "free hours" {
		return got, err
	}
	return "the hour is free, she is asked again", nil
}

// counts: the calendar checks tokens by itself, so its questions do not grow with them.
func (s *story) counts(ctx context.Context) (string, error) {
	before, err := s.calendarStatus(ctx)
	if err != nil {
		return "", err
	}
	for range 50 {
		if status, err := s.client.freeBusy(ctx, s.scheduler.access); err != nil || status != http.StatusOK {
			return fmt.Sprintf("status %d", status), err
		}
	}
	after, err := s.calendarStatus(ctx)
	if err != nil {
		return "", err
	}
	if checked := after.Requests - before.Requests; checked != 50 || after.Verified < before.Verified+50 {
		return fmt.Sprintf("%d checked", checked), nil
	}
	return fmt.Sprintf("%d key download, %d questions about a token", after.KeyFetches, after.Lookups), nil
}

// checking is what the calendar says about its checking of tokens.
type checking struct {
	Requests   uint64 `json:"requests"`
	Verified   uint64 `json:"verified"`
	KeyFetches uint64 `json:"key_fetches"`
	Lookups    uint64 `json:"lookups"`
}

func (s *story) calendarStatus(ctx context.Context) (c checking, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.at.calendar+"/status", nil)
	if err != nil {
		return c, err
	}
	res, err := s.client.http.Do(req)
	if err != nil {
		return c, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return c, errors.New("the calendar has no status")
	}
	return c, json.NewDecoder(res.Body).Decode(&c)
}
