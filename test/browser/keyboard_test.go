package browser_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// focused says what has the focus and what of its ring is wrong; nothing if nothing has it.
const focused = `(e => {
	if (e === document.body) return "";
	const style = getComputedStyle(e), box = e.getBoundingClientRect(), name = e.tagName + " " + (e.name || e.textContent.trim().slice(0, 30));
	if (style.outlineStyle !== "solid" || parseFloat(style.outlineWidth) < 2) return name + ": no ring";
	if (box.width < 24 || box.height < 8) return name + ": too small to be seen";
	if (box.bottom < 0 || box.top > innerHeight || box.right < 0 || box.left > innerWidth) return name + ": not on the screen";
	return "seen";
})(document.activeElement)`

// tabThrough presses Tab until the focus has left the page.
func (b *tab) tabThrough(page string) {
	b.t.Helper()
	b.eval(`document.activeElement.blur(), ""`)
	stops := 0
	for ; stops < 60; stops++ {
		b.do(chromedp.KeyEvent(kb.Tab))
		found := b.eval(focused)
		if found == "" {
			break
		}
		if found != "seen" {
			b.t.Errorf("%s: %s", page, found)
		}
	}
	if stops < 2 || stops == 60 {
		b.t.Errorf("%s: the focus stops at %d controls", page, stops)
	}
}

// Whoever uses a keyboard sees where they are, on each kind of control (WCAG 2.2, 2.4.7 and 2.4.11).
func TestFocusIsSeen(t *testing.T) {
	t.Parallel()
	at := startStack(t)
	b := newTab(t)
	b.open(at.issuer + "/login")
	b.tabThrough("login")
	b.open(at.calendar + "/login")
	b.signIn("ann")
	b.tabThrough("calendar")
	b.open(at.scheduler + "/connect")
	b.tabThrough("consent")
	b.click("button[value=authorize]")
	b.tabThrough("scheduler")
	b.click(".free a")
	b.tabThrough("booking")
	for _, page := range []string{"", "/password", "/sessions", "/apps", "/security"} {
		b.open(at.issuer + "/account" + page)
		b.tabThrough("account" + page)
	}
}
