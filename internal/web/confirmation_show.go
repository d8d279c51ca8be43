package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
)

// deviceReader reads the request of a device that waits.
type deviceReader interface {
	OpenDeviceRequest(ctx context.Context, id string, now time.Time) (idp.DeviceRequest, error)
}

// confirmationShow asks whether the device is the person's own, and says all that is known
// of it (OAU-18, RFC 8628 §5.4, RFC 10027 §6.1.14): which app, from where, when, and the
// code, to be compared. It is shown each time, for apps of our own as well.
type confirmationShow struct {
	*site
	requests    requests
	store       deviceReader
	codes       UserCodes
	permissions permissions
}

type confirmationPage struct {
	view
	Action      string
	LoginAction string // for another account
	App         *app
	Initial     string // of the app
	Person      person
	Code        string
	Device      string // in words
	IP          string // empty: not known
	Near        bool   // it asked from the network that the browser is in
	At          instant
	May         []permission
}

func (p confirmationShow) serve(w http.ResponseWriter, r *http.Request) error {
	now := p.now()
	req, v, err := p.asked(w, r, now)
	if err != nil || v.ID == "" {
		return err
	}
	page, err := p.page(r, req, v, now)
	if err != nil {
		return err
	}
	page.view = p.formView(w, r, page.words, page.T("confirm.title"))
	return p.render(w, "confirm", http.StatusOK, page, policy{})
}

// asked loads the flow of a device, and who is asked. The zero visit: the answer is
// written already.
func (p confirmationShow) asked(w http.ResponseWriter, r *http.Request, now time.Time) (request, visit, error) {
	req, err := p.requests.must(r, now)
	if err != nil {
		return request{}, visit{}, err
	}
	if !req.OfDevice() {
		return request{}, visit{}, gone(errors.New("the flow is not a device's"))
	}
	v, err := p.visit(r)
	if errors.Is(err, errNobody) || err == nil && !req.belongsTo(v) {
		req.proceed(w)
		return request{}, visit{}, nil
	}
	return req, v, err
}

func (p confirmationShow) page(r *http.Request, req request, v visit, now time.Time) (confirmationPage, error) {
	d, err := p.store.OpenDeviceRequest(r.Context(), req.DeviceID, now)
	if err != nil { // answered by somebody else, perhaps
		return confirmationPage{}, stepError(err)
	}
	code, err := p.codes.Code(d)
	if err != nil {
		return confirmationPage{}, stepError(err)
	}
	words := p.words(r, req.UILocales)
	told, err := p.permissions.tell(r.Context(), words, req.Resource, req.Scopes)
	if err != nil {
		return confirmationPage{}, err
	}
	page := confirmationPage{
		view: view{words: words}, Action: req.at("/device/confirm"), LoginAction: req.at("/login"),
		App: p.asking(req), Person: personOf(v.User), Code: code.Reveal(),
		Device: words.Device(deviceOf(d.UserAgent)), IP: oneLine(d.IP, maxName), At: words.instant(d.CreatedAt, now), May: told.All(),
	}
	page.Initial = initial(page.App.Name)
	page.Near = page.IP != "" && idp.Actor{IP: d.IP}.Network() == edge.Network(edge.ClientAddr(r))
	return page, nil
}
