// Package notify tells people by e-mail what happened to their account: through an SMTP
// server (RFC 5321, STARTTLS of RFC 3207), or, during development, into memory.
//
// It deliberately has no HTML, no pictures and no tracking, and it never queues: who sends
// decides what a failure means.
package notify

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/signet-id/signet/internal/idp"
)

// Mail is one message to one person.
type Mail struct {
	To      string // one address, nothing else
	Subject string
	Text    string
	Lang    string // "en", "de"
}

// Mailer sends mail.
type Mailer interface {
	Send(ctx context.Context, m Mail) error
}

const maxSubject = 250 // characters

// check returns the mail as it may be sent. Nothing that could end a header line or begin
// another recipient gets through, whatever the sender's library does.
func check(m Mail) (Mail, error) {
	to, err := idp.Mailbox(m.To)
	if err != nil {
		return Mail{}, fmt.Errorf("recipient: %w", err)
	}
	m.To = to
	if m.Subject == "" || len([]rune(m.Subject)) > maxSubject || strings.ContainsFunc(m.Subject, unprintable) {
		return Mail{}, fmt.Errorf("subject: %w", idp.ErrInvalid)
	}
	return m, nil
}

// unprintable finds control and format characters, line and paragraph separators.
func unprintable(r rune) bool {
	return r == unicode.ReplacementChar || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// Caught is a mail that was not sent, and when.
type Caught struct {
	Mail
	At time.Time
}

const maxCaught = 100

// Catcher keeps the last 100 mails in memory instead of sending them, for development.
type Catcher struct {
	now    func() time.Time
	mu     sync.Mutex
	caught []Caught // guarded by mu; oldest first
}

// NewCatcher returns an empty Catcher.
func NewCatcher(now func() time.Time) *Catcher { return &Catcher{now: now} }

// Send keeps the mail. It refuses what SMTP would refuse.
func (c *Catcher) Send(_ context.Context, m Mail) error {
	m, err := check(m)
	if err != nil {
		return err
	}
	at := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.caught) == maxCaught {
		c.caught = append(c.caught[:0], c.caught[1:]...)
	}
	c.caught = append(c.caught, Caught{m, at})
	return nil
}

// List returns what was caught, newest first.
func (c *Catcher) List() []Caught {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]Caught, 0, len(c.caught))
	for i := len(c.caught) - 1; i >= 0; i-- {
		list = append(list, c.caught[i])
	}
	return list
}
