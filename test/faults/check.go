//go:build unix

package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// check compares the ledger with what the servers say and do now. Nobody acts meanwhile.
// With thorough, everything that has ever ended is looked at, else a sample.
func (w *world) check(thorough bool) error {
	var all sync.WaitGroup
	errs := make([]error, len(w.people))
	for i, p := range w.people {
		all.Go(func() { errs[i] = p.check(thorough) })
	}
	all.Wait()
	return errors.Join(append(errs, w.checkLog(), w.checkVerifier())...)
}

// persistently does something until it is answered.
func (p *person) persistently(what string, f func(*node) answer) (a answer) {
	err := until(what, readyWithin, func() bool {
		n := p.w.any(p.rng)
		if n == nil {
			return false
		}
		a = f(n)
		return !a.unknown()
	})
	if err != nil {
		p.w.find(strange, "the servers do not recover: %v: %s", err, a)
	}
	p.w.checked.Add(1)
	return a
}

func (p *person) check(thorough bool) error {
	err := until("sure what has happened", readyWithin, func() bool {
		n := p.w.any(p.rng)
		return n != nil && p.settle(n)
	})
	if err != nil {
		return err
	}
	if p.signed {
		a := p.persistently("my sessions", func(n *node) answer { return p.browse(n, "GET", "/account/sessions", nil) })
		if a.status != http.StatusOK {
			p.w.find(lost, "the session of %s: %s", p.user.login, a)
		}
	}
	if p.fam != nil {
		err := until("a refresh", readyWithin, func() bool {
			n := p.w.any(p.rng)
			return n != nil && p.settle(n) && (p.fam == nil || p.refresh(n))
		})
		p.w.checked.Add(1)
		if err != nil {
			return err
		}
	}
	p.checkGraves(thorough)
	p.checkUsers(thorough)
	p.checkApps(thorough)
	return nil
}

// sample calls f with the newest one, some, or all.
func sample[T any](p *person, all []T, thorough bool, f func(T)) {
	switch {
	case len(all) == 0:
	case thorough:
		for _, x := range all {
			f(x)
		}
	default:
		f(all[len(all)-1])
		f(all[p.rng.IntN(len(all))])
	}
}

// checkGraves: what has ended stays so.
func (p *person) checkGraves(thorough bool) {
	sample(p, p.graves, thorough, func(f *family) {
		for what, token := range map[string]string{"current": f.current, "spent": lastSpent(f)} {
			if token == "" {
				continue
			}
			a := p.persistently("an answer", func(n *node) answer { return p.present(n, token) })
			if a.status != http.StatusBadRequest {
				p.w.find(revived, "the %s refresh token of grant %s: %s", what, f.grant, a)
			}
		}
		a := p.persistently("an answer", func(n *node) answer { return p.exchange(n, f.code) })
		if a.status != http.StatusBadRequest {
			p.w.find(revived, "the code of grant %s: %s", f.grant, a)
		}
	})
	sample(p, p.endedJars, thorough, func(jar map[string]string) {
		a := p.persistently("an answer", func(n *node) answer { return p.with(jar, n, "GET", "/account/sessions", nil) })
		if a.status != http.StatusSeeOther {
			p.w.find(revived, "a session of %s: %s", p.name, a)
		}
	})
}

func lastSpent(f *family) string {
	if len(f.spent) == 0 {
		return ""
	}
	return f.spent[len(f.spent)-1].token
}

// checkUsers: who was made is there, who was disabled is out, and who was not made was not.
func (p *person) checkUsers(thorough bool) {
	if p.user != nil {
		a := p.persistently("an answer", func(n *node) answer { return p.manage(n, "GET", "/users/"+p.user.id, nil) })
		if a.status != http.StatusOK || strings.Contains(string(a.body), `"disabled_at"`) {
			p.w.find(lost, "user %s: %s", p.user.login, a)
		}
	}
	sample(p, p.disabled, thorough, func(u *user) {
		a := p.persistently("an answer", func(n *node) answer { return p.manage(n, "GET", "/users/"+u.id, nil) })
		if a.status != http.StatusOK || !strings.Contains(string(a.body), `"disabled_at"`) {
			p.w.find(revived, "user %s: %s", u.login, a)
		}
		if !thorough {
			return // each try counts against the user's limit
		}
		other := &person{w: p.w, rng: p.rng, name: p.name, ip: p.ip, cookies: map[string]string{}}
		var csrf string
		other.persistently("a form", func(n *node) (a answer) { a, csrf = other.page(n, "/login"); return a })
		a = other.persistently("an answer", func(n *node) answer {
			return other.browse(n, "POST", "/login", url.Values{"username": {u.login}, "password": {password}, "csrf": {csrf}})
		})
		if a.status != http.StatusForbidden && a.status != http.StatusTooManyRequests {
			p.w.find(revived, "user %s signs in: %s", u.login, a)
		}
	})
	sample(p, p.absent, thorough, func(login string) {
		a := p.persistently("an answer", func(n *node) answer { return p.manage(n, "GET", "/users/"+login, nil) })
		if a.status != http.StatusNotFound {
			p.w.find(strange, "user %s was not there, and now: %s", login, a)
		}
	})
}

