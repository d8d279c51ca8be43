//go:build unix

package main

import (
	"net/http"
	"net/url"
	"sync"
	"time"
)

// What the app does with codes and tokens.

// authorize gets a code. If the answer is lost nobody has ever seen the code.
func (p *person) authorize(n *node) bool {
	begun := time.Now()
	a := p.browse(n, "GET", "/authorize?"+url.Values{
		"response_type": {"code"}, "client_id": {p.w.client}, "redirect_uri": {redirect}, "scope": {"openid " + scope}, "state": {"s"},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}.Encode(), nil)
	at, err := url.Parse(a.header.Get("Location"))
	if err == nil && at.Query().Get("code") != "" {
		p.w.ack(begun)
		p.code, p.codeAt = at.Query().Get("code"), p.w.now()
		return true
	}
	switch {
	case a.unknown() || err == nil && at.Query().Get("error") == "temporarily_unavailable":
		p.w.doubts.Add(1)
	case err == nil && at.Path == "/login":
		p.w.find(lost, "the session of %s: asked to sign in again", p.user.login)
		p.forget()
	default:
		p.w.find(strange, "authorize: %s, to %s", a, at)
	}
	return false
}

func (p *person) exchange(n *node, code string) answer {
	return p.app(n, "/token", url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirect}, "code_verifier": {verifier}})
}

