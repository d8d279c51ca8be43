package store_test

import (
	"context"
	"errors"
	"testing"
)

// A caller that gives up gets its variables back for good: either the verb never began, or
// it is over. Run with -race, this fails if a verb still writes its results afterwards.
func TestWriter_ResultsBelongToTheCaller(t *testing.T) {
	t.Parallel()
	db := openTemp(t)
	for i := range 500 {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		rows, err := 0, error(nil)
		err = db.Verb(ctx, func(func(string, ...any) error) error {
			rows++
			return nil
		})
		if rows == 0 && err == nil || rows > 0 && errors.Is(err, context.Canceled) {
			t.Fatalf("round %d: ran %d times, answered %v", i, rows, err)
		}
		cancel()
	}
}
