package metrics

import (
	"net/http"
	"strconv"
	"time"
)

// Request measures a request. limited: a limit was reached.
func (m *Metrics) Request(route string, code int, took time.Duration, limited bool) {
	if route != m.feedRoute || code != http.StatusOK {
		m.requests.WithLabelValues(route, strconv.Itoa(code)).Observe(took.Seconds())
	}
	if limited {
		m.limited.WithLabelValues(route).Inc()
	}
}

// Login counts a login.
func (m *Metrics) Login(method, result string) { m.logins.WithLabelValues(method, result).Inc() }

// Hash measures a password hash.
func (m *Metrics) Hash(took time.Duration) { m.hashing.Observe(took.Seconds()) }

// Token counts a token that was given out.
func (m *Metrics) Token(grantType, kind string) { m.tokens.WithLabelValues(grantType, kind).Inc() }

// Replay counts something that was used again after its time.
func (m *Metrics) Replay(kind string) { m.replays.WithLabelValues(kind).Inc() }

// Push measures how long a rule took to a verifier.
func (m *Metrics) Push(took time.Duration) { m.pushes.Observe(took.Seconds()) }

// Verb measures a verb of the database.
func (m *Metrics) Verb(name string, took time.Duration, failed bool) {
	m.verbs.WithLabelValues(name).Observe(took.Seconds())
	if failed {
		m.verbErrors.WithLabelValues(name).Inc()
	}
}

// Commit measures a commit of SQLite.
func (m *Metrics) Commit(verbs int, took time.Duration) {
	m.commits.Observe(took.Seconds())
	m.committed.Observe(float64(verbs))
}

// Swept counts rows that were deleted.
func (m *Metrics) Swept(rows int) { m.swept.Add(float64(rows)) }

// Mail counts a mail.
func (m *Metrics) Mail(result string) { m.mails.WithLabelValues(result).Inc() }

// Notice counts an attempt to tell an app of a logout.
func (m *Metrics) Notice(result string) { m.notices.WithLabelValues(result).Inc() }

// Call measures a call to an address that a client named.
func (m *Metrics) Call(method string, took time.Duration, failed bool) {
	m.calls.WithLabelValues(method, okOrFailed(failed)).Observe(took.Seconds())
}

// WorkFailed counts a failure of work in the background.
func (m *Metrics) WorkFailed(work string) { m.work.WithLabelValues(work).Inc() }

// Spans counts spans that were handed to a collector.
func (m *Metrics) Spans(n int, failed bool) {
	m.spans.WithLabelValues(okOrFailed(failed)).Add(float64(n))
}

func okOrFailed(failed bool) string {
	if failed {
		return "failed"
	}
	return "ok"
}
