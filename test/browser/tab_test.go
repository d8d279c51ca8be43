package browser_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long a page may take, and a test altogether.
const (
	patience = 30 * time.Second
	lifetime = 5 * time.Minute
)

// tab is a person's window: a browser of its own, with its own cookies.
type tab struct {
	t    *testing.T
	ctx  context.Context
	lang string // which the person reads
	axe  string // the accessibility checker; empty if it is not installed

	mu       sync.Mutex
	troubles []string // what the browser complained about: blocked scripts and styles, errors
}

// newTab starts Chromium. Without one the test is skipped; with CI=true it fails.
func newTab(t *testing.T) *tab {
	t.Helper()
	return newTabIn(t, "en")
}

// newTabIn starts it for a person who reads another language.
func newTabIn(t *testing.T, lang string) *tab {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		missing(t, "chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("accept-lang", lang), chromedp.Env("LANGUAGE=en", "LANG=en_US.UTF-8"),
	)
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	ctx, cancel := context.WithTimeout(context.Background(), lifetime)
	t.Cleanup(cancel)
	allocator, cancelAllocator := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancelAllocator)
	b := &tab{t: t, lang: lang, axe: axeScript(t)}
	var cancelTab context.CancelFunc
	b.ctx, cancelTab = chromedp.NewContext(allocator)
	t.Cleanup(func() {
		_ = chromedp.Cancel(b.ctx) // waits until the browser has ended
		cancelTab()
	})
	if err := chromedp.Listen(b.ctx, b.listen); err != nil {
		t.Fatal(err)
	}
	return b
}

// named is a name for a page's pictures that tells the language.
func (b *tab) named(page string) string {
	if b.lang == "en" {
		return page
	}
	return b.lang + "-" + page
}

func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing and CI=true", what)
	}
	t.Skipf("%s is missing", what)
}

// axeScript reads the checker that npm ci has installed.
func axeScript(t *testing.T) string {
	t.Helper()
	script, err := os.ReadFile("node_modules/axe-core/axe.min.js")
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal("axe-core is missing and CI=true: run npm ci in test/browser")
	}
	if err != nil {
		t.Log("accessibility is not checked: axe-core is missing (npm ci)")
	}
	return string(script)
}

// listen hears what a person would see in the console.
func (b *tab) listen(ev any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch ev := ev.(type) {
	case *cdplog.EventEntryAdded:
		// A page that says no has a status that says no.
		if ev.Entry.Level == cdplog.EntryLevelError && !strings.Contains(ev.Entry.Text, "Failed to load resource") {
			b.troubles = append(b.troubles, ev.Entry.Text)
		}
	case *runtime.EventExceptionThrown:
		b.troubles = append(b.troubles, ev.ExceptionDetails.Text)
	}
}

// open types an address; click and press go where the page leads.
func (b *tab) open(address string) {
	b.t.Helper()
	b.load("open "+address, chromedp.Navigate(address))
}

func (b *tab) click(selector string) {
	b.t.Helper()
	b.load("click "+selector, chromedp.Click(chromedp.CSS(selector)))
}

func (b *tab) load(what string, step chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, step); err != nil {
		b.t.Fatalf("%s: %v; at %s", what, err, b.eval("location.origin + location.pathname + ' ' + document.title"))
	}
}

// do runs steps that load no page.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// pass opens a page that may leave by itself before it is loaded.
func (b *tab) pass(address string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate(address)); err != nil && !strings.Contains(err.Error(), "net::ERR_ABORTED") {
		b.t.Fatal(err)
	}
}

func (b *tab) eval(expression string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	s, err := chromedp.Run(ctx, chromedp.Evaluate[string](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", clip(expression), err)
	}
	return s
}

func clip(s string) string { return s[:min(len(s), 80)] }

// text is what a person can read on the page.
func (b *tab) text() string {
	b.t.Helper()
	return b.eval("document.body.innerText")
}

func (b *tab) expect(texts ...string) {
	b.t.Helper()
	shown := b.text()
	for _, text := range texts {
		if !strings.Contains(shown, text) {
			b.t.Fatalf("the page %s does not show %q but:\n%s", b.eval("document.title"), text, shown)
		}
	}
}

func (b *tab) expectNot(texts ...string) {
	b.t.Helper()
	shown := b.text()
	for _, text := range texts {
		if strings.Contains(shown, text) {
			b.t.Errorf("the page %s shows %q", b.eval("document.title"), text)
		}
	}
}

// A look is a size of window and a taste.
var looks = []struct {
	width  int64
	scheme string
}{{360, "light"}, {360, "dark"}, {1280, "light"}, {1280, "dark"}}

// look looks at the page as people would: on a phone and on a desk, by day and by night.
// It must not scroll sideways, and the accessibility checker must find nothing.
func (b *tab) look(name string) {
	b.t.Helper()
	b.dress(320, "light") // 1280 at 400 % (WCAG 2.2, 1.4.10)
	b.checkWidth(name + "-320")
	for _, l := range looks {
		at := fmt.Sprintf("%s-%d-%s", name, l.width, l.scheme)
		b.dress(l.width, l.scheme)
		b.checkWidth(at)
		if b.axe != "" {
			b.checkAccessibility(at)
		}
		b.photograph(at)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, trouble := range b.troubles {
		b.t.Errorf("%s: the browser says: %s", name, trouble)
	}
	b.troubles = nil
}

func (b *tab) checkWidth(at string) {
	b.t.Helper()
	if wide := b.eval("String(document.documentElement.scrollWidth - document.documentElement.clientWidth)"); wide != "0" {
		b.t.Errorf("%s scrolls sideways by %s px", at, wide)
	}
}

func (b *tab) dress(width int64, scheme string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	_, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: 800, DeviceScaleFactor: 1, Mobile: width < 500,
	})
	if err == nil {
		_, err = chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}})
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// checkAccessibility asks the checker for everything. It is loaded once per page: a look
// changes the styles and not the document.
func (b *tab) checkAccessibility(at string) {
	b.t.Helper()
	if b.eval("typeof axe") != "object" {
		b.eval(b.axe + "; 'loaded'")
	}
	answer := b.eval(`axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(
		r.violations.map(v => v.id + ": " + v.nodes.map(n => n.target + " " + n.failureSummary).join("; "))))`)
	var violations []string
	if err := json.Unmarshal([]byte(answer), &violations); err != nil {
		b.t.Fatal(err)
	}
	for _, v := range violations {
		b.t.Errorf("%s: %s", at, v)
	}
}

// photograph keeps a picture of the page if SIGNET_SCREENSHOTS names a directory.
func (b *tab) photograph(at string) {
	b.t.Helper()
	dir := os.Getenv("SIGNET_SCREENSHOTS")
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, at+".png"), png, 0o644)
	}
	if err != nil {
		b.t.Error(err)
	}
}
