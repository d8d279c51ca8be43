package cli

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/server"
)

// DemoResult is a line of the report.
type DemoResult = demoResult

// PlayDemo plays the story with password hashes that cost nothing.
func PlayDemo(ctx context.Context, dir string, log *slog.Logger) ([]DemoResult, error) {
	return playDemo(ctx, devOptions{dataDir: dir, demo: true, log: log, cheapPasswords: true})
}

// StartDemo starts the provider and the two apps, and returns the addresses of the apps.
func StartDemo(t *testing.T) (calendar, scheduler string) {
	t.Helper()
	stack, err := startDevStack(t.Context(), devOptions{
		dataDir: t.TempDir(), demo: true, now: time.Now, log: slog.New(slog.DiscardHandler), cheapPasswords: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stack.stop(); err != nil {
			t.Error(err)
		}
	})
	return stack.at.calendar, stack.at.scheduler
}

// WriteDemo writes the report.
func WriteDemo(out io.Writer, results []DemoResult, asJSON bool) error {
	return writeDemo(out, results, asJSON)
}

// DevSeed is what a development stack starts with.
func DevSeed(issuer, calendar, scheduler string) server.Seed {
	return devSeed(devAddresses{issuer: issuer, calendar: calendar, scheduler: scheduler})
}

// DevSecret is the secret of a demo client.
func DevSecret(clientID string) secret.Text { return devSecret(clientID) }

// DemoBrowser is the story's browser.
type DemoBrowser struct{ *browser }

// NewDemoBrowser makes one.
func NewDemoBrowser() DemoBrowser { return DemoBrowser{newBrowser()} }

// Open types an address.
func (b DemoBrowser) Open(ctx context.Context, address string) error { return b.open(ctx, address) }

// Press presses a button.
func (b DemoBrowser) Press(ctx context.Context, text string, known, typed map[string]string) error {
	return b.press(ctx, text, known, typed)
}

// Shows reports whether the page shows the text.
func (b DemoBrowser) Shows(text string) bool { return b.page.has(text) }

// Catch names the redirects that are not followed.
func (b DemoBrowser) Catch(prefix string) { b.caught = prefix }

// At is the address of the page.
func (b DemoBrowser) At() string { return b.page.url.String() }
