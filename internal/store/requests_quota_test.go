package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

// TestCreateAuthRequest_RefusedIsCheap: who has begun too many is refused without the
// writer, of which SQLite has one. DOS-03
func TestCreateAuthRequest_RefusedIsCheap(t *testing.T) {
	t.Parallel()
	db := openTemp(t)
	begin := func() error {
		r := idp.AuthRequest{ID: secret.ID(), BrowserHash: secret.Key(), ClientID: "app", CreatedAt: when, ExpiresAt: when.Add(time.Minute)}
		return db.CreateAuthRequest(t.Context(), r, "192.0.2.1/32", 3, 100, when)
	}
	for range 3 {
		if err := begin(); err != nil {
			t.Fatal(err)
		}
	}
	commits := db.Commits()
	for range 20 {
		if err := begin(); !errors.Is(err, idp.ErrLimited) {
			t.Fatal(err)
		}
	}
	if n := db.Commits() - commits; n != 0 {
		t.Errorf("%d refusals waited for the writer", n)
	}
}
