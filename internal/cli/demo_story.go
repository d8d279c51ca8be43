package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// story is what happens to Ann, her calendar and an app that somebody else wrote. Where a
// step needs a token in the hand, the story plays the server of one of the two apps.
type story struct {
	at      devAddresses
	ann     *browser
	client  appClient
	advance func(time.Duration) // moves everybody's clock
	took    time.Duration       // what a step measured, if not its own time
	began   time.Time           // when the last replay was sent

	scheduler appTokens // of the scheduler, held by the story
	calendar  appTokens // of the calendar's pages, held by the story
}

type storyStep struct {
	name, want string
	run        func(context.Context) (got string, err error)
}

// withinSecond is the promise about revocation; the ms column has the figure.
const withinSecond = "401 within 1 s"

func newStory(at devAddresses, advance func(time.Duration)) *story {
	return &story{at: at, ann: newBrowser(), client: newAppClient(at), advance: advance}
}

func (s *story) steps() []storyStep {
	return []storyStep{
		{"Ann opens her calendar", "she is asked to sign in", s.opensCalendar},
		{"Ann signs in with her password", "her week: Doctor, Job interview", s.signsIn},
		{"Friendly Scheduler pushes its request", "the browser carries a name only", s.pushes},
		{"Ann is sent to signet", "consent page, no second login", s.connects},
		{"The consent page tells what it asks for", "busy times, adding meetings, staying connected", s.consentAsks},
		{"The consent page tells what it cannot do", "events, settings, password", s.consentNever},
		{"Ann cancels", "access_denied, a friendly page", s.cancels},
		{"Ann connects again and authorizes", "free hours", s.authorizes},
		{"Friendly Scheduler shows her week", "grey blocks, no titles", s.greyBlocks},
		{"Under the hood", "RFC 9126, 9207, 6749, 7636, 6750; no whole token", s.underTheHood},
		{"Ann books a free hour", "booked", s.books},
		{"Her calendar shows the meeting", "added by Friendly Scheduler", s.seesMeeting},
		{"Button: read your events", "refused: 403", s.presses("events")},
		{"Button: ask signet who you are", "refused: 401", s.presses("userinfo")},
		{"Button: change one byte", "refused: 401", s.presses("byte")},
		{"Token: read events", "403 insufficient_scope calendar.events:read", s.readsEvents},
		{"Token: cancel a meeting of another app", "403 access_denied", s.cancelsForeign},
		{"Friendly Scheduler cancels its own meeting", "gone from both", s.cancelsOwn},
		{"50 requests are checked", "1 key download, 0 questions about a token", s.counts},
		{"Token: sent to signet's userinfo (wrong audience)", "401 invalid_token", s.wrongAudience},
		{"Token: one byte changed", "401 invalid_token", s.changedByte},
		{"Code: redeemed twice", "400 invalid_grant", s.codeReplay},
		{"Code: and its tokens die", withinSecond, s.replayKills},
		{"Refresh token: retried at once (a lost answer)", "200, the same successor", s.refreshRetry},
		{"Refresh token: used again 31 s later", "400 invalid_grant", s.refreshReplay},
		{"Refresh token: and its family dies", withinSecond, s.replayKills},
		{"Button: use the code again", "refused: 400 401, forgotten", s.presses("code")},
		{"Ann starts again", "free hours, nothing asked", s.startsAgain("/connect")},
		{"Button: use an old refresh token", "refused: 200 400 401, forgotten", s.presses("refresh")},
		{"Ann's security log", "2 codes used twice, 2 refresh tokens", s.securityLog},
		{"Ann starts again, with DPoP", "free hours, nothing asked", s.startsAgain("/connect?dpop=1")},
		{"Button: another key", "refused: 401", s.presses("key")},
		{"Button: no proof", "refused: 401", s.presses("bearer")},
		{"Ann books, and resets the demo", "the hour is free, she is asked again", s.resets},
		{"Ann revokes Friendly Scheduler (its token has minutes left)", withinSecond, s.revokes},
		{"Friendly Scheduler calls its calendar", "refused, forgotten, connect again", s.schedulerIsRefused},
		{"Ann signs out at her calendar: its token dies, too", withinSecond, s.signsOut},
		{"Ann opens her calendar", "she is asked to sign in", s.opensCalendar},
	}
}