func (p *person) checkApps(thorough bool) {
	sample(p, p.apps, thorough, func(app *appEntry) {
		if app.secret == "" {
			want := map[bool]int{true: http.StatusOK, false: http.StatusNotFound}[app.exists]
			if a := p.persistently("an answer", func(n *node) answer { return p.manage(n, "GET", "/clients/"+app.id, nil) }); a.status != want {
				p.w.find(strange, "client %s was there: %t, and now: %s", app.id, app.exists, a)
			}
			return
		}
		a := p.persistently("an answer", func(n *node) answer {
			return p.appAs(n, app.id, app.secret, "/token", url.Values{"grant_type": {"client_credentials"}, "scope": {scope}})
		})
		if !a.ok() {
			p.w.find(lost, "client %s: %s", app.id, a)
		}
	})
}

// rule is a line of the log of revocations.
type rule struct {
	Seq  int64
	Kind string
	ID   string
}

// batch is a message of the feed.
type batch struct {
	Epoch          string
	From, To, Head int64
	Rules          []rule
}

// checkLog: the log is the one of before, continued without a gap, and has every
// revocation that was acknowledged.
func (w *world) checkLog() error {
	var missing string
	return errors.Join(until("the log of revocations with all of them", readyWithin, func() bool {
		rules, epoch, err := w.readLog()
		if err != nil {
			missing = err.Error()
			return false
		}
		missing = w.compareLog(rules, epoch)
		return missing == ""
	}), orNil(missing))
}

func orNil(text string) error {
	if text == "" {
		return nil
	}
	return errors.New(text)
}

// compareLog returns what is missing yet, and finds what can never be right.
func (w *world) compareLog(rules []rule, epoch string) (missing string) {
	w.mu.Lock()
	before, epochBefore := w.rules, w.epoch
	w.mu.Unlock()
	if epochBefore != "" && epoch != epochBefore {
		w.find(lost, "the log of revocations: its epoch was %s and is %s", epochBefore, epoch)
	}
	if len(rules) < len(before) {
		return fmt.Sprintf("the log of revocations had %d rules and has %d", len(before), len(rules)) // perhaps another node's
	}
	there := map[string]bool{}
	for i, r := range rules {
		if r.Seq != int64(i+1) {
			w.find(lost, "a gap in the log of revocations: rule %d has number %d", i+1, r.Seq)
		}
		if i < len(before) && r != before[i] {
			w.find(lost, "rule %d of the log of revocations was %v and is %v", i+1, before[i], r)
		}
		there[r.ID] = true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rules, w.epoch = rules, epoch
	for id := range w.revoked {
		if !there[id] {
			return fmt.Sprintf("the end of %s was acknowledged and is not in the log of revocations", id)
		}
	}
	return ""
}

// readLog reads the feed from its beginning to where it ends now.
func (w *world) readLog() (rules []rule, epoch string, err error) {
	response, err := w.feed.Get(w.issuer + "/revocations")
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		text, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		b, err := decodeBatch(text)
		if err != nil {
			return nil, "", err
		}
		rules, epoch = append(rules, b.Rules...), b.Epoch
		if b.To == b.Head {
			return rules, epoch, nil
		}
	}
	return nil, "", fmt.Errorf("the feed ended: %w", cmpErr(lines.Err(), errors.New("no more")))
}

func decodeBatch(token string) (b batch, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return b, errors.New("not a signed batch")
	}
	doc, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return b, err
	}
	return b, json.Unmarshal(doc, &b)
}

// checkVerifier: a service accepts what is alive and refuses what has ended.
func (w *world) checkVerifier() error {
	err := until("a verifier that has heard everything", readyWithin, func() bool {
		s := w.verifier.Status()
		return s.Position >= int64(len(w.rules)) && !s.Stale
	})
	if err != nil {
		return fmt.Errorf("%w: %+v", err, w.verifier.Status())
	}
	w.verifyLive()
	for _, p := range w.people {
		for _, f := range p.graves {
			if _, err := w.verifier.Verify(context.Background(), f.access); err == nil {
				w.find(revived, "an access token of grant %s", f.grant)
			}
		}
	}
	return nil
}

// verifyLive sees that the newest access token of everybody is accepted. Nobody acts meanwhile.
func (w *world) verifyLive() {
	for _, p := range w.people {
		if p.fam == nil || p.fam.mayBeOver || p.doubt != nil {
			continue
		}
		w.checked.Add(1)
		if _, err := w.verifier.Verify(context.Background(), p.fam.access); err != nil {
			w.find(lost, "an access token of grant %s: %v", p.fam.grant, err)
		}
	}
}
