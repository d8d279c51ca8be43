package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
)

// Problem is what a person is told when something cannot be done. Title and Text are
// fixed texts, no input. Detail is for developers: it is shown in development only.
type Problem struct {
	Title  string
	Text   string
	Detail string
}

// failure is an error with a page of its own: kind names its texts in the catalogue.
// cause is for the log, and for the page in development only.
type failure struct {
	status     int
	kind       string
	retryAfter time.Duration // 0: says nothing
	cause      error
}

func (f *failure) Error() string { return f.kind + ": " + f.cause.Error() }

func (f *failure) Unwrap() error { return f.cause }

// asFailure: whatever nobody explained says nothing.
func asFailure(err error) *failure {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	if errors.Is(err, idp.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
		return &failure{status: http.StatusServiceUnavailable, kind: "busy", retryAfter: busyRetry, cause: err}
	}
	return &failure{status: http.StatusInternalServerError, kind: "broken", cause: err}
}

// busyRetry is when to come back after a part did not answer in time.
const busyRetry = 5 * time.Second

// problemPage shows a problem.
type problemPage struct {
	view
	Problem Problem
	ID      string // of the request, for the operator's log
}

// answerError is the one place where errors of pages become answers.
func (s *site) answerError(w http.ResponseWriter, r *http.Request, err error) {
	f := asFailure(err)
	setRetryAfter(w, f.retryAfter)
	words := s.words(r, nil)
	s.showProblem(w, r, f.status, Problem{
		Title: words.T("problem." + f.kind + ".title"), Text: words.T("problem." + f.kind + ".text"),
		Detail: f.cause.Error(),
	})
}

func (s *site) showProblem(w http.ResponseWriter, r *http.Request, status int, p Problem) {
	if !s.dev {
		p.Detail = ""
	}
	words := s.words(r, nil).once() // links would repeat a query that may be anything (OPS-01)
	page := problemPage{view: s.view(words, p.Title), Problem: p, ID: edge.RequestID(r)}
	if err := s.render(w, "problem", status, page, policy{}); err != nil {
		s.log.Error("error page", "error", err, "request_id", page.ID)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
	}
}

// Error shows the error page for what another package could not do.
func (p *Pages) Error(w http.ResponseWriter, r *http.Request, status int, problem Problem) {
	keepLanguage(w, r)
	words := p.site.words(r, nil)
	problem.Title, problem.Text = words.translate(problem.Title), words.translate(problem.Text)
	p.site.showProblem(w, r, status, problem)
}

// NotFound answers requests for pages that do not exist.
func (p *Pages) NotFound(w http.ResponseWriter, r *http.Request) {
	keepLanguage(w, r)
	p.site.answerError(w, r, &failure{status: http.StatusNotFound, kind: "no_page", cause: idp.ErrNotFound})
}

// WrongMethod answers requests for pages that exist, with a method that they do not have. The
// methods that they have are in the header already (Allow), and said in development.
func (p *Pages) WrongMethod(w http.ResponseWriter, r *http.Request, methods string) {
	keepLanguage(w, r)
	p.site.answerError(w, r, &failure{
		status: http.StatusMethodNotAllowed, kind: "wrong_method", cause: fmt.Errorf("the address has %s: %w", methods, idp.ErrInvalid),
	})
}

// setRetryAfter says when to come back, in whole seconds, rounded up (RFC 9110 §10.2.3).
func setRetryAfter(w http.ResponseWriter, wait time.Duration) {
	if wait > 0 {
		w.Header().Set("Retry-After", strconv.FormatInt(int64((wait+time.Second-1)/time.Second), 10))
	}
}
