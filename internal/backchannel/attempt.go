package backchannel

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// pauses are between the attempts: six in ten minutes at most, then it is given up. By
// then the access tokens of the login have ended twice over.
var pauses = [...]time.Duration{5 * time.Second, 25 * time.Second, 90 * time.Second, 3 * time.Minute, 4 * time.Minute}

// tooOld is how long a notice may wait for its turn. A client that is down takes few at a
// time, each as slowly as may be; without an end those who leave when it is back would
// wait behind all who left since (DOS-03).
const tooOld = time.Hour

var sender = idp.Actor{Kind: "system", ID: "backchannel_logout"}

// attempt sends one notice and records what became of it.
func (s *Sender) attempt(ctx context.Context, n idp.LogoutNotice) {
	outcome := s.send(ctx, n)
	if !outcome.Told && outcome.RetryAt.IsZero() {
		s.cfg.Log.WarnContext(ctx, "a client was not told of a logout", "client_id", n.ClientID, "attempts", n.Attempt, "reason", outcome.Reason)
	}
	err := s.cfg.Store.RecordLogout(ctx, sender, n, outcome, s.cfg.Now())
	if err != nil && !errors.Is(err, idp.ErrConsumed) { // consumed: too slow, another attempt has begun
		s.cfg.Log.ErrorContext(ctx, "record of a logout notice; it is sent again", "client_id", n.ClientID, "cause", err)
	}
}

// send makes a token for this attempt and posts it (§2.5).
func (s *Sender) send(ctx context.Context, n idp.LogoutNotice) idp.LogoutOutcome {
	if s.cfg.Now().Sub(n.QueuedAt) > tooOld {
		return idp.LogoutOutcome{Reason: "waited too long; given up"}
	}
	c, err := s.cfg.Clients.Client(ctx, n.ClientID)
	switch {
	case errors.Is(err, idp.ErrNotFound):
		return idp.LogoutOutcome{Reason: "the client is gone"}
	case err != nil:
		return s.again(n, "the client could not be read")
	case c.Disabled():
		return idp.LogoutOutcome{Reason: "the client is disabled"}
	case c.BackchannelLogoutURI == "":
		return idp.LogoutOutcome{Reason: "the client takes no logout tokens any more"}
	case n.SessionID == "" && c.BackchannelLogoutSID:
		return idp.LogoutOutcome{Reason: "the client needs a session's id, and there is none"}
	}
	tok, err := s.cfg.Tokens.Logout(c, n.UserID, n.SessionID, s.cfg.Now())
	if err != nil {
		s.cfg.Log.ErrorContext(ctx, "logout token; it is tried again", "client_id", n.ClientID, "cause", err)
		return s.again(n, "the token could not be signed")
	}
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	status, err := s.cfg.Post.Post(ctx, c.BackchannelLogoutURI, "application/x-www-form-urlencoded",
		[]byte(url.Values{"logout_token": {tok}}.Encode()))
	if err != nil {
		s.cfg.Log.DebugContext(ctx, "logout notice", "client_id", n.ClientID, "cause", err)
	}
	return s.judge(n, status, err)
}

// judge reads the answer (§2.8): 200, or 204 from frameworks that send that instead; 400
// says that the client has understood and refuses. Everything else may be better in a while.
func (s *Sender) judge(n idp.LogoutNotice, status int, err error) idp.LogoutOutcome {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return s.again(n, "no answer in time")
	case err != nil:
		return s.again(n, "no answer")
	case status == http.StatusOK || status == http.StatusNoContent:
		return idp.LogoutOutcome{Told: true}
	case status == http.StatusBadRequest:
		return idp.LogoutOutcome{Reason: "refused with status 400"}
	}
	return s.again(n, fmt.Sprintf("answered with status %d", status))
}

// again tries once more after a pause, if the budget allows it (NET-02).
func (s *Sender) again(n idp.LogoutNotice, reason string) idp.LogoutOutcome {
	if n.Attempt > len(pauses) {
		return idp.LogoutOutcome{Reason: reason + "; given up"}
	}
	return idp.LogoutOutcome{Reason: reason, RetryAt: s.cfg.Now().Add(pauses[max(n.Attempt, 1)-1])}
}
