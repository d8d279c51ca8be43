package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/signet-id/signet/internal/idp"
)

// Pages shows what people see. The rest of the pages meets the endpoints in the database.
type Pages interface {
	Error(w http.ResponseWriter, r *http.Request, status int, p Problem)
	LogoutConfirm(w http.ResponseWriter, r *http.Request, q LogoutQuestion)
	LoggedOut(w http.ResponseWriter, r *http.Request, f Farewell)
	DeviceAnswered(w http.ResponseWriter, r *http.Request, a DeviceAnswer)
	FormPost(w http.ResponseWriter, r *http.Request, f FormPost)
}

// Problem is an error page. Detail is for developers: empty unless Config.Dev.
type Problem struct {
	Title  string
	Text   string
	Detail string // the cause and the next step
}

// pageError is an answer to the person at the browser, for when nobody else may be told.
type pageError struct {
	status  int
	problem Problem
	command string // of signet, that ends the detail; the socket is added to it
	cause   error  // for our log
}

func (e *pageError) Error() string {
	if e.cause == nil {
		return e.problem.Title
	}
	return e.problem.Title + ": " + e.cause.Error()
}

// Unwrap: whoever sees such a page did something wrong, unless the cause says otherwise.
func (e *pageError) Unwrap() []error {
	if e.cause == nil {
		return []error{idp.ErrInvalid}
	}
	return []error{idp.ErrInvalid, e.cause}
}

// pageErrors answers errors of the endpoints that people come to.
type pageErrors struct {
	pages  Pages
	dev    bool
	socket string // see Config.AdminSocket
}

func (p pageErrors) write(w http.ResponseWriter, r *http.Request, err error) {
	if e, ok := errors.AsType[*redirectError](err); ok {
		p.answerTo(w, r, e.issuer, e.req, e.answer())
		return
	}
	e, ok := errors.AsType[*pageError](err)
	switch {
	case ok:
	case errors.Is(err, idp.ErrUnavailable):
		w.Header().Set("Retry-After", "5")
		e = &pageError{status: http.StatusServiceUnavailable, problem: unavailablePage}
	default:
		e = &pageError{status: http.StatusInternalServerError, problem: brokenPage}
	}
	problem := e.problem
	switch {
	case !p.dev:
		problem.Detail = ""
	case e.command != "":
		problem.Detail += " " + e.command
		if p.socket != "" { // else it works where the server was started
			problem.Detail += " --socket " + shellWord(p.socket)
		}
	}
	w.Header().Set("Cache-Control", "no-store")
	p.pages.Error(w, r, e.status, problem)
}

// The texts that the pages know as well are the same letter by letter, so that they are
// shown in the person's language.
var (
	unavailablePage = Problem{Title: "We are very busy", Text: "Please try again in a few seconds. Nothing is lost."}
	brokenPage      = Problem{
		Title: "Something broke on our side",
		Text:  "It is not your fault. Try again in a moment; if it stays like this, tell whoever runs this service the number below.",
	}
	tooManyFlows = Problem{
		Title: "Too many sign-ins at once",
		Text:  "Too many sign-ins were started and not finished. Please try again in a few minutes.",
	}
	overPage = Problem{
		Title: "Please start again",
		Text:  "This sign-in has ended: it took too long, was finished already, or began in another browser. Go back to the app and start there again.",
	}
	foreignPage = Problem{
		Title: "This did not come from our page",
		Text:  "Another website tried to send this form in your name, so we did nothing. If it was you, go back, reload the page and try again.",
	}
	stalePage = Problem{
		Title: "This page is out of date",
		Text:  "It was open for a long time, or you have signed in or out in another window. Go back, reload the page and try again. Cookies must be allowed.",
	}
)

// What people read when an app sent them here with a broken request.
const (
	appErrorTitle = "The app made a mistake"
	appErrorText  = "The app that sent you here asked in a way that cannot be answered safely. Go back to it and tell its makers."
)

func badRequest(detail string, cause error) error { return correctable(detail, "", cause) }

// correctable is a badRequest that a command puts right, which follows the detail.
func correctable(detail, command string, cause error) error {
	return &pageError{
		status: http.StatusBadRequest, problem: Problem{appErrorTitle, appErrorText, detail}, command: command, cause: cause,
	}
}

// flowGone is the answer for a sign-in that took too long, was finished already, or was
// begun in another browser. It does not tell which.
func flowGone(cause error) error {
	return &pageError{status: http.StatusBadRequest, problem: overPage, cause: cause}
}

// provenClient finds the client of an authorization request.
func provenClient(ctx context.Context, directory clientDirectory, id string) (idp.Client, error) {
	if id == "" {
		return idp.Client{}, badRequest("client_id is missing", nil)
	}
	if len(id) > maxClientID {
		return idp.Client{}, badRequest("client_id is too long", nil)
	}
	c, err := directory.Client(ctx, id)
	if document, ok := errors.AsType[*documentError](err); ok {
		return idp.Client{}, badRequest("There is no client \""+id+"\" with a metadata document: "+document.reason+".", err)
	}
	switch {
	case errors.Is(err, idp.ErrNotFound):
		return idp.Client{}, correctable("There is no client \""+id+"\". Add it with:", "signet client add --id "+shellWord(id)+" --name NAME --redirect URI", err)
	case err != nil:
		return idp.Client{}, err
	case c.Disabled():
		return idp.Client{}, correctable("The client \""+id+"\" is disabled. Enable it with:", "signet client enable "+shellWord(id), errDisabled)
	}
	return c, nil
}

// badRedirect tells the developer which URIs would have worked, and the command that
// adds this one.
func badRedirect(c idp.Client, uri string) error {
	registered := "Registered for \"" + c.ID + "\": " + strings.Join(c.RedirectURIs, ", ") + "."
	if uri == "" {
		return badRequest("redirect_uri is missing. "+registered, nil)
	}
	command := "signet client set " + shellWord(c.ID)
	for _, u := range append(slices.Clone(c.RedirectURIs), uri) {
		command += " --redirect " + shellWord(u)
	}
	if origin := webOrigin(uri); len(c.Origins) > 0 && origin != "" && !slices.Contains(c.Origins, origin) {
		// Its scripts would be back at the app and could not ask for tokens.
		for _, o := range append(slices.Clone(c.Origins), origin) {
			command += " --origin " + shellWord(o)
		}
	}
	cause := fmt.Errorf("redirect_uri %.256q is not registered for client %q, which has %q (signet client set CLIENT --redirect URI): %w",
		bareURI(uri), c.ID, c.RedirectURIs, idp.ErrInvalid)
	return correctable("redirect_uri \""+uri+"\" is not registered. "+registered+" They are compared letter by letter. Add it with:", command, cause)
}

// webOrigin is the origin of an address on the web, as browsers send it; else empty.
func webOrigin(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// bareURI is what of a foreign URI may go to the log: a query or what is no URI may be
// anything, also a code that an app has put into the wrong parameter (OPS-01).
func bareURI(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme == "" {
		return "(not an absolute URI)"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, Opaque: u.Opaque}).String()
}

// shellWord quotes what a developer will paste into a shell.
func shellWord(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
