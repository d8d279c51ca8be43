package idp

import (
	"context"
	"errors"
)

// Observer is told that work begins and, by what it returns, how that ended. The context
// that it returns is the work's own. what is a text of the program, never a value that
// somebody gave. nil: nobody looks.
type Observer func(ctx context.Context, what string) (context.Context, func(error))

// Begin tells the observer, if there is one.
func (o Observer) Begin(ctx context.Context, what string) (context.Context, func(error)) {
	if o == nil {
		return ctx, func(error) {}
	}
	return o(ctx, what)
}

// Outcome names an error by one of a few words, which say nothing about anybody: for
// metrics and traces. "ok" if there is none, "error" if nobody explained it.
func Outcome(err error) string {
	if err == nil {
		return "ok"
	}
	for _, o := range outcomes {
		if errors.Is(err, o.is) {
			return o.word
		}
	}
	return "error"
}

// outcomes stand in the order in which they are asked: an error may be several.
var outcomes = [...]struct {
	is   error
	word string
}{
	{ErrLimited, "limited"},
	{ErrUnavailable, "unavailable"},
	{context.Canceled, "canceled"},
	{context.DeadlineExceeded, "timeout"},
	{ErrNotFound, "not_found"},
	{ErrExists, "exists"},
	{ErrExpired, "expired"},
	{ErrConsumed, "consumed"},
	{ErrDenied, "denied"},
	{ErrInvalid, "invalid"},
}
