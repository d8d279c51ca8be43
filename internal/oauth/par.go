package oauth

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

const (
	// parPath is the endpoint below the issuer.
	parPath = "/par"
	// pushedPrefix begins the names of pushed requests (RFC 9126 §2.2).
	pushedPrefix = "urn:ietf:params:oauth:request_uri:"
	// pushedLifetime is how long a browser may come with one.
	pushedLifetime = time.Minute
	// maxPushForm is more than any request has, a request object included.
	maxPushForm = 32 << 10
	// pushesPerClient is how many networks' worth of requests a confidential client may
	// have waiting: its people come from many.
	pushesPerClient = 10
)

// parStore is what pushing needs of the database.
type parStore interface {
	CreatePushedRequest(ctx context.Context, p idp.PushedRequest, owner string, perOwner, total int, now time.Time) error
}

// parEndpoint is POST /par (RFC 9126): a client brings its authorization request itself,
// with its proof, and a browser then carries only the name of it. All checks of
// /authorize are made here.
type parEndpoint struct {
	json    jsonErrors
	clients *clientAuth
	proofs  *proofs
	checks  *requestChecks
	store   parStore
	cors    crossOrigin
	quotas  Quotas
	now     func() time.Time
}

// pushed is RFC 9126 §2.2.
type pushed struct {
	RequestURI string `json:"request_uri"`
	ExpiresIn  int64  `json:"expires_in"`
}

func (e *parEndpoint) serve(w http.ResponseWriter, r *http.Request) error {
	e.cors.vary(w)
	form, err := edge.Form(w, r, maxPushForm)
	if err != nil {
		return formError(err)
	}
	c, err := e.clients.authenticate(r, form)
	if err != nil {
		return err
	}
	e.cors.allow(w, r, c.Client)
	if form.Get("request_uri") != "" { // RFC 9126 §2.1
		return refuse(InvalidRequest, "a pushed request has no request_uri")
	}
	now := e.now()
	key, err := e.proofs.ofClient(w, r, parPath, c.Client, now)
	if err != nil {
		return err
	}
	asked, err := e.checks.run(r.Context(), asking{client: c.Client, key: key, pushed: true}, form, now)
	if err != nil {
		return pushError(err)
	}
	name := secret.New(secret.Pushed)
	p := idp.PushedRequest{
		Hash: secret.Hash("pushed_request", name), ClientID: c.ID, Request: asked.req, ExpiresAt: now.Add(pushedLifetime),
	}
	owner, perOwner, total := e.owner(r, c.Client)
	err = e.store.CreatePushedRequest(r.Context(), p, owner, perOwner, total, now)
	if errors.Is(err, idp.ErrLimited) {
		return &Error{Code: TemporarilyUnavailable, Description: "too many requests were pushed and not used", Cause: err}
	}
	if err != nil {
		return err
	}
	// After the quota: whoever names a public client can prove some key, and is to take no
	// more places for proofs than for requests. Of a row whose name nobody hears nothing comes.
	if err := e.proofs.use(r.Context(), key, now); err != nil {
		return err
	}
	writeJSON(w, http.StatusCreated, pushed{pushedPrefix + name.Reveal(), int64(pushedLifetime / time.Second)})
	return nil
}

// owner is whose quota a request counts against (DOS-03). Who is only named by a request,
// like a public client, must not be kept out by strangers: there it is the network. So it
// is for clients that registered themselves: everybody can have as many of those, with
// their secrets, as he likes. And strangers leave half of the table to all others.
func (e *parEndpoint) owner(r *http.Request, c idp.Client) (owner string, perOwner, total int) {
	if !c.Public() && !c.Unverified() {
		return "client:" + c.ID, pushesPerClient * e.quotas.PerNetwork, e.quotas.Total
	}
	network := edge.Network(edge.ClientAddr(r))
	if site := idp.Site(network); site != "" {
		network = site
	}
	return "network:" + network, e.quotas.PerNetwork, e.quotas.Total / 2
}

// refuse: RFC 9126 §2.3 has a status for what is too large.
func (e *parEndpoint) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, edge.ErrTooLarge) {
		e.json.writeStatus(w, http.StatusRequestEntityTooLarge, asError(err))
		return
	}
	e.json.write(w, r, err)
}

// pushError tells the client itself what a browser's person would have read.
func pushError(err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if _, ok := errors.AsType[*pageError](err); ok {
		return &Error{Code: InvalidRequest, Description: "redirect_uri is missing or not registered", Cause: err}
	}
	return err
}

// pushedHash finds the row that a name stands for.
func pushedHash(uri string) ([32]byte, error) {
	name, _, err := secret.Parse(secret.Pushed, strings.TrimPrefix(uri, pushedPrefix))
	if err != nil {
		return [32]byte{}, err
	}
	return secret.Hash("pushed_request", name), nil
}
