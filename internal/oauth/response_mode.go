package oauth

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/signet-id/signet/internal/idp"
)

// modes are how an answer gets to the client: in the query of a redirect, or in a form
// that the browser posts (OAuth 2.0 Form Post Response Mode). A code in a fragment is in
// reach of every script of the page, so there is no fragment (OAU-14).
const (
	modeQuery    = "query"
	modeFormPost = "form_post"
)

var modes = [...]string{modeQuery, modeFormPost}

// checkResponseMode comes early, so that errors go the same way as codes. An error about
// the mode itself goes in the query.
func checkResponseMode(_ context.Context, a *asking) error {
	mode := a.form.Get("response_mode")
	if mode == "" {
		mode = modeQuery // OAuth 2.0 Multiple Response Type Encoding Practices §2.1: the default for codes
	}
	allowed := a.client.ResponseModes
	if len(allowed) == 0 {
		allowed = modes[:]
	}
	switch {
	case !slices.Contains(modes[:], mode):
		return refuse(InvalidRequest, "response_mode must be query or form_post")
	case !slices.Contains(allowed, mode):
		return refuse(InvalidRequest, "the client is not registered for this response_mode")
	case mode == modeQuery:
		return nil
	}
	if u, err := url.Parse(a.req.RedirectURI); err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return refuse(InvalidRequest, "response_mode form_post needs a web address as redirect_uri")
	}
	if strings.ContainsAny(a.req.State, "\r\n") { // which browsers change in forms (HTML, constructing the entry list)
		return refuse(InvalidRequest, "response_mode form_post cannot carry a state with line breaks")
	}
	a.req.ResponseMode = modeFormPost
	return nil
}

// FormPost is a page that posts fields to an address: by itself, or by a button.
type FormPost struct {
	Action string // proven to be the client's
	Fields []FormField
}

// FormField is a hidden field.
type FormField struct{ Name, Value string }

// answerTo sends the browser to the client. It adds what every answer has: who speaks
// (RFC 9207 §2, against mix-up), and the state exactly if one was sent.
func (p pageErrors) answerTo(w http.ResponseWriter, r *http.Request, issuer string, req idp.AuthRequest, answer url.Values) {
	answer.Set("iss", issuer)
	if req.StateSent {
		answer.Set("state", req.State)
	}
	if req.ResponseMode != modeFormPost {
		seeOther(w, answerURI(req.RedirectURI, answer))
		return
	}
	form := FormPost{Action: req.RedirectURI}
	for _, name := range responseParameters {
		if answer.Has(name) {
			form.Fields = append(form.Fields, FormField{name, answer.Get(name)})
		}
	}
	w.Header().Set("Cache-Control", "no-store") // Form Post Response Mode §4
	w.Header().Set("Referrer-Policy", "no-referrer")
	p.pages.FormPost(w, r, form)
}
