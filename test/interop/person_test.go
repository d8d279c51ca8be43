package interop_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/html"
)

// person is somebody with a browser that runs no scripts: it keeps cookies, follows
// redirects, reads forms and sends them.
type person struct {
	t    *testing.T
	p    *provider
	name string
	http *http.Client

	mu     sync.Mutex
	logins int // pages that wanted a password
}

// visitor is a person who has not been here yet.
func (p *provider) visitor(t *testing.T, name string) *person {
	return &person{t: t, p: p, name: name, http: &http.Client{
		Transport: p.http.Transport, Timeout: patience, Jar: &cookies{kept: map[string]map[string]*http.Cookie{}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

const maxSteps = 20

// arrival is where a browser was sent at the end; posted is the form that came along
// (OAuth 2.0 Form Post Response Mode §2).
type arrival struct {
	*url.URL
	posted url.Values
}

// authorize opens an address, signs in and agrees to what is asked, until the browser is
// sent to an address that begins with end; without an end, until there is nothing more to
// do. It returns where that is.
func (v *person) authorize(address, end string) arrival {
	v.t.Helper()
	at, err := v.walk(address, end)
	if err != nil {
		v.t.Fatalf("%s at %s: %v", v.name, strings.SplitN(address, "?", 2)[0], err)
	}
	return at
}

func (v *person) walk(address, end string) (arrival, error) {
	req, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		return arrival{}, err
	}
	for range maxSteps {
		req.Header.Set("Sec-Fetch-Mode", "navigate")
		req.Header.Set("Sec-Fetch-Dest", "document")
		res, err := v.http.Do(req)
		if err != nil {
			return arrival{}, err
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil {
			return arrival{}, err
		}
		if location := res.Header.Get("Location"); location != "" {
			next, err := req.URL.Parse(location)
			if err != nil || end != "" && strings.HasPrefix(next.String(), end) {
				return arrival{URL: next}, err
			}
			if req, err = http.NewRequest(http.MethodGet, next.String(), nil); err != nil {
				return arrival{}, err
			}
			continue
		}
		page := req.URL
		forms, err := readForms(string(body))
		if err != nil {
			return arrival{}, err
		}
		if f := formTo(forms, end); f != nil {
			at, err := page.Parse(f.action)
			return arrival{at, f.fields}, err
		}
		if req, err = v.fillIn(page, forms); err != nil {
			return arrival{}, fmt.Errorf("status %d: %w", res.StatusCode, err)
		}
		if req == nil && end == "" {
			return arrival{URL: page}, nil
		}
		if req == nil {
			return arrival{}, fmt.Errorf("status %d: the page at %s offers no way on", res.StatusCode, page.Path)
		}
	}
	return arrival{}, fmt.Errorf("no end after %d steps", maxSteps)
}

// fillIn does what a page asks for; nil if that is nothing.
func (v *person) fillIn(page *url.URL, forms []*form) (*http.Request, error) {
	for _, f := range forms {
		switch {
		case f.fields.Has("password"):
			v.mu.Lock()
			v.logins++
			v.mu.Unlock()
			f.fields.Set("username", v.name)
			f.fields.Set("password", v.p.password)
		case f.fields.Get("user_code") != "", f.press("authorize"), f.press("allow"):
		default:
			continue
		}
		return f.request(page)
	}
	return nil, nil
}

type form struct {
	action, method string
	fields         url.Values
	buttons        [][2]string // name and value
}

// formTo returns the form that posts to an app's address, if there is one.
func formTo(forms []*form, end string) *form {
	i := slices.IndexFunc(forms, func(f *form) bool {
		return end != "" && strings.EqualFold(f.method, http.MethodPost) && strings.HasPrefix(f.action, end)
	})
	if i < 0 {
		return nil
	}
	return forms[i]
}

// press chooses the button with the value, if there is one.
func (f *form) press(value string) bool {
	i := slices.IndexFunc(f.buttons, func(b [2]string) bool { return b[1] == value })
	if i < 0 {
		return false
	}
	f.fields.Set(f.buttons[i][0], value)
	return true
}

func (f *form) request(page *url.URL) (*http.Request, error) {
	to, err := page.Parse(f.action)
	if err != nil {
		return nil, err
	}
	if !strings.EqualFold(f.method, http.MethodPost) {
		to.RawQuery = f.fields.Encode()
		return http.NewRequest(http.MethodGet, to.String(), nil)
	}
	req, err := http.NewRequest(http.MethodPost, to.String(), strings.NewReader(f.fields.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", page.Scheme+"://"+page.Host)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	return req, nil
}

// readForms reads the forms of a page.
func readForms(body string) (forms []*form, err error) {
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	var current *form
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch n.Data {
		case "form":
			current = &form{action: attribute(n, "action"), method: attribute(n, "method"), fields: url.Values{}}
			forms = append(forms, current)
		case "button":
			if current != nil {
				current.buttons = append(current.buttons, [2]string{attribute(n, "name"), attribute(n, "value")})
			}
		case "input":
			if current != nil && attribute(n, "name") != "" {
				current.fields.Set(attribute(n, "name"), attribute(n, "value"))
			}
		}
	}
	return forms, nil
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// cookies are kept by host, whatever the port; "Secure" ones come back without TLS as
// well, as browsers do for localhost.
type cookies struct {
	mu   sync.Mutex
	kept map[string]map[string]*http.Cookie
}

// SetCookies implements http.CookieJar.
func (c *cookies) SetCookies(u *url.URL, set []*http.Cookie) {
	c.mu.Lock()
	defer c.mu.Unlock()
	jar := c.kept[u.Hostname()]
	if jar == nil {
		jar = map[string]*http.Cookie{}
		c.kept[u.Hostname()] = jar
	}
	for _, cookie := range set {
		if cookie.MaxAge < 0 {
			delete(jar, cookie.Name)
			continue
		}
		jar[cookie.Name] = &http.Cookie{Name: cookie.Name, Value: cookie.Value}
	}
}

// Cookies implements http.CookieJar.
func (c *cookies) Cookies(u *url.URL) []*http.Cookie {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []*http.Cookie
	for _, cookie := range c.kept[u.Hostname()] {
		found = append(found, cookie)
	}
	return found
}
