package web_test

import (
	"context"
	"errors"
	"testing"

	"github.com/signet-id/signet/internal/notify"
	"github.com/signet-id/signet/internal/web"
)

// slow is a mail server that answers when it is told to.
type slow struct {
	notify.Mailer
	asked, answer chan struct{}
}

func (s slow) Send(ctx context.Context, m notify.Mail) error {
	s.asked <- struct{}{}
	<-s.answer
	return s.Mailer.Send(ctx, m)
}

// LOG-01: a slow mail server holds up no page, and what it is busy with when the server
// stops is sent all the same.
func TestMail_BesideTheAnswer(t *testing.T) {
	t.Parallel()
	asked, done := make(chan struct{}, 2), make(chan struct{})
	wd := newWorld(t, func(c *web.Config) { c.Mailer = slow{c.Mailer, asked, done} })
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error)
	go func() { ran <- wd.pages.Run(ctx) }()
	b := wd.asAnn()
	wd.allow(b) // answers although nobody takes the mail yet
	<-asked
	b.wd.allow(wd.signedIn("bob", bobPassword))
	stop()
	close(done)
	if err := <-ran; !errors.Is(err, context.Canceled) {
		t.Errorf("run: %v", err)
	}
	if n := len(wd.mail.List()); n != 2 {
		t.Errorf("%d of 2 mails", n)
	}
}

// A person without an address gets no mail, and a mail that cannot be sent breaks nothing.
func TestMail_NoAddress(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	u := wd.ann
	u.Email, u.EmailVerified = "", false
	wd.must(wd.db.UpdateUser(t.Context(), operator, u, wd.now()))
	wd.allow(wd.asAnn())
	wd.deliver()
	if n := len(wd.mail.List()); n != 0 {
		t.Errorf("%d mails", n)
	}
}

// Without a mail server nobody is told, and nothing else is different.
func TestMail_NoServer(t *testing.T) {
	t.Parallel()
	wd := newWorld(t, func(c *web.Config) { c.Mailer = nil })
	wd.allow(wd.asAnn())
	wd.deliver()
}
