//go:build unix

package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"time"
)

// What a person does at the provider itself, and the operator for them.

func (p *person) makeUser(n *node) bool {
	p.users++
	login, begun := fmt.Sprint(p.name, "-", p.users), time.Now()
	a := p.manage(n, "POST", "/users", map[string]any{"username": login, "password": password})
	switch {
	case a.status == http.StatusCreated:
		p.w.ack(begun)
		p.user = &user{login: login}
		return a.json(&struct {
			ID *string `json:"id"`
		}{&p.user.id}) == nil
	case a.unknown():
		p.inDoubt(func(n *node) bool { return p.wasMade(n, login) })
	default:
		p.w.find(strange, "make a user: %s", a)
	}
	return false
}

// wasMade sees whether a user is there after all.
func (p *person) wasMade(n *node, login string) bool {
	var found struct{ ID string }
	switch a := p.manage(n, "GET", "/users/"+login, nil); {
	case a.status == http.StatusOK && a.json(&found) == nil:
		p.user = &user{id: found.ID, login: login}
	case a.status == http.StatusNotFound:
		p.absent = append(p.absent, login)
	default:
		return false
	}
	return true
}

var csrfField = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

// page shows a page with a form and returns what its forms carry.
func (p *person) page(n *node, path string) (a answer, csrf string) {
	a = p.browse(n, "GET", path, nil)
	if found := csrfField.FindSubmatch(a.body); found != nil {
		csrf = string(found[1])
	}
	return a, csrf
}

// login: if its answer is lost there is perhaps a session that nobody can use.
func (p *person) login(n *node) bool {
	a, csrf := p.page(n, "/login")
	if csrf == "" {
		if !a.unknown() {
			p.w.find(strange, "login page: %s", a)
		}
		return false
	}
	begun := time.Now()
	a = p.browse(n, "POST", "/login", url.Values{"username": {p.user.login}, "password": {password}, "csrf": {csrf}})
	switch {
	case a.status == http.StatusSeeOther:
		p.w.ack(begun)
		p.signed = true
		return true
	case a.unknown():
		p.w.doubts.Add(1)
	case a.status == http.StatusTooManyRequests: // tries without an answer count, too
		p.user = nil
	default:
		p.w.find(lost, "%s cannot sign in: %s", p.user.login, a)
	}
	return false
}

// signOut ends the session at the account page.
func (p *person) signOut(n *node) bool {
	a, csrf := p.page(n, "/account/sessions")
	if csrf == "" {
		if !a.unknown() {
			p.w.find(lost, "the session of %s: %s", p.user.login, a)
			p.forget()
		}
		return false
	}
	begun, sid := time.Now(), p.fam.session
	before := map[string]string{}
	for name, value := range p.cookies {
		before[name] = value
	}
	a = p.browse(n, "POST", "/account/sessions", url.Values{"csrf": {csrf}, "session": {sid}, "action": {"end"}})
	switch {
	case a.status == http.StatusSeeOther, a.status == http.StatusOK && bytes.Contains(a.body, []byte("You are signed out")):
		p.w.ack(begun)
		p.w.revoke(sid)
		p.cookies = before // the browser was told to forget it
		p.forget()
		return true
	case a.unknown():
		p.inDoubt(func(n *node) bool { return p.seeSession(n, sid) })
	default:
		p.w.find(strange, "end a session: %s", a)
	}
	return false
}

// seeSession sees whether the session has ended after all.
func (p *person) seeSession(n *node, sid string) bool {
	switch a := p.browse(n, "GET", "/account/sessions", nil); {
	case a.status == http.StatusOK:
	case a.status == http.StatusSeeOther:
		p.w.revoke(sid)
		p.forget()
	default:
		return false
	}
	return true
}

// disable takes the person's account away; they get another one.
func (p *person) disable(n *node) bool {
	begun := time.Now()
	a := p.manage(n, "POST", "/users/"+p.user.id+"/disable", nil)
	switch {
	case a.ok():
		p.w.ack(begun)
		p.left()
		return true
	case a.unknown():
		p.inDoubt(p.seeDisabled)
	default:
		p.w.find(strange, "disable a user: %s", a)
	}
	return false
}

func (p *person) seeDisabled(n *node) bool {
	var found struct {
		DisabledAt time.Time `json:"disabled_at"`
	}
	a := p.manage(n, "GET", "/users/"+p.user.id, nil)
	if a.status != http.StatusOK || a.json(&found) != nil {
		return false
	}
	if !found.DisabledAt.IsZero() {
		p.left()
	}
	return true
}

func (p *person) left() {
	p.w.revoke(p.fam.session)
	p.forget()
	p.disabled = append(p.disabled, p.user)
	p.user = nil
}

// register makes a client.
func (p *person) register(n *node) bool {
	app, begun := &appEntry{id: fmt.Sprintf("%s-%d-app-%d", p.name, p.users, len(p.apps)), exists: true}, time.Now()
	a := p.manage(n, "POST", "/clients", map[string]any{
		"client_id": app.id, "client_name": "An app", "grant_types": []string{"client_credentials"}, "scopes": []string{scope},
	})
	switch {
	case a.status == http.StatusCreated:
		p.w.ack(begun)
		p.apps = append(p.apps, app)
		return a.json(&struct {
			Secret *string `json:"client_secret"`
		}{&app.secret}) == nil
	case a.unknown():
		p.inDoubt(func(n *node) bool {
			a := p.manage(n, "GET", "/clients/"+app.id, nil)
			if a.status != http.StatusOK && a.status != http.StatusNotFound {
				return false
			}
			app.exists = a.status == http.StatusOK
			p.apps = append(p.apps, app)
			return true
		})
	default:
		p.w.find(strange, "register a client: %s", a)
	}
	return false
}

func (p *person) inDoubt(resolve func(*node) bool) {
	p.w.doubts.Add(1)
	p.doubt = resolve
}
