package store_test

import (
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

// TestUseOnce_DOS03_Quota: a client that uses ids without end fills its own quota only, and
// then does not wait for the writer; with time, there is room again.
func TestUseOnce_DOS03_Quota(t *testing.T) {
	t.Parallel()
	db := openTemp(t)
	const most = 4
	db.SetUsedBound(most)
	flood := func(purpose string, now time.Time) (used int) {
		for range 4000 {
			err := db.UseOnce(t.Context(), purpose, secret.Key(), now.Add(time.Minute), now)
			switch {
			case err == nil:
				used++
			case !errors.Is(err, idp.ErrLimited):
				t.Fatal(err)
			}
		}
		return used
	}
	if used := flood("assertion a", when); used > 256*most || used < 256*most*9/10 {
		t.Errorf("%d ids were stored, the bound is %d", used, 256*most)
	}
	commits := db.Commits()
	var alike [32]byte
	for i := range 20 {
		binary.BigEndian.PutUint32(alike[28:], uint32(i))
		if err := db.UseOnce(t.Context(), "assertion a", alike, when.Add(time.Minute), when); !errors.Is(err, idp.ErrLimited) {
			t.Fatal(err)
		}
	}
	if n := db.Commits() - commits; n != 0 {
		t.Errorf("%d refusals waited for the writer", n)
	}
	if err := db.UseOnce(t.Context(), "assertion b", secret.Key(), when.Add(time.Minute), when); err != nil {
		t.Errorf("another client: %v", err)
	}
	later := when.Add(time.Hour)
	for n := 1; n > 0; {
		var err error
		if n, err = db.Sweep(t.Context(), later); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.UseOnce(t.Context(), "assertion a", alike, later.Add(time.Minute), later); err != nil {
		t.Errorf("after the sweep: %v", err)
	}
}

// TestUseOnce_DOS03_ChosenIDs: ids that begin alike meet the bound earlier, not later.
func TestUseOnce_DOS03_ChosenIDs(t *testing.T) {
	t.Parallel()
	db := openTemp(t)
	db.SetUsedBound(5)
	for _, first := range []byte{0, 0x7f, 0xff} {
		for i := range 6 {
			id := [32]byte{0: first, 31: byte(i)}
			err := db.UseOnce(t.Context(), "assertion a", id, when.Add(time.Minute), when)
			if (err == nil) != (i < 5) {
				t.Errorf("%#x %d: %v", first, i, err)
			}
		}
	}
}

// TestUseOnce_RepeatedIsCheap: who repeats himself does not wait for the writer.
func TestUseOnce_RepeatedIsCheap(t *testing.T) {
	t.Parallel()
	db := openTemp(t)
	id := secret.Key()
	if err := db.UseOnce(t.Context(), "assertion a", id, when.Add(time.Minute), when); err != nil {
		t.Fatal(err)
	}
	commits := db.Commits()
	for range 20 {
		if err := db.UseOnce(t.Context(), "assertion a", id, when.Add(time.Minute), when); !errors.Is(err, idp.ErrConsumed) {
			t.Fatal(err)
		}
	}
	if n := db.Commits() - commits; n != 0 {
		t.Errorf("%d refusals waited for the writer", n)
	}
}
