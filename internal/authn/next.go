package authn

import (
	"slices"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// StepKind is what has to happen next to an authorization request.
type StepKind string

// The steps. StepDone: nothing is left to ask; StepError: the request ends with Step.Error.
const (
	StepLogin         StepKind = "login"
	StepSelectAccount StepKind = "select_account"
	StepConfirm       StepKind = "confirm"
	StepConsent       StepKind = "consent"
	StepDone          StepKind = "done"
	StepError         StepKind = "error"
)

// Step is the answer of Next. Error is a code of OpenID Connect Core §3.1.2.6 or
// RFC 6749 §4.1.2.1, set with StepError only. Consented says of StepDone that it rests on
// what the person has consented to.
type Step struct {
	Kind      StepKind
	Error     string
	Consented bool
}

// Next decides the next step of an authorization request. It is the only place that
// does: pages record what a person did in the request and come back here.
//
// sess is the browser's session now, nil if nobody is logged in; consent is what its
// user has said yes to for this client and resource, nil if nothing. Whatever the
// request records counts only for the session that did it.
func Next(req idp.AuthRequest, sess *idp.Session, client idp.Client, consent *idp.Consent, now time.Time) Step {
	if !req.DeniedAt.IsZero() {
		return Step{Kind: StepError, Error: "access_denied"}
	}
	p := progress{req: req, client: client, consent: consent, now: now}
	if sess != nil && now.Before(sess.ExpiresAt) && now.Before(sess.IdleExpiresAt) {
		p.sess = sess
	}
	for _, s := range steps {
		switch {
		case !s.needed(p):
			continue
		case req.Prompted("none"): // OpenID Connect Core §3.1.2.1: never a page
			return Step{Kind: StepError, Error: s.refusal}
		case s.kind == StepLogin && p.loggedIn() && p.stranger():
			// §3.1.2.2: somebody else logged in than the hint names; asking again would go on for ever.
			return Step{Kind: StepError, Error: "login_required"}
		case s.kind == StepLogin && p.loggedIn() && p.tooWeak():
			// RFC 9470 §5: nothing better is to be had, so the client must hear of it.
			return Step{Kind: StepError, Error: "unmet_authentication_requirements"}
		}
		return Step{Kind: s.kind}
	}
	return Step{Kind: StepDone, Consented: p.asksConsent()}
}

// steps in the order in which they are taken. refusal is the answer to prompt=none.
var steps = [...]struct {
	kind    StepKind
	needed  func(progress) bool
	refusal string
}{
	{StepLogin, progress.needsLogin, "login_required"},
	{StepSelectAccount, progress.needsSelection, "account_selection_required"},
	{StepConfirm, progress.needsConfirmation, "interaction_required"},
	{StepConsent, progress.needsConsent, "consent_required"},
}

// progress is how far a request came.
type progress struct {
	req     idp.AuthRequest
	sess    *idp.Session // nil: nobody is logged in
	client  idp.Client
	consent *idp.Consent
	now     time.Time
}

// here reports whether what the request records was done by the present session.
func (p progress) here() bool { return p.sess != nil && p.req.SessionID == p.sess.ID }

// loggedIn reports whether the person proved who they are within this request.
func (p progress) loggedIn() bool {
	return p.here() && !p.req.LoginAt.IsZero() && !p.req.LoginAt.Before(p.req.CreatedAt) &&
		!p.sess.AuthTime.Before(p.req.CreatedAt)
}

// tooWeak reports whether the login is worth less than was asked for.
func (p progress) tooWeak() bool {
	return len(p.req.ACR) > 0 && !idp.MeetsACR(p.sess.ACR, p.req.ACR)
}

// stranger reports whether the client asks for somebody else.
func (p progress) stranger() bool { return p.req.Subject != "" && p.req.Subject != p.sess.UserID }

func (p progress) needsLogin() bool {
	switch {
	case p.sess == nil, p.stranger(), p.tooWeak():
		return true
	case p.loggedIn():
		return false
	case p.req.Prompted("login"), p.req.MaxAge == 0: // §3.1.2.1: the same thing
		return true
	}
	return p.req.MaxAge > 0 && p.now.Sub(p.sess.AuthTime) > p.req.MaxAge
}

// needsSelection: whoever typed a name within this request has chosen already. A request
// that one session went on with is not finished by another one unasked: the person
// may have switched accounts in another tab.
func (p progress) needsSelection() bool {
	chosen := p.loggedIn() || p.here() && !p.req.SelectedAt.IsZero()
	switched := p.req.SessionID != "" && !p.here()
	return switched || p.req.Prompted("select_account") && !chosen
}

// needsConfirmation (OAU-18, RFC 10027 §6.1.14): whoever is asked for a device says each
// time, after the last login, that they began it, whoever's app it is and whatever they
// consented to before: the code may have come from a stranger.
func (p progress) needsConfirmation() bool {
	confirmed := p.here() && p.req.ConfirmedBy == p.sess.ID && !p.req.ConfirmedAt.IsZero() && !p.req.ConfirmedAt.Before(p.req.LoginAt)
	return p.req.OfDevice() && !confirmed
}

// needsConsent (OAU-16): our own apps need none. For others what was said before counts,
// if it covers all that is asked for now. A person is asked again when the client wants
// that, and when it cannot be told who the client is: a port of this computer or a
// scheme of the app's own is anybody's (RFC 8252 §8.6).
func (p progress) needsConsent() bool {
	return p.asksConsent() && (!p.covered() || p.asksAnew() && !p.consented())
}

// asksConsent reports whether nothing goes without a consent.
func (p progress) asksConsent() bool { return !p.client.FirstParty || p.asksAnew() }

// asksAnew reports whether an older consent is not enough.
func (p progress) asksAnew() bool {
	return p.req.Prompted("consent") || !p.req.OfDevice() && unassured(p.client, p.req.RedirectURI) // a device's is confirmed each time
}

// consented reports whether the person said yes within this request, after the last
// login: a yes from before it was somebody else's.
func (p progress) consented() bool {
	return p.here() && !p.req.ConsentedAt.IsZero() && !p.req.ConsentedAt.Before(p.req.LoginAt)
}

func (p progress) covered() bool {
	c := p.consent
	if c == nil || c.UserID != p.sess.UserID || c.ClientID != p.client.ID || c.Resource != p.req.Resource {
		return false
	}
	for _, scope := range p.req.Permissions() {
		if !slices.Contains(c.Scopes, scope) {
			return false
		}
	}
	return true
}

func unassured(c idp.Client, redirectURI string) bool {
	if c.Origin == idp.OriginDocument { // what it says of itself may be another thing each day
		return true
	}
	return c.Public() && (c.Native() || c.Unverified()) && !strings.HasPrefix(redirectURI, "https://")
}
