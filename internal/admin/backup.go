package admin

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// backupTimeout is how long the reader of a backup may take for each part of it. While it
// is read, the database keeps what it would else clean up.
const backupTimeout = 30 * time.Second

type backupStore interface {
	Backup(ctx context.Context, by idp.Actor, w io.Writer, now time.Time) error
}

type backups struct {
	store backupStore
	now   func() time.Time
	log   *slog.Logger
	one   *sync.Mutex // one backup at a time
}

// create streams a backup. One that fails on the way breaks the connection.
func (b backups) create(w http.ResponseWriter, r *http.Request) error {
	if !b.one.TryLock() {
		return &Error{Status: http.StatusConflict, Code: "exists", Message: "another backup is under way; try again when it is done"}
	}
	defer b.one.Unlock()
	rc := http.NewResponseController(w)
	// The server's limits are for answers that are short.
	if err := rc.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	if err := rc.SetWriteDeadline(time.Time{}); err != nil {
		return err
	}
	part := &patient{w: w, rc: rc}
	out := bufio.NewWriterSize(part, 64<<10)
	err := b.store.Backup(r.Context(), operator(r), out, b.now())
	if err == nil {
		err = out.Flush()
	}
	if err != nil && part.begun {
		b.log.Warn("backup broke off", "error", err)
		panic(http.ErrAbortHandler)
	}
	return err
}

// patient is an answer of which each part has a time limit of its own.
type patient struct {
	w     http.ResponseWriter
	rc    *http.ResponseController
	begun bool
}

func (p *patient) Write(data []byte) (int, error) {
	if !p.begun {
		p.begun = true
		p.w.Header().Set("Content-Type", "application/gzip")
	}
	fired := make(chan struct{})
	limit := time.AfterFunc(backupTimeout, func() {
		defer close(fired)
		_ = p.rc.SetWriteDeadline(time.Unix(1, 0)) // a write that waits fails now
	})
	defer func() {
		if !limit.Stop() {
			<-fired // nobody touches the connection after this handler
		}
	}()
	return p.w.Write(data)
}