func (s *story) opensCalendar(ctx context.Context) (string, error) {
	if err := s.ann.open(ctx, s.at.calendar+"/"); err != nil {
		return "", err
	}
	if !s.ann.page.has("Sign in", "/login") {
		return s.seen(), nil
	}
	return "she is asked to sign in", nil
}

func (s *story) signsIn(ctx context.Context) (string, error) {
	if err := s.ann.follow(ctx, s.at.calendar+"/login"); err != nil {
		return "", err
	}
	if err := s.ann.press(ctx, "Sign in", nil, map[string]string{"username": "ann", "password": devPassword}); err != nil {
		return "", err
	}
	if !s.ann.page.has("Ann Example’s week", "Doctor", "Job interview") {
		return s.seen(), nil
	}
	return "her week: Doctor, Job interview", nil
}

// pushes stops the browser on its way from the scheduler to signet.
func (s *story) pushes(ctx context.Context) (string, error) {
	if err := s.ann.open(ctx, s.at.scheduler+"/"); err != nil {
		return "", err
	}
	s.ann.caught = s.at.issuer + "/authorize"
	defer func() { s.ann.caught = "" }()
	if err := s.ann.follow(ctx, s.at.scheduler+"/connect"); err != nil {
		return "", err
	}
	q := s.ann.page.url.Query()
	if len(q) != 2 || !q.Has("client_id") || !q.Has("request_uri") {
		return s.seen(), nil
	}
	return "the browser carries a name only", nil
}

func (s *story) connects(ctx context.Context) (string, error) {
	if err := s.ann.follow(ctx, s.ann.page.url.String()); err != nil {
		return "", err
	}
	if s.ann.page.url.Path != "/consent" {
		return s.seen(), nil
	}
	return "consent page, no second login", nil
}

func (s *story) consentAsks(context.Context) (string, error) {
	p := s.ann.page
	if !p.has("Friendly Scheduler", "Third-party", "See when you are busy", "Not titles, guests or places",
		"Add meetings to your calendar", "change or cancel the ones it added", "while you are away") {
		return s.seen(), nil
	}
	return "busy times, adding meetings, staying connected", nil
}

func (s *story) consentNever(context.Context) (string, error) {
	_, never, _ := strings.Cut(s.ann.page.body, "It will not be able to")
	if !(page{body: never}).has("Read your events", "Change the settings", "See your password") {
		return s.seen(), nil
	}
	return "events, settings, password", nil
}

func (s *story) cancels(ctx context.Context) (string, error) {
	if err := s.ann.press(ctx, "cancel", nil, nil); err != nil {
		return "", err
	}
	p := s.ann.page
	if p.url.Query().Get("error") != "access_denied" || !p.has("No problem!") {
		return s.seen(), nil
	}
	return "access_denied, a friendly page", nil
}

func (s *story) authorizes(ctx context.Context) (string, error) {
	if err := s.ann.follow(ctx, s.at.scheduler+"/connect"); err != nil {
		return "", err
	}
	return s.authorizesHere(ctx)
}

// authorizesHere says yes on the consent page.
func (s *story) authorizesHere(ctx context.Context) (string, error) {
	if err := s.ann.press(ctx, "authorize", nil, nil); err != nil {
		return "", err
	}
	if !s.ann.page.has("Pick a free hour", "/book?start=") {
		return s.seen(), nil
	}
	return "free hours", nil
}

func (s *story) greyBlocks(context.Context) (string, error) {
	if !s.ann.page.has(`class="busy`) || s.ann.page.has("Doctor") || s.ann.page.has("interview") {
		return s.seen(), nil
	}
	return "grey blocks, no titles", nil
}

var bookLink = regexp.MustCompile(`href="(/book\?start=[^"]+)"`)

func (s *story) books(ctx context.Context) (string, error) {
	link := bookLink.FindStringSubmatch(s.ann.page.body)
	if link == nil {
		return "no free hour", nil
	}
	if err := s.ann.follow(ctx, s.at.scheduler+strings.ReplaceAll(link[1], "&#43;", "%2b")); err != nil {
		return "", err
	}
	if err := s.ann.press(ctx, "Add to my calendar", nil, map[string]string{"title": "Coffee with Bob"}); err != nil {
		return "", err
	}
	if !s.ann.page.has("Booked for you", "Coffee with Bob") {
		return s.seen(), nil
	}
	return "booked", nil
}

