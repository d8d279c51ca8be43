// Package idp holds the words of signet as types: user, client, resource, session,
// authorization request, grant, revocation, event; and the errors that all packages
// share. It does no I/O and knows neither HTTP nor SQL.
package idp

import "errors"

// What can go wrong, as the packages below HTTP say it. They are wrapped with %w
// and the missing context; each HTTP file translates the ones whose meaning it knows.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("already exists")
	ErrExpired  = errors.New("expired")
	ErrConsumed = errors.New("already used")
	ErrDenied   = errors.New("denied")
	ErrLimited  = errors.New("too many")
	// ErrUnavailable: a part that is needed did not answer in time (database, hashing queue).
	ErrUnavailable = errors.New("unavailable")
	// ErrInvalid: a value that a caller gave is not acceptable; the text says which.
	ErrInvalid = errors.New("invalid")
)
