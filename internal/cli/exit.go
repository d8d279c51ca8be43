package cli

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
)

// The exit codes.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitRefused     = 4
	exitInterrupted = 130
)

// usageError says that the command line is wrong.
type usageError struct {
	command string
	err     error
}

func (e *usageError) Error() string { return e.err.Error() + " (see: " + e.command + " --help)" }
func (e *usageError) Unwrap() error { return e.err }

// ranError is what a command ended with that had begun.
type ranError struct{ error }

func (e *ranError) Unwrap() error { return e.error }

// exitError is an error with a code of its own.
type exitError struct {
	code int
	text string
}

func (e *exitError) Error() string { return e.text }

func refused(text string) error { return &exitError{exitRefused, text} }

func exitCode(ctx context.Context, err error) int {
	if err == nil {
		return exitOK
	}
	if _, ok := errors.AsType[*usageError](err); ok {
		return exitUsage
	}
	if e, ok := errors.AsType[*exitError](err); ok {
		return e.code
	}
	if e, ok := errors.AsType[*apiError](err); ok {
		switch e.status {
		case http.StatusNotFound:
			return exitNotFound
		case http.StatusUnauthorized, http.StatusForbidden:
			return exitRefused
		}
		return exitFailure
	}
	switch {
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.Is(err, fs.ErrPermission):
		return exitRefused
	}
	return exitFailure
}
