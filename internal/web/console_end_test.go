package web_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signet-id/signet/internal/web"
)

// A console is over when nobody can come in any more, and not before.
func TestConsole_Wait(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		use   func(b *operatorTab)
		want  web.ConsoleEnd
		after time.Duration
	}{
		"nobody opens it":      {func(*operatorTab) {}, web.ConsoleUnopened, 15 * time.Minute},
		"nobody looks at it":   {func(b *operatorTab) { b.open() }, web.ConsoleIdle, 30 * time.Minute},
		"somebody looks again": {func(b *operatorTab) { b.open(); time.Sleep(20 * time.Minute); b.get(b.base + "/tokens") }, web.ConsoleIdle, 50 * time.Minute},
		"somebody closes it": {func(b *operatorTab) {
			b.open()
			time.Sleep(20 * time.Minute)
			a := b.submit(b.get(b.base+"/tokens"), b.base+"/sign-out")
			if a.status != http.StatusOK || !strings.Contains(a.text(), "Its command ends now") {
				t.Errorf("the last page: %d %s", a.status, a.text())
			}
		}, web.ConsoleClosed, 20 * time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			console, link, err := web.NewConsole(web.ConsoleConfig{Origin: consoleOrigin, Again: "signet console", Ends: true, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			d := &desk{world: &world{t: t}, console: console, link: strings.TrimPrefix(link, consoleOrigin)}
			begun, ended := time.Now(), make(chan web.ConsoleEnd, 1)
			go func() { ended <- console.Wait(t.Context()) }()
			synctest.Wait()
			c.use(d.tab())
			if end := <-ended; end != c.want || time.Since(begun) != c.after {
				t.Errorf("%s: %q after %v", name, end, time.Since(begun))
			}
			gone, cancel := context.WithCancel(t.Context())
			cancel()
			if end := console.Wait(gone); end != c.want {
				t.Errorf("%s: asked again: %q", name, end)
			}
		})
	}
}

// Ctrl-C is no end of the console's own.
func TestConsole_WaitInterrupted(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if end := d.console.Wait(gone); end != "" {
		t.Errorf("interrupted: %q", end)
	}
}
