package server

import (
	"net/http"
	"strings"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/oauth"
	"github.com/signet-id/signet/internal/web"
)

// routes is everything the public can reach. What is not here does not exist.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	s.register(mux)
	mux.HandleFunc(elsewhere, func(w http.ResponseWriter, r *http.Request) { s.nothing(w, r, otherMethods(mux, r)) })
	return mux
}

// register adds all routes; docs/reference/endpoints.md lists them.
func (s *Server) register(mux edge.Mux) {
	mux.Handle("GET /livez", http.HandlerFunc(livez))
	mux.Handle("GET /readyz", http.HandlerFunc(s.readyz))
	mux.Handle("GET /healthz", http.HandlerFunc(s.readyz))
	s.endpoints.Register(mux)
	s.pages.Register(mux)
}

// nothing answers what no route does: browsers with a page, everybody else in a word.
func (s *Server) nothing(w http.ResponseWriter, r *http.Request, methods string) {
	status := http.StatusNotFound
	if methods != "" {
		w.Header().Set("Allow", methods)
		status = http.StatusMethodNotAllowed
	}
	switch {
	case !edge.WantsPage(r):
		http.Error(w, strings.ToLower(http.StatusText(status)), status)
	case methods == "":
		s.pages.NotFound(w, r)
	default:
		s.pages.WrongMethod(w, r, methods)
	}
}

// elsewhere matches what no route does. With a method it would be one that every address has.
const elsewhere = "/"

// otherMethods are those that the address has (RFC 9110 §15.5.6), in the order of their names;
// empty: it is no address of ours.
func otherMethods(mux *http.ServeMux, r *http.Request) string {
	var found []string
	other := *r
	for _, method := range [...]string{"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"} {
		other.Method = method
		if _, pattern := mux.Handler(&other); pattern != elsewhere {
			found = append(found, method)
		}
	}
	return strings.Join(found, ", ")
}

// pages lets the endpoints show pages without knowing the package that draws them.
type pages struct{ web *web.Pages }

func (p pages) Error(w http.ResponseWriter, r *http.Request, status int, problem oauth.Problem) {
	p.web.Error(w, r, status, web.Problem(problem))
}

func (p pages) LogoutConfirm(w http.ResponseWriter, r *http.Request, q oauth.LogoutQuestion) {
	p.web.LogoutConfirm(w, r, web.LogoutQuestion(q))
}

func (p pages) FormPost(w http.ResponseWriter, r *http.Request, f oauth.FormPost) {
	page := web.FormPost{Action: f.Action}
	for _, field := range f.Fields {
		page.Fields = append(page.Fields, web.FormField(field))
	}
	p.web.FormPost(w, r, page)
}

func (p pages) LoggedOut(w http.ResponseWriter, r *http.Request, f oauth.Farewell) {
	p.web.LoggedOut(w, r, web.Farewell(f))
}

func (p pages) DeviceAnswered(w http.ResponseWriter, r *http.Request, a oauth.DeviceAnswer) {
	p.web.DeviceAnswered(w, r, web.DeviceAnswer(a))
}
