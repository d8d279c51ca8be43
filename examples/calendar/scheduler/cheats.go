package scheduler

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// cheat is something that a bad app could try, or a thief of a good one's tokens.
type cheat struct {
	ID, Button string
	Why        string // why it does not work
	Want       []int  // the statuses that come
	Bound      bool   // is about tokens that are bound to a key
	Over       bool   // ends the permission
	Logged     bool   // and the person is told
	try        func(*App, context.Context, *session) error
}

var cheats = []cheat{
	{
		ID: "events", Button: "Read your events", Want: []int{403}, try: (*App).readEvents,
		Why: "You allowed us to see when you are busy, not what you do: reading your events needs a right that our token does not carry.",
	},
	{
		ID: "userinfo", Button: "Ask signet who you are", Want: []int{401}, try: (*App).askName,
		Why: "The token is good at the calendar only, so signet itself refuses it: whoever gets hold of it can use it nowhere else.",
	},
	{
		ID: "byte", Button: "Change one byte of the token", Want: []int{401}, try: (*App).changeByte,
		Why: "With one character changed, the token is not what signet has signed.",
	},
	{
		ID: "code", Button: "Use the authorization code again", Want: []int{400, 401}, Over: true, Logged: true, try: (*App).replayCode,
		Why: "A code works once: when it comes twice, one of the senders has stolen it, so signet ended everything that was bought with it, and the calendar heard of that.",
	},
	{
		ID: "refresh", Button: "Use an old refresh token again", Want: []int{200, 400, 401}, Over: true, Logged: true, try: (*App).replayRefresh,
		Why: "For 30 seconds, signet takes a used refresh token once more for an app whose answer got lost, but this one is nine uses old, so somebody has a copy, and the whole family of tokens ended.",
	},
	{
		ID: "key", Button: "Use the token with another key", Want: []int{401}, Bound: true, try: (*App).anotherKey,
		Why: "The token names the key that it is bound to, and a thief of the token does not have that key.",
	},
	{
		ID: "bearer", Button: "Use the token without a proof", Want: []int{401}, Bound: true, try: (*App).noProof,
		Why: "A token that is bound to a key is worth nothing by itself: each request needs a new proof of that key.",
	},
}

// verdict is what came of a cheat.
type verdict struct {
	cheat
	AsExpected bool
	Key        bool // the connection has a key
	Answers    trace
	Revoked    *revocation
}

// cheat tries one, and explains what came.
func (a *App) cheat(w http.ResponseWriter, r *http.Request) {
	s := a.sessions.connected(r)
	i := slices.IndexFunc(cheats, func(c cheat) bool { return c.ID == r.PostFormValue("cheat") })
	if s == nil || i < 0 {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := a.cfg.Now()
	if _, err := a.busy(r.Context(), s, now, now.Add(time.Hour)); err != nil { // with a token whose time is over, all would fail
		a.refused(w, r, s, err)
		return
	}
	thief := &session{key: s.key, tokens: s.tokens, spent: s.spent}
	err := cheats[i].try(a, r.Context(), thief)
	no, _ := errors.AsType[*refusal](err)
	var got []int
	for _, e := range thief.trace {
		s.trace.add(e)
		got = append(got, e.Status)
	}
	v := verdict{cheats[i], slices.Equal(got, cheats[i].Want), s.key != nil, thief.trace, a.revoked(no, thief)}
	if v.Over {
		a.sessions.end(w, r)
	}
	a.show(w, http.StatusOK, view{Connected: !v.Over, Verdict: &v, Panel: a.panel(r.Context(), s), Account: a.cfg.Issuer + "/account"})
}

func (a *App) readEvents(ctx context.Context, s *session) error {
	return a.try(ctx, s, http.MethodGet, "/api/events", nil, nil)
}

func (a *App) askName(ctx context.Context, s *session) error {
	ep, err := a.discover(ctx)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, ep.UserInfo, nil)
	if err != nil {
		return err
	}
	return a.send(s, req, "", step{"The app asks signet itself", "With the token that is for the calendar.", []spec{rfc("9068", "4"), rfc("8707", "2")}}, nil)
}

func (a *App) changeByte(ctx context.Context, s *session) error {
	token := []byte(s.tokens.Access)
	if i := len(token) / 2; token[i] == 'A' {
		token[i] = 'B'
	} else {
		token[i] = 'A'
	}
	s.tokens.Access = string(token)
	return a.look(ctx, s)
}

func (a *App) replayCode(ctx context.Context, s *session) error {
	_, err := a.token(ctx, s, s.spent, step{"The same code again", "With the right secret and the right code_verifier, but for the second time.", []spec{rfc("6749", "4.1.2")}})
	if !errors.Is(err, errGrantOver) {
		return err
	}
	return a.untilRefused(ctx, s)
}

// generations is how many uses signet remembers of a family, and one more.
const generations = 9

func (a *App) replayRefresh(ctx context.Context, s *session) error {
	first := s.tokens.Refresh
	for range generations {
		s.trace = nil // nine times the same
		if err := a.refresh(ctx, s, step{"The app refreshes nine times; this is the last", refreshing.Why, refreshing.Specs}); err != nil {
			return err
		}
	}
	s.tokens.Refresh = first
	err := a.refresh(ctx, s, step{"The first refresh token again", "It was replaced long ago.", []spec{rfc("9700", "4.14.2")}})
	if !errors.Is(err, errGrantOver) {
		return err
	}
	return a.untilRefused(ctx, s)
}

func (a *App) anotherKey(ctx context.Context, s *session) (err error) {
	if s.key, err = newProofKey(); err != nil {
		return err
	}
	return a.look(ctx, s)
}

func (a *App) noProof(ctx context.Context, s *session) error {
	s.key = nil
	return a.look(ctx, s)
}

// look is the cheapest question that a token can be tried with.
func (a *App) look(ctx context.Context, s *session) error {
	now := a.cfg.Now()
	q := url.Values{"from": {now.Format(time.RFC3339)}, "to": {now.Add(time.Hour).Format(time.RFC3339)}}
	return a.try(ctx, s, http.MethodGet, "/api/freebusy?"+q.Encode(), nil, nil)
}

// untilRefused asks until the calendar has heard of a revocation, for a second at most,
// and notes the last answer only.
func (a *App) untilRefused(ctx context.Context, s *session) error {
	before := slices.Clip(s.trace)
	for tries := 0; ; tries++ {
		s.trace = before
		err := a.look(ctx, s)
		if err != nil || tries == 100 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}
