package script_test

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
)

// response is the last answer.
type response struct {
	code   int
	header http.Header
	body   string
	path   string // what was asked
}

func (a *response) String() string {
	return fmt.Sprintf("%d %s %s", a.code, a.header.Get("Location"), a.body)
}

func (a *response) location(r *runner) *url.URL {
	r.t.Helper()
	u, err := url.Parse(a.header.Get("Location"))
	if err != nil {
		r.fail("Location: %v", err)
	}
	return u
}

// request sends name=value pairs in the query or in a form.
func (r *runner) request(method string, args []string) {
	r.t.Helper()
	if len(args) == 0 {
		r.fail("no path")
	}
	form := url.Values{}
	for _, pair := range args[1:] {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			r.fail("%s is no name=value", pair)
		}
		form.Add(name, value)
	}
	if method == "GET" && len(form) > 0 {
		r.send(method, args[0]+"?"+form.Encode(), nil)
		return
	}
	r.send(method, args[0], form)
}

// send makes the request with the browser's cookies, and keeps those that come back.
func (r *runner) send(method, target string, form url.Values) {
	r.t.Helper()
	req := httptest.NewRequestWithContext(r.t.Context(), method, target, strings.NewReader(form.Encode()))
	req.Host = strings.TrimPrefix(issuer, "https://")
	for name, values := range r.extra {
		req.Header[name] = values
	}
	r.extra = http.Header{}
	if method == "POST" && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if r.sign != "" && programs[req.URL.Path] {
		req.Header.Set("Authorization", r.sign)
	}
	jar := r.jars[r.browser]
	if jar == nil {
		jar = map[string]string{}
		r.jars[r.browser] = jar
	}
	for name, value := range jar {
		req.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	rec := httptest.NewRecorder()
	r.public.ServeHTTP(rec, req)
	for _, c := range rec.Result().Cookies() {
		if jar[c.Name] = c.Value; c.MaxAge < 0 {
			delete(jar, c.Name)
		}
	}
	r.last = &response{code: rec.Code, header: rec.Header(), body: rec.Body.String(), path: target}
}

// follow goes to a page of ours that the last answer leads to.
func (r *runner) follow() {
	r.t.Helper()
	u := r.last.location(r)
	if r.last.code != http.StatusSeeOther || u.Host != "" {
		r.fail("the answer does not lead to a page of ours: %s", r.last)
	}
	r.send("GET", u.String(), nil)
}

// submit opens the page that the browser was sent to, fills in its form, and goes on to
// where the request is continued.
func (r *runner) submit(path string, fields ...string) {
	r.t.Helper()
	if got := r.last.location(r).Path; got != path {
		r.fail("the browser was sent to %q, not to %s: %s", got, path, r.last)
	}
	r.follow()
	r.sendForm(fields...)
	if got := r.last.location(r).Path; got != "/authorize/continue" {
		r.fail("the form was not taken: %s", r.last)
	}
	r.follow()
}

// enter types a device's code, and goes on to where the flow is continued, if it was one.
func (r *runner) enter(args []string) {
	r.t.Helper()
	r.send("GET", "/device", nil)
	r.sendForm("user_code", r.only(args))
	if r.last.code == http.StatusSeeOther {
		r.follow()
	}
}

// press presses the button of the page that was shown.
func (r *runner) press(args []string) {
	r.t.Helper()
	if r.only(args) != "submit" {
		r.fail("press submit")
	}
	r.sendForm()
}

// programs are the endpoints that apps ask without a browser.
var programs = map[string]bool{"/token": true, "/revoke": true, "/introspect": true, "/userinfo": true, "/device_authorization": true, "/par": true}

var (
	formTag  = regexp.MustCompile(`(?s)<form[^>]*method="post"[^>]*action="([^"]*)"`)
	inputTag = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
)

// sendForm sends the page's form with its hidden fields, as a browser does.
func (r *runner) sendForm(fields ...string) {
	r.t.Helper()
	action := formTag.FindStringSubmatch(r.last.body)
	if action == nil {
		r.fail("the page has no form: %s", r.last)
	}
	form := url.Values{}
	for _, m := range inputTag.FindAllStringSubmatch(r.last.body, -1) {
		form.Set(html.UnescapeString(m[1]), html.UnescapeString(m[2]))
	}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	r.extra.Set("Sec-Fetch-Site", "same-origin")
	r.extra.Set("Origin", issuer)
	r.send("POST", html.UnescapeString(action[1]), form)
}

// operate asks administration: METHOD PATH.
func (r *runner) operate(args []string) {
	r.t.Helper()
	if len(args) != 2 {
		r.fail("operator METHOD PATH")
	}
	req := httptest.NewRequestWithContext(r.t.Context(), args[0], args[1], nil)
	req.Host = "signet"
	rec := httptest.NewRecorder()
	r.admin.ServeHTTP(rec, req)
	if rec.Code >= 300 {
		r.fail("%d %s", rec.Code, rec.Body)
	}
}

func escape(s string) string { return url.QueryEscape(s) }
