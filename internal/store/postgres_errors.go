package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/signet-id/signet/internal/idp"
)

// metAnother reports whether the server gave a transaction up for the sake of another.
func metAnother(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == "40001" || e.Code == "40P01")
}

// advised says what to do about the errors that a first start meets, in one line.
func advised(err error) error {
	advice := "is PostgreSQL running there, and may this machine connect?"
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch e.Code {
		case "28P01", "28000": // invalid_password, invalid_authorization_specification
			advice = "look at the user in \"database\" and at database_password_file"
		case "3D000": // invalid_catalog_name
			advice = "make it first: CREATE DATABASE … OWNER … ENCODING 'UTF8' TEMPLATE template0"
		case "42501": // insufficient_privilege
			advice = "the database must belong to the user that is named"
		default:
			return err
		}
	} else if _, ok := errors.AsType[*pgconn.ConnectError](err); !ok {
		return err
	}
	return oneLine{err, advice}
}

// oneLine is an error whose text has one line, and an advice at its end.
type oneLine struct {
	error
	advice string
}

func (e oneLine) Error() string {
	return strings.Join(strings.Fields(e.error.Error()), " ") + "; " + e.advice
}

func (e oneLine) Unwrap() error { return e.error }

// errUnstorable: a text with a zero byte or broken UTF-8, which PostgreSQL does not
// store. So nothing that is stored has that name, and nothing can get it.
var errUnstorable = fmt.Errorf("a text that cannot be stored: %w: %w", idp.ErrNotFound, idp.ErrInvalid)

// explainPostgres says what the errors mean on which somebody decides something (the
// codes are those of PostgreSQL, appendix A).
func explainPostgres(err error) error {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		_, network := errors.AsType[net.Error](err)
		if network || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.DeadlineExceeded) {
			return fmt.Errorf("%w: %w", idp.ErrUnavailable, err)
		}
		return err
	}
	switch e.Code {
	case "23505": // unique_violation
		return fmt.Errorf("%w: %w", idp.ErrExists, err)
	case "22021", "22P05": // character_not_in_repertoire, untranslatable_character
		return fmt.Errorf("%w: %w", errUnstorable, err)
	case "25P02": // in_failed_sql_transaction
		return fmt.Errorf("%w: %w", errAborted, err)
	case "25006": // read_only_sql_transaction: not the primary any more
		return fmt.Errorf("%w: %w", idp.ErrUnavailable, err)
	}
	switch e.Code[:2] {
	case "08", "28", "3D", "40", "53", "55", "57", "58", "XX":
		return fmt.Errorf("%w: %w", idp.ErrUnavailable, err)
	}
	return err
}
