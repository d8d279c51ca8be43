package web

import (
	"context"
	"time"
)

// A ConsoleEnd is why nobody comes into a console any more.
type ConsoleEnd string

// The ends of a console.
const (
	ConsoleClosed   ConsoleEnd = "closed"   // by the button
	ConsoleIdle     ConsoleEnd = "idle"     // nobody looked at it for too long
	ConsoleUnopened ConsoleEnd = "unopened" // nobody used the link in its time
)

// Wait returns when nobody comes in any more, and why. It returns nothing if ctx ends first.
func (c *Console) Wait(ctx context.Context) ConsoleEnd {
	for {
		end, rest := c.door.over()
		if end != "" {
			return end
		}
		select {
		case <-ctx.Done():
			return ""
		case <-c.door.left:
		case <-time.After(rest):
		}
	}
}

// over says why the door is shut for good, or how long it stays open if nobody comes.
func (d *door) over() (end ConsoleEnd, rest time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	end, until := ConsoleIdle, d.seenAt.Add(consoleIdle)
	switch {
	case !d.used:
		end, until = ConsoleUnopened, d.until
	case !d.inside:
		return ConsoleClosed, 0
	}
	if rest = until.Sub(d.now()); rest > 0 {
		return "", rest
	}
	return end, 0
}
