package cli

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// browser is as much of one as the story needs: cookies by host, whatever the port;
// redirects; forms with their hidden fields; the headers that tell a server where a
// request comes from. It runs no scripts.
type browser struct {
	http    *http.Client
	cookies map[string]map[string]string // by host and name
	page    page                         // where it is
	// caught: a redirect to this prefix is not followed; it becomes the page's address.
	// The story then plays the app that the address belongs to.
	caught string
}

// page is what the browser looks at.
type page struct {
	url    *url.URL
	status int
	body   string
}

// form is a form of a page.
type form struct {
	action, method string
	fields         url.Values
	buttons        []button
}

type button struct{ name, value, text string }

const maxRedirects = 12

func newBrowser() *browser {
	return &browser{
		cookies: map[string]map[string]string{},
		http: &http.Client{
			Timeout:       10 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// open types an address.
func (b *browser) open(ctx context.Context, address string) error {
	return b.navigate(ctx, http.MethodGet, address, nil, nil)
}

// follow opens an address as a link of the present page.
func (b *browser) follow(ctx context.Context, address string) error {
	return b.navigate(ctx, http.MethodGet, address, nil, b.page.url)
}

// press presses the first button that says the text or has it as its value, in a form
// that holds the known fields already; typed fields are filled in before.
func (b *browser) press(ctx context.Context, text string, known, typed map[string]string) error {
	forms, err := b.page.forms()
	if err != nil {
		return err
	}
	for _, f := range forms {
		i := slices.IndexFunc(f.buttons, func(btn button) bool { return btn.value == text || strings.Contains(btn.text, text) })
		if i < 0 || !f.holds(known) {
			continue
		}
		for name, value := range typed {
			f.fields.Set(name, value)
		}
		if f.buttons[i].name != "" {
			f.fields.Set(f.buttons[i].name, f.buttons[i].value)
		}
		return b.send(ctx, f)
	}
	return fmt.Errorf("no button %q at %s (status %d)", text, b.page.url.Path, b.page.status)
}

func (b *browser) send(ctx context.Context, f form) error {
	to, err := b.page.url.Parse(f.action)
	if err != nil {
		return err
	}
	if strings.EqualFold(f.method, http.MethodPost) {
		return b.navigate(ctx, http.MethodPost, to.String(), f.fields, b.page.url)
	}
	to.RawQuery = f.fields.Encode()
	return b.navigate(ctx, http.MethodGet, to.String(), nil, b.page.url)
}

// navigate asks for a page and goes where it is sent to.
func (b *browser) navigate(ctx context.Context, method, address string, fields url.Values, from *url.URL) error {
	to, err := url.Parse(address)
	if err != nil {
		return err
	}
	site := "none"
	if from != nil {
		site = "same-origin"
	}
	for range maxRedirects {
		site = farther(site, from, to)
		res, err := b.ask(ctx, method, to, fields, from, site)
		if err != nil {
			return err
		}
		if res.next == nil {
			b.page = page{to, res.status, res.body}
			return nil
		}
		if b.caught != "" && strings.HasPrefix(res.next.String(), b.caught) {
			b.page = page{res.next, res.status, ""}
			return nil
		}
		method, fields, to = http.MethodGet, nil, res.next // RFC 9110 §15.4.4; no redirect of the story keeps its method
	}
	return errors.New("too many redirects")
}

type answer struct {
	status int
	body   string
	next   *url.URL
}

func (b *browser) ask(ctx context.Context, method string, to *url.URL, fields url.Values, from *url.URL, site string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, to.String(), strings.NewReader(fields.Encode()))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Sec-Fetch-Site", site)
	req.Header.Set("Sec-Fetch-Mode", "navigate")
	req.Header.Set("Sec-Fetch-Dest", "document")
	req.Header.Set("User-Agent", "signet demo")
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", from.Scheme+"://"+from.Host)
	}
	jar := b.cookies[to.Hostname()]
	for _, name := range slices.Sorted(maps.Keys(jar)) {
		req.AddCookie(&http.Cookie{Name: name, Value: jar[name]})
	}
	res, err := b.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	b.keep(to.Hostname(), res.Cookies())
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return answer{}, err
	}
	a := answer{status: res.StatusCode, body: string(body)}
	if location := res.Header.Get("Location"); res.StatusCode/100 == 3 && location != "" {
		a.next, err = to.Parse(location)
	}
	return a, err
}

// keep stores cookies. "Secure" ones may be used on this machine without TLS, as in browsers.
func (b *browser) keep(host string, cookies []*http.Cookie) {
	for _, c := range cookies {
		if b.cookies[host] == nil {
			b.cookies[host] = map[string]string{}
		}
		if c.MaxAge < 0 {
			delete(b.cookies[host], c.Name)
			continue
		}
		b.cookies[host][c.Name] = c.Value
	}
}

// farther is the value of Sec-Fetch-Site after a step from one address to another: it
// never comes closer again on a chain of redirects.
func farther(site string, from, to *url.URL) string {
	switch {
	case from == nil || site == "cross-site":
		return site
	case from.Hostname() != to.Hostname():
		return "cross-site"
	case from.Host != to.Host:
		return "same-site"
	}
	return site
}

// has reports whether the page shows all the texts.
func (p page) has(texts ...string) bool {
	shown := html.UnescapeString(p.body)
	for _, text := range texts {
		if !strings.Contains(shown, text) {
			return false
		}
	}
	return true
}

// forms reads the forms of the page.
func (p page) forms() ([]form, error) {
	dec := xml.NewDecoder(strings.NewReader(p.body))
	dec.Strict, dec.AutoClose, dec.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var out []form
	var pressed *button // whose text is being read
	inside := false
	for {
		token, err := dec.Token()
		switch {
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, fmt.Errorf("page %s: %w", p.url.Path, err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			if t.Name.Local == "form" {
				out = append(out, form{action: attr(t, "action"), method: attr(t, "method"), fields: url.Values{}})
				inside = true
			} else if inside {
				pressed = out[len(out)-1].element(t, pressed)
			}
		case xml.EndElement:
			if t.Name.Local == "button" {
				pressed = nil
			}
			inside = inside && t.Name.Local != "form"
		case xml.CharData:
			if pressed != nil {
				pressed.text += string(t)
			}
		}
	}
}

// element adds a field or a button; it returns the button whose text follows.
func (f *form) element(t xml.StartElement, pressed *button) *button {
	name, value := attr(t, "name"), attr(t, "value")
	switch t.Name.Local {
	case "button":
		f.buttons = append(f.buttons, button{name: name, value: value, text: attr(t, "aria-label")})
		return &f.buttons[len(f.buttons)-1]
	case "input":
		checkable := attr(t, "type") == "checkbox" || attr(t, "type") == "radio"
		if name != "" && (!checkable || has(t, "checked")) {
			f.fields.Set(name, value)
		}
	}
	return pressed
}

func (f form) holds(known map[string]string) bool {
	for name, value := range known {
		if f.fields.Get(name) != value {
			return false
		}
	}
	return true
}

func attr(t xml.StartElement, name string) string {
	for _, a := range t.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func has(t xml.StartElement, name string) bool {
	return slices.ContainsFunc(t.Attr, func(a xml.Attr) bool { return a.Name.Local == name })
}
