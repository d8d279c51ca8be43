package web

import (
	"net/http"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/notify"
)

// DeviceAnswer is how the flow of a device ended.
type DeviceAnswer struct {
	Allowed   bool
	ClientID  string
	Resource  string
	Scopes    []string
	UILocales []string
}

type deviceAnsweredPage struct {
	view
	Allowed bool
	App     string
}

// DeviceAnswered says that the device has its answer, and after a yes it tells the person
// by mail as well: whoever was talked into it may notice then (RFC 10027 §6.1.6).
func (p *Pages) DeviceAnswered(w http.ResponseWriter, r *http.Request, a DeviceAnswer) {
	s := p.site
	words := s.words(r, a.UILocales).once()
	client, err := p.requests.directory.Client(r.Context(), a.ClientID)
	if err != nil {
		client = idp.Client{ID: a.ClientID} // it has just gone
	}
	page := deviceAnsweredPage{view: s.view(words, words.T("answered.no.title")), App: appName(client)}
	if a.Allowed {
		page.Title, page.Allowed = words.T("answered.yes.title"), true
		p.announceDevice(r, words, client, a)
	}
	p.answer(w, r, s.render(w, "device-answered", http.StatusOK, page, policy{}))
}

// announceDevice tells the person by mail. A mail that cannot be written is no reason to
// undo what they allowed.
func (p *Pages) announceDevice(r *http.Request, words words, client idp.Client, a DeviceAnswer) {
	s := p.site
	v, err := s.visit(r)
	if err != nil {
		s.log.Warn("mail not written", "error", err, "request_id", edge.RequestID(r))
		return
	}
	words = words.forMail(v.User)
	told, err := permissions{directory: p.requests.directory}.tell(r.Context(), words, a.Resource, a.Scopes)
	if err != nil {
		s.log.Warn("mail not written", "error", err, "request_id", edge.RequestID(r))
		return
	}
	p.outbox.post(notify.DeviceConnected(notify.Notice{
		To: v.User.Email, Lang: words.Lang, Brand: s.brand, Name: v.User.DisplayName(), App: appName(client),
		At: s.now(), IP: edge.Actor(r, "user", v.UserID).IP, URL: s.origin + s.base + "/account/apps", Scopes: told.titles(),
	}))
}
