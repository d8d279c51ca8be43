package web

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/registration"
)

// loginShow is the login page: within a flow for the app that asks, else for the account.
type loginShow struct {
	*site
	requests requests
}

func (p loginShow) serve(w http.ResponseWriter, r *http.Request) error {
	v, err := p.visit(r)
	if err != nil && !errors.Is(err, errNobody) {
		return err
	}
	req, err := p.requests.load(r, p.now())
	if errors.Is(err, errNoFlow) {
		if v.ID != "" {
			p.redirect(w, "/account")
			return nil
		}
		return p.showLogin(w, r, http.StatusOK, nil, loginTry{})
	}
	if err != nil {
		return err
	}
	name := req.LoginHint
	if name == "" { // somebody who has to prove again who they are
		name = v.User.Username
	}
	return p.showLogin(w, r, http.StatusOK, &req, loginTry{Username: name})
}

// A loginTry is what was typed, and what was wrong with it. The password never comes back.
type loginTry struct {
	Username string
	Error    string        // catalogue key; empty: nothing yet
	Wait     time.Duration // with "login.error.wait"
}

// loginPage is the form.
type loginPage struct {
	view
	Action    string
	App       *app // nil: for the account itself
	Username  string
	Note      string // of the operator
	NoteIn    string // its language, if it is not the page's
	ErrorText string
	Locked    bool // trying again now is of no use, nothing is wrong with what was typed
}

// app is what pages say of a client.
type app struct {
	Name       string
	FirstParty bool
	Unverified bool   // no operator added it
	Host       string // where the document is that describes it; empty if there is none
	Local      bool   // any program on this computer could be it
	Logo       string // of ours; empty if there is none
	Home       string // addresses; empty if there are none that can be shown
	Policy     string
	Terms      string
}

// showLogin writes the form; req is nil outside of a flow.
func (s *site) showLogin(w http.ResponseWriter, r *http.Request, status int, req *request, try loginTry) error {
	page, policy := loginPage{Action: s.base + "/login", Username: oneLine(try.Username, maxUsername)}, policy{}
	var locales []string
	if req != nil {
		page.Action, page.App, locales = req.at("/login"), s.asking(*req), req.UILocales
		policy = leadingTo(req.RedirectURI)
	}
	words := s.words(r, locales)
	page.view = s.formView(w, r, words, words.T("login.title"))
	page.Note, page.NoteIn = s.noteIn(words)
	if try.Error != "" {
		page.ErrorText = words.T(try.Error)
	}
	if try.Wait > 0 {
		page.ErrorText, page.Locked = words.T(try.Error, words.Wait(try.Wait)), true
	}
	return s.render(w, "login", status, page, policy.withScript())
}

// maxUsername is how much of a typed name comes back, in characters.
const maxUsername = 254

func appOf(c idp.Client) *app {
	return &app{
		Name: appName(c), FirstParty: c.FirstParty, Unverified: c.Unverified(), Host: documentHost(c),
		Local: c.Unverified() && c.Public() && registration.LoopbackOnly(c.RedirectURIs),
		Home:  webAddress(c.ClientURI), Policy: webAddress(c.PolicyURI), Terms: webAddress(c.TermsURI),
	}
}

// documentHost names who publishes an app that is a document: what people can hold its
// name against (draft-ietf-oauth-client-id-metadata-document-03 §8, OAuth Phishing Attacks).
func documentHost(c idp.Client) string {
	if c.Origin != idp.OriginDocument {
		return ""
	}
	u, err := url.Parse(c.ID)
	if err != nil || u.Host == "" {
		return oneLine(c.ID, maxName)
	}
	return oneLine(u.Host, maxText)
}

// appName is a client's name as one line, or its id.
func appName(c idp.Client) string {
	if name := oneLine(c.Name, maxName); name != "" {
		return name
	}
	return oneLine(c.ID, maxName)
}

// webAddress returns the address if a link may lead there: what is not https (or http, on
// this computer) would be a script in our page (CLI-06).
func webAddress(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil {
		return ""
	}
	if u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()) {
		return u.String()
	}
	return ""
}

func loopback(host string) bool {
	return host == "localhost" || host == "127.0.0.1" || host == "::1"
}
