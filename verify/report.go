package verify

import (
	"errors"
	"sync"
	"time"
)

// Failing work is tried again every few seconds, for hours if need be. The log has the same
// trouble of a part once a minute, and another one of it (an error with a new port number in
// it is another) after a few seconds.
const (
	sameAgain = time.Minute
	otherSoon = 5 * time.Second
)

// report remembers what went wrong in the background, and logs it. A fault of the
// network is no reason to stop.
func (v *Verifier) report(part string, err error) {
	if err == nil {
		return
	}
	v.noteTrouble(part + ": " + err.Error())
	if v.said.due(part, err.Error(), time.Now()) {
		v.log.Warn("verify: background work failed", "part", part, "error", err, "accepting", v.Status().Accepting)
	}
}

// reportIdle logs, once, that a request was refused because nobody called Run. It is for
// handlers and VerifyCredentials, which they call: Verify itself writes nothing.
func (v *Verifier) reportIdle(err error) {
	if errors.Is(err, ErrNotReady) && !v.running.Load() && v.idle.CompareAndSwap(false, true) {
		v.log.Error("verify: Run was not called, or has ended: no keys, so no token is accepted", "issuer", v.issuer, "audience", v.audience)
	}
}

// sayings are what was logged last of each part of the background work.
type sayings struct {
	mu   sync.Mutex
	last map[string]saying
}

type saying struct {
	text string
	at   time.Time
}

// due reports whether a text is to be logged now, and notes that it is.
func (s *sayings) due(part, text string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	pause := otherSoon
	last, before := s.last[part]
	if last.text == text {
		pause = sameAgain
	}
	if before && now.Sub(last.at) < pause {
		return false
	}
	if s.last == nil {
		s.last = map[string]saying{}
	}
	s.last[part] = saying{text, now}
	return true
}
