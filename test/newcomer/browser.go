//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// browser is as much of one as a login needs. It sends "Secure" cookies to this machine
// without TLS, as browsers do, and net/http/cookiejar does not.
type browser struct {
	cookies map[string]map[string]string // by host and name
	at      *url.URL
	page    string
}

// signIn is Ann, who opens the calendar.
func signIn(ctx context.Context, calendar string) error {
	b := &browser{cookies: map[string]map[string]string{}}
	if err := b.open(ctx, http.MethodGet, calendar+"/login", nil); err != nil {
		return err
	}
	form := b.form()
	form.Set("username", "ann")
	form.Set("password", "correct horse battery staple")
	if err := b.open(ctx, http.MethodPost, b.at.String(), form); err != nil {
		return err
	}
	if !strings.Contains(b.page, "Doctor") {
		return fmt.Errorf("no week of Ann's at %s", b.at.Path)
	}
	return nil
}

var (
	hidden = regexp.MustCompile(`<input[^>]*type="?hidden"?[^>]*>`)
	named  = regexp.MustCompile(`name="([^"]*)"`)
	valued = regexp.MustCompile(`value="([^"]*)"`)
)

// form is the hidden fields of the page.
func (b *browser) form() url.Values {
	form := url.Values{}
	for _, input := range hidden.FindAllString(b.page, -1) {
		name, value := named.FindStringSubmatch(input), valued.FindStringSubmatch(input)
		if name != nil && value != nil {
			form.Set(name[1], html.UnescapeString(value[1]))
		}
	}
	return form
}

// open asks for a page and goes where it is sent to.
func (b *browser) open(ctx context.Context, method, address string, form url.Values) error {
	for range 12 {
		res, err := b.ask(ctx, method, address, form)
		if err != nil {
			return err
		}
		next := res.Header.Get("Location")
		if next == "" {
			return nil
		}
		to, err := b.at.Parse(next)
		if err != nil {
			return err
		}
		method, address, form = http.MethodGet, to.String(), nil
	}
	return errors.New("too many redirects")
}

func (b *browser) ask(ctx context.Context, method, address string, form url.Values) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", req.URL.Scheme+"://"+req.URL.Host)
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	host := req.URL.Hostname()
	for name, value := range b.cookies[host] {
		req.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	res, err := http.DefaultTransport.RoundTrip(req) // follows no redirect
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	if res.StatusCode >= http.StatusBadRequest {
		return nil, fmt.Errorf("%s: %s", req.URL.Path, res.Status)
	}
	if b.cookies[host] == nil {
		b.cookies[host] = map[string]string{}
	}
	for _, c := range res.Cookies() {
		b.cookies[host][c.Name] = c.Value
	}
	b.at, b.page = req.URL, string(body)
	return res, nil
}
