//go:build unix

package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/signet-id/signet/internal/secret"
)

// callers is how many requests are on their way at the same time.
const callers = 16

// target is the child and what the parent has to talk to it.
type target struct {
	addresses
	child  *exec.Cmd
	stdin  io.Closer
	http   *http.Client
	cookie string // ann's login
}

// benchCase is one row. prepare makes n requests that may each be sent once.
type benchCase struct {
	name     string
	bareDoes string
	prepare  func(n int) ([]*http.Request, error)
	bare     func(n int) ([]*http.Request, error)
	answered func(i int, body []byte) error // reads an answer of ours; may be nil
}

func startChild(postgres bool) (*target, error) {
	t := &target{http: &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: callers},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	t.child = exec.Command(self, "-child", fmt.Sprint("-postgres=", postgres))
	t.child.Env = append(os.Environ(), "GOMAXPROCS=1")
	t.child.Stderr = os.Stderr
	out, err := t.child.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if t.stdin, err = t.child.StdinPipe(); err != nil {
		return nil, err
	}
	if err := t.child.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(line, &t.addresses); err != nil {
		return nil, err
	}
	return t, t.login()
}

func (t *target) stop() {
	_ = t.stdin.Close()
	_ = t.child.Wait()
}

// slice sends n requests of ours and n bare ones and asks what each took.
func (t *target) slice(c benchCase, n int) (sample, error) {
	var s sample
	for _, side := range []struct {
		took     *used
		prepare  func(int) ([]*http.Request, error)
		answered func(int, []byte) error
	}{{&s.ours, c.prepare, c.answered}, {&s.bare, c.bare, nil}} {
		requests, err := side.prepare(n)
		if err != nil {
			return s, err
		}
		before, err := t.cpu()
		if err != nil {
			return s, err
		}
		if err := t.send(requests, side.answered); err != nil {
			return s, err
		}
		after, err := t.cpu()
		if err != nil {
			return s, err
		}
		*side.took = used{(after.child - before.child) / time.Duration(n), (after.database - before.database) / time.Duration(n)}
	}
	return s, nil
}

func (t *target) cpu() (u used, err error) {
	body, err := t.do(must(http.NewRequest("GET", t.Control, nil)))
	if err == nil {
		_, err = fmt.Sscan(string(body), (*int64)(&u.child), (*int64)(&u.database))
	}
	return u, err
}

// send sends the requests from a few callers at the same time.
func (t *target) send(requests []*http.Request, answered func(int, []byte) error) error {
	var all sync.WaitGroup
	failed := make(chan error, callers)
	for caller := range callers {
		all.Go(func() {
			for i := caller; i < len(requests); i += callers {
				body, err := t.do(requests[i])
				if err == nil && answered != nil {
					err = answered(i, body)
				}
				if err != nil {
					failed <- err
					return
				}
			}
		})
	}
	all.Wait()
	close(failed)
	return <-failed
}

func (t *target) do(r *http.Request) ([]byte, error) {
	answer, err := t.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s: %s", r.Method, r.URL.Path, answer.Status, body)
	}
	return body, err
}

var csrf = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

// login signs ann in and keeps her cookie.
func (t *target) login() error {
	answer, err := t.http.Get(t.Signet + "/login")
	if err != nil {
		return err
	}
	page, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	if err != nil {
		return err
	}
	found := csrf.FindSubmatch(page)
	if found == nil {
		return fmt.Errorf("no form on the login page: %s", page)
	}
	form := url.Values{"username": {userName}, "password": {password}, "csrf": {string(found[1])}}
	r := must(http.NewRequest("POST", t.Signet+"/login", strings.NewReader(form.Encode())))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", t.Signet)
	for _, c := range answer.Cookies() {
		r.AddCookie(c)
	}
	answer, err = t.http.Do(r)
	if err != nil {
		return err
	}
	answer.Body.Close()
	for _, c := range answer.Cookies() {
		if c.Name == "__Host-signet" {
			t.cookie = c.Name + "=" + c.Value
			return nil
		}
	}
	return fmt.Errorf("login: %s and no cookie", answer.Status)
}

// code has ann authorize a client and returns the code with its verifier.
func (t *target) code(clientID string) (code, verifier string, err error) {
	verifier = secret.ID() + secret.ID()
	sum := sha256.Sum256([]byte(verifier))
	query := url.Values{
		"response_type": {"code"}, "client_id": {clientID}, "redirect_uri": {redirect}, "scope": {"openid profile " + scope},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"}, "state": {"s"},
	}
	r := must(http.NewRequest("GET", t.Signet+"/authorize?"+query.Encode(), nil))
	r.Header.Set("Cookie", t.cookie)
	answer, err := t.http.Do(r)
	if err != nil {
		return "", "", err
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	at, err := answer.Location()
	if err != nil {
		return "", "", fmt.Errorf("authorize: %s: %w", answer.Status, err)
	}
	if code = at.Query().Get("code"); code == "" {
		return "", "", fmt.Errorf("authorize went to %s", at.Path)
	}
	return code, verifier, nil
}

func must(r *http.Request, err error) *http.Request {
	if err != nil {
		panic(err)
	}
	return r
}
