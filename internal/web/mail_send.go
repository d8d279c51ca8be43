package web

import (
	"context"
	"log/slog"
	"time"

	"github.com/signet-id/signet/internal/notify"
)

const (
	outboxSize    = 256
	sendTimeout   = 15 * time.Second
	outboxGoodbye = 5 * time.Second // for what still waits when the server stops
)

// outbox sends mail beside the answers: a slow mail server must not hold up a page, nor
// tell by its slowness that there was something to send (LOG-01).
type outbox struct {
	mailer notify.Mailer
	log    *slog.Logger
	queue  chan notify.Mail
}

func newOutbox(mailer notify.Mailer, log *slog.Logger) *outbox {
	return &outbox{mailer: mailer, log: log, queue: make(chan notify.Mail, outboxSize)}
}

// post leaves a mail to be sent. A person without an address gets none, and nobody does
// without a mail server. When the queue is
// full the mail is lost and the log says so: memory is not to grow with a dead mail server.
func (o *outbox) post(m notify.Mail) {
	if m.To == "" || o.mailer == nil {
		return
	}
	select {
	case o.queue <- m:
	default:
		o.log.Error("mail lost: too much is waiting", "subject", m.Subject)
	}
}

// run owns the sending.
func (o *outbox) run(ctx context.Context) error {
	for {
		select {
		case m := <-o.queue:
			o.send(context.WithoutCancel(ctx), m)
		case <-ctx.Done():
			o.drain(ctx)
			return ctx.Err()
		}
	}
}

// drain sends what waits, for a short while.
func (o *outbox) drain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), outboxGoodbye)
	defer cancel()
	for {
		select {
		case m := <-o.queue:
			o.send(ctx, m)
		default:
			return
		}
	}
}

func (o *outbox) send(ctx context.Context, m notify.Mail) {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	if err := o.mailer.Send(ctx, m); err != nil {
		o.log.Warn("mail not sent", "error", err)
	}
}
