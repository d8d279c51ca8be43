package scheduler

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// panel is what goes on behind the page: a demo's drawer, which no real app has.
type panel struct {
	Exchanges trace
	Bound     bool // the tokens are bound to a key
	Claims    []claim
	Verifier  *checking
	Revoked   *revocation
}

// checking is what the calendar says about its own checking of tokens.
type checking struct {
	Requests    uint64 `json:"requests"`
	Verified    uint64 `json:"verified"`
	Refused     uint64 `json:"refused"`
	KeyFetches  int    `json:"key_fetches"`
	Lookups     int    `json:"lookups"`
	Rules       int    `json:"rules"`
	Position    int64  `json:"position"`
	StalenessMS int64  `json:"staleness_ms"`
}

// Staleness is how long ago the verifier heard that it knows all.
func (c checking) Staleness() string { return fmt.Sprintf("%.1f s", float64(c.StalenessMS)/1000) }

// revocation is how the end of a permission came through.
type revocation struct {
	At, HeardAt string
	After       int64  // milliseconds
	By          string // which verifier refused
	Left        string // how long the token would have been good
}

func (a *App) panel(ctx context.Context, s *session) *panel {
	return &panel{
		Exchanges: s.trace, Bound: s.key != nil, Verifier: a.askVerifier(ctx),
		Claims: openToken(s.tokens.Access, a.cfg.Now()),
	}
}

// askVerifier: nil if the calendar does not say.
func (a *App) askVerifier(ctx context.Context) *checking {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.cfg.CalendarURL+"/status", nil)
	if err != nil {
		return nil
	}
	var c checking
	if got, err := a.ask(req, "", step{}, nil); err != nil || json.Unmarshal(got.body, &c) != nil {
		return nil
	}
	return &c
}

// revoked reads when the calendar heard of a revocation; nil if it was none.
func (a *App) revoked(no *refusal, s *session) *revocation {
	if no == nil || no.RevokedAt == 0 {
		return nil
	}
	at := func(ms int64) string { return time.UnixMilli(ms).In(a.cfg.Now().Location()).Format("15:04:05.000") }
	return &revocation{at(no.RevokedAt), at(no.HeardAt), max(0, no.HeardAt-no.RevokedAt), a.cfg.CalendarURL, left(s.tokens.Access, a.cfg.Now())}
}
