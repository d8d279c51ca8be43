package admin_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/admin"
	"github.com/signet-id/signet/internal/backup"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/store"
)

// heldStore begins a backup of the real database when it may, and loses the disk at its
// end if it is told to.
type heldStore struct {
	*store.DB
	begun chan struct{}
	mayGo chan error // what happens at the end
}

func (s *heldStore) Backup(ctx context.Context, by idp.Actor, w io.Writer, now time.Time) error {
	s.begun <- struct{}{}
	lost := <-s.mayGo
	if err := s.DB.Backup(ctx, by, w, now); err != nil {
		return err
	}
	if lost != nil {
		if _, err := w.Write(make([]byte, 200<<10)); err != nil { // the answer has begun then
			return err
		}
	}
	return lost
}

// TestBackup: one at a time; one that breaks off does not look like a whole one.
func TestBackup(t *testing.T) {
	t.Parallel()
	s := &heldStore{DB: newAPI(t).db, begun: make(chan struct{}), mayGo: make(chan error)}
	srv := httptest.NewServer(admin.New(admin.Config{
		Issuer: issuer, Store: s, Now: func() time.Time { return started }, Log: slog.New(slog.DiscardHandler),
	}))
	defer srv.Close()
	post := func() (*http.Response, error) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/backup", nil)
		if err != nil {
			return nil, err
		}
		r.Host = admin.Host
		return http.DefaultClient.Do(r)
	}
	checked := make(chan error)
	begin := func() {
		go func() {
			res, err := post()
			if err == nil {
				_, _, err = backup.Check(res.Body)
				_, _ = io.Copy(io.Discard, res.Body) // ends when the server is done with it
				_ = res.Body.Close()
			}
			checked <- err
		}()
		<-s.begun
	}
	begin()
	res, err := post()
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusConflict {
		t.Errorf("a second one at the same time: %s", res.Status)
	}
	s.mayGo <- nil
	if err := <-checked; err != nil {
		t.Error(err)
	}
	begin()
	s.mayGo <- idp.ErrUnavailable
	if err := <-checked; !errors.Is(err, backup.ErrDamaged) {
		t.Errorf("broken off: %v", err)
	}
	begin() // and there is a next one
	s.mayGo <- nil
	if err := <-checked; err != nil {
		t.Error(err)
	}
}
