//go:build unix

package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/secret"
)

// person is one person with a browser and an app, and the page of the ledger that is
// about them. One goroutine at a time uses it.
type person struct {
	w    *world
	rng  *rand.Rand
	name string
	ip   string

	users   int               // made so far; names are never used again
	user    *user             // nil: to be made
	cookies map[string]string // of the browser
	signed  bool              // in, by what was acknowledged
	code    string            // issued and not redeemed
	codeAt  time.Time
	fam     *family // what the app holds; nil: to be asked for

	doubt func(*node) bool // finds out whether the last write has happened; nil: it is known

	graves    []*family // families that have ended
	endedJars []map[string]string
	disabled  []*user
	absent    []string    // users that were found not to have been made
	apps      []*appEntry // clients that were registered
}

type user struct{ id, login string }

type appEntry struct {
	id, secret string // no secret: its answer was lost
	exists     bool
}

// family is a grant with its refresh tokens.
type family struct {
	grant, session string
	code           string
	current        string
	access         string
	spent          []spent // newest last
	mayBeOver      bool    // its end was asked for, and the answer was lost
	over           bool
}

// spent is a refresh token that was used.
type spent struct {
	token, successor string
	at               time.Time
}

const (
	password    = "eleven quiet herons at low tide"
	retryWindow = 30 * time.Second
	codeLife    = 45 * time.Second // and some more
	// remembered is how many uses within the window a server knows.
	remembered = 8
)

func newPerson(w *world, n int) *person {
	return &person{
		w: w, rng: rand.New(rand.NewPCG(w.seed, uint64(n)+1)), name: fmt.Sprint("p", n),
		ip: fmt.Sprintf("10.%d.%d.1", n/250, n%250), cookies: map[string]string{},
	}
}

// live does one thing after another until stop is closed.
func (p *person) live(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		n := p.w.any(p.rng)
		if n == nil || !p.settle(n) {
			p.breathe(stop)
			continue
		}
		if !p.act(n) {
			p.breathe(stop)
		}
	}
}

// breathe: who was refused does not ask again at once.
func (p *person) breathe(stop <-chan struct{}) {
	select {
	case <-stop:
	case <-time.After(20 * time.Millisecond):
	}
}

// settle finds out what became of the last write, if that is not known.
func (p *person) settle(n *node) bool {
	if p.doubt != nil && p.w.pg != nil && !p.w.pg.settled() {
		p.exchange(n, secret.New(secret.Code).Reveal()) // the database is away; what does the server say?
		return false
	}
	if p.doubt != nil && p.doubt(n) {
		p.doubt = nil
	}
	return p.doubt == nil
}

// act does what comes next, or something at random; false: it was refused.
func (p *person) act(n *node) bool {
	switch {
	case p.user == nil:
		return p.makeUser(n)
	case !p.signed:
		return p.login(n)
	case p.fam == nil && (p.code == "" || p.w.since(p.codeAt) > codeLife):
		return p.authorize(n)
	case p.fam == nil && p.rng.IntN(20) == 0:
		return p.raceCode(n)
	case p.fam == nil:
		return p.redeem(n)
	}
	switch x := p.rng.IntN(1000); {
	case x < 15:
		return p.revoke(n)
	case x < 22:
		return p.signOut(n)
	case x < 26:
		return p.disable(n)
	case x < 32:
		return p.replayCode(n)
	case x < 38:
		return p.reuse(n)
	case x < 45:
		return p.register(n)
	case x < 60:
		return p.raceRefresh(n)
	case x < 75:
		return p.retry(n)
	}
	return p.refresh(n)
}

// bury notes that the app's family has ended.
func (p *person) bury() {
	f := p.fam
	f.over = true
	p.graves = append(p.graves, f)
	p.fam = nil
}

// forget leaves everything that hangs on the login behind.
func (p *person) forget() {
	if p.fam != nil {
		p.bury()
	}
	jar := map[string]string{}
	for name, value := range p.cookies {
		jar[name] = value
	}
	p.endedJars = append(p.endedJars, jar)
	p.cookies, p.signed, p.code = map[string]string{}, false, ""
}

// browse is a request of the browser.
func (p *person) browse(n *node, method, path string, form url.Values) answer {
	a := p.with(p.cookies, n, method, path, form)
	if a.err == nil {
		for _, c := range (&http.Response{Header: a.header}).Cookies() {
			p.cookies[c.Name] = c.Value
		}
	}
	return a
}

func (p *person) with(jar map[string]string, n *node, method, path string, form url.Values) answer {
	r, err := http.NewRequest(method, p.w.issuer+path, strings.NewReader(form.Encode()))
	if err != nil {
		return answer{err: err}
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", p.w.issuer)
	}
	for name, value := range jar {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return p.send(n, r)
}

// app is a request of the app to an endpoint for clients.
func (p *person) app(n *node, path string, form url.Values) answer {
	return p.appAs(n, p.w.client, p.w.secret, path, form)
}

func (p *person) appAs(n *node, id, secret, path string, form url.Values) answer {
	r, err := http.NewRequest(http.MethodPost, p.w.issuer+path, strings.NewReader(form.Encode()))
	if err != nil {
		return answer{err: err}
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(id, secret)
	return p.send(n, r)
}

func (p *person) send(n *node, r *http.Request) answer {
	r.Header.Set("X-Forwarded-For", p.ip)
	return p.w.judge(send(n.http, r), r.URL.Path)
}

func (p *person) manage(n *node, method, path string, body any) answer {
	return p.w.judge(n.manage(method, path, body), path)
}

// tokens is an answer of the token endpoint.
type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
}

// claims is what an access token says of itself.
type claims struct {
	Grant   string `json:"grant_id"`
	Session string `json:"sid"`
}

func claimsOf(token string) (c claims) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return c
	}
	doc, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return c
	}
	_ = json.Unmarshal(doc, &c) // what is missing is found missing by the checks
	return c
}