func (s *story) seesMeeting(ctx context.Context) (string, error) {
	if err := s.ann.open(ctx, s.at.calendar+"/"); err != nil {
		return "", err
	}
	if !s.ann.page.has("Coffee with Bob", "added by Friendly Scheduler") {
		return s.seen(), nil
	}
	return "added by Friendly Scheduler", nil
}

// cancelsOwn goes back to the scheduler's page and presses cancel.
func (s *story) cancelsOwn(ctx context.Context) (string, error) {
	if err := s.ann.open(ctx, s.at.scheduler+"/"); err != nil {
		return "", err
	}
	if err := s.ann.press(ctx, "Cancel", nil, nil); err != nil {
		return "", err
	}
	if s.ann.page.has("Booked for you") {
		return s.seen(), nil
	}
	if err := s.ann.open(ctx, s.at.calendar+"/"); err != nil {
		return "", err
	}
	if s.ann.page.has("Coffee with Bob") || !s.ann.page.has("Doctor") {
		return s.seen(), nil
	}
	return "gone from both", nil
}

// revokes presses the button while the story holds a token that is good for minutes.
func (s *story) revokes(ctx context.Context) (string, error) {
	var err error
	if s.scheduler, err = s.schedulerTokens(ctx); err != nil {
		return "", err
	}
	if err := s.ann.open(ctx, s.at.issuer+"/account/apps"); err != nil {
		return "", err
	}
	return s.dies(ctx, s.scheduler.access, func() error {
		return s.ann.press(ctx, "revoke", map[string]string{"client_id": devScheduler}, nil)
	})
}

var knewAfter = regexp.MustCompile(`The calendar knew \d+ ms after you revoked it\.`)

func (s *story) schedulerIsRefused(ctx context.Context) (string, error) {
	if err := s.ann.open(ctx, s.at.scheduler+"/"); err != nil {
		return "", err
	}
	if !s.ann.page.has("access was revoked", "Connect again", "revocation event received", "Refused by") || !knewAfter.MatchString(s.ann.page.body) {
		return s.seen(), nil
	}
	if err := s.ann.open(ctx, s.at.scheduler+"/"); err != nil {
		return "", err
	}
	if !s.ann.page.has("Connect your calendar") {
		return s.seen(), nil
	}
	return "refused, forgotten, connect again", nil
}

// signsOut presses the calendar's button while the story holds a token of that login.
func (s *story) signsOut(ctx context.Context) (string, error) {
	var err error
	s.calendar, err = s.calendarTokens(ctx)
	if err != nil {
		return "", err
	}
	if err := s.ann.open(ctx, s.at.calendar+"/"); err != nil {
		return "", err
	}
	return s.dies(ctx, s.calendar.access, func() error { return s.ann.press(ctx, "Sign out", nil, nil) })
}

// dies measures the time from the beginning of an act to the first refusal of a token.
func (s *story) dies(ctx context.Context, token string, act func() error) (string, error) {
	if status, err := s.client.freeBusy(ctx, token); err != nil || status != http.StatusOK {
		return fmt.Sprintf("%d before", status), err
	}
	acted := make(chan error, 1)
	start := time.Now()
	go func() { acted <- act() }()
	got, err := s.refusedSince(ctx, token, start)
	if actErr := <-acted; actErr != nil {
		return "", actErr
	}
	return got, err
}

func (s *story) refusedSince(ctx context.Context, token string, start time.Time) (string, error) {
	for {
		status, err := s.client.freeBusy(ctx, token)
		s.took = time.Since(start)
		switch {
		case err != nil:
			return "", err
		case status == http.StatusOK && s.took < 5*time.Second:
		case status == http.StatusUnauthorized && s.took <= time.Second:
			return withinSecond, nil
		default:
			return fmt.Sprintf("%d after %d ms", status, s.took.Milliseconds()), nil
		}
	}
}

// seen says where the browser is instead of where it should be. Codes stay out of it.
func (s *story) seen() string {
	at := s.ann.page.url
	return fmt.Sprintf("status %d at %s", s.ann.page.status, (&url.URL{Scheme: at.Scheme, Host: at.Host, Path: at.Path}).String())
}