func (p *person) present(n *node, token string) answer {
	return p.app(n, "/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

func (p *person) redeem(n *node) bool {
	begun, code := time.Now(), p.code
	a := p.exchange(n, code)
	switch {
	case a.ok():
		p.w.ack(begun)
		p.begin(code, a)
		return true
	case a.unknown():
		p.inDoubt(func(n *node) bool { return p.redeemAgain(n, code) })
	default:
		p.w.find(lost, "a code that was not used: %s", a)
		p.code = ""
	}
	return false
}

// begin notes a new family.
func (p *person) begin(code string, a answer) {
	var t tokens
	if err := a.json(&t); err != nil || t.Refresh == "" {
		p.w.find(strange, "tokens: %s", a)
		return
	}
	c := claimsOf(t.Access)
	p.code, p.fam = "", &family{grant: c.Grant, session: c.Session, code: code, current: t.Refresh, access: t.Access}
}

// redeemAgain: if the first try has happened, the second is a replay, which ends what
// was made for the code: the audit log says so. If not, it is the first.
func (p *person) redeemAgain(n *node, code string) bool {
	begun := time.Now()
	a := p.exchange(n, code)
	switch {
	case a.ok():
		p.w.ack(begun)
		p.begin(code, a)
		return true
	case a.status == http.StatusBadRequest:
		var events []struct{ Action string }
		log := p.manage(n, "GET", "/events?limit=20&user="+p.user.id, nil)
		if log.unknown() || log.json(&events) != nil {
			return false
		}
		replayed := false
		for _, e := range events {
			replayed = replayed || e.Action == "code.replay"
		}
		if !replayed && p.w.since(p.codeAt) < codeLife {
			p.w.find(lost, "a code: it was never redeemed, and cannot be")
		}
		if again := p.exchange(n, code); again.ok() {
			p.w.find(revived, "a code that had been refused")
		}
		p.code = ""
		return true
	}
	return false
}

func (p *person) refresh(n *node) bool {
	begun := time.Now()
	a := p.present(n, p.fam.current)
	if a.unknown() {
		p.refreshInDoubt(begun)
		return false
	}
	return p.refreshed(a, begun)
}

// refreshInDoubt: presenting the token again within the window gives one and the same
// successor, whether the first try has happened or not.
func (p *person) refreshInDoubt(first time.Time) {
	p.inDoubt(func(n *node) bool {
		begun := time.Now()
		a := p.present(n, p.fam.current)
		if a.unknown() {
			return false
		}
		if a.status == http.StatusBadRequest && begun.Sub(first) > retryWindow-5*time.Second {
			p.bury() // too late to ask
			p.graves = p.graves[:len(p.graves)-1]
			return true
		}
		p.refreshed(a, begun)
		return true
	})
}

// refreshed notes what the current token was exchanged for.
func (p *person) refreshed(a answer, begun time.Time) bool {
	f := p.fam
	var t tokens
	switch {
	case a.ok() && a.json(&t) == nil && t.Refresh != "":
		p.w.ack(begun)
		f.spent = append(f.spent, spent{token: f.current, successor: t.Refresh, at: p.w.now()})
		if len(f.spent) > 40 {
			f.spent = append(f.spent[:5:5], f.spent[20:]...)
		}
		f.current, f.access, f.mayBeOver = t.Refresh, t.Access, false
		return true
	case a.status == http.StatusBadRequest && f.mayBeOver:
		p.w.revoke(f.grant)
		p.bury()
		return true
	}
	p.w.find(lost, "the current refresh token of grant %s: %s", f.grant, a)
	p.bury()
	p.graves = p.graves[:len(p.graves)-1] // it may be alive
	return false
}

// retry presents the token before the current one, as if its answer had been lost.
func (p *person) retry(n *node) bool {
	f := p.fam
	if len(f.spent) == 0 {
		return true
	}
	last := f.spent[len(f.spent)-1]
	if p.w.since(last.at) > retryWindow-10*time.Second {
		return true
	}
	a := p.present(n, last.token)
	var t tokens
	switch {
	case a.unknown():
		return false
	case a.status == http.StatusBadRequest && f.mayBeOver:
		return p.refreshed(a, time.Now())
	case !a.ok() || a.json(&t) != nil:
		p.w.find(lost, "a retry within the window: %s", a)
	case t.Refresh != last.successor:
		p.w.find(doubled, "a token with two successors")
	}
	return true
}

// reuse presents a token that was used long ago, as a thief would: it ends the grant.
func (p *person) reuse(n *node) bool {
	f := p.fam
	if len(f.spent) < remembered+2 {
		return true
	}
	begun := time.Now()
	a := p.present(n, f.spent[p.rng.IntN(len(f.spent)-remembered-1)].token)
	return p.ended(a, begun, "a refresh token that was used long ago")
}

// replayCode presents the code that the grant was made for once more.
func (p *person) replayCode(n *node) bool {
	begun := time.Now()
	return p.ended(p.exchange(n, p.fam.code), begun, "a code that was redeemed")
}

// ended notes the answer to a use that must be refused and ends the grant.
func (p *person) ended(a answer, begun time.Time, what string) bool {
	switch {
	case a.unknown():
		p.w.doubts.Add(1)
		p.fam.mayBeOver = true
		return false
	case a.status == http.StatusBadRequest:
		p.w.ack(begun)
		p.w.revoke(p.fam.grant)
		p.bury()
		return true
	}
	p.w.find(revived, "%s: %s", what, a)
	return false
}

// revoke gives the grant back (RFC 7009).
func (p *person) revoke(n *node) bool {
	begun := time.Now()
	a := p.app(n, "/revoke", url.Values{"token": {p.fam.current}})
	switch {
	case a.ok():
		p.w.ack(begun)
		p.w.revoke(p.fam.grant)
		p.bury()
		return true
	case a.unknown():
		p.w.doubts.Add(1)
		p.fam.mayBeOver = true
	default:
		p.w.find(strange, "revoke: %s", a)
	}
	return false
}

// both sends two requests at the same moment, to two nodes if there are two.
func (p *person) both(n *node, ask func(*node) answer) (a, b answer) {
	other := n
	for _, o := range p.w.nodes {
		if o != n && o.up.Load() {
			other = o
		}
	}
	var wg sync.WaitGroup
	wg.Go(func() { a = ask(n) })
	wg.Go(func() { b = ask(other) })
	wg.Wait()
	return a, b
}

// raceCode redeems a code twice at once: one wins, and what it won is taken back because
// the other one may be the owner.
func (p *person) raceCode(n *node) bool {
	code, begun := p.code, time.Now()
	a, b := p.both(n, func(n *node) answer { return p.exchange(n, code) })
	if b.ok() {
		a, b = b, a
	}
	switch {
	case a.ok() && b.ok():
		p.w.find(doubled, "a code was redeemed twice")
		p.code = ""
	case a.ok():
		p.w.ack(begun)
		p.begin(code, a)
		return p.ended(b, begun, "a code that was redeemed")
	case a.unknown() && b.unknown():
		p.inDoubt(func(n *node) bool { return p.redeemAgain(n, code) })
		return false
	case a.unknown() || b.unknown():
		p.w.doubts.Add(1) // the one that was not answered has won
		p.code = ""
	default:
		p.w.find(lost, "a code that two wanted: %s and %s", a, b)
		p.code = ""
	}
	return true
}

// raceRefresh presents the current token twice at once: both get the same successor.
func (p *person) raceRefresh(n *node) bool {
	begun := time.Now()
	a, b := p.both(n, func(n *node) answer { return p.present(n, p.fam.current) })
	if a.unknown() {
		a, b = b, a
	}
	if a.unknown() {
		p.refreshInDoubt(begun)
		return false
	}
	was := p.fam
	if !p.refreshed(a, begun) || p.fam != was || b.unknown() {
		return true
	}
	var t tokens
	if !b.ok() || b.json(&t) != nil {
		p.w.find(lost, "one of two who asked at once: %s", b)
	} else if t.Refresh != was.current {
		p.w.find(doubled, "two successors for two who asked at once")
	}
	return true
}
