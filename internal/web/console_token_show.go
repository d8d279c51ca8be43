package web

import (
	"context"
	"net/http"
	"time"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/secret"
)

// An Explainer says what a token is and whether it is good, for the issuer that this server
// is. An error: it is no token that signet knows.
type Explainer func(ctx context.Context, token secret.Text, issuer string) (TokenExplanation, error)

// TokenExplanation is what can be said of a token. Kind and Reason are English words, which
// are looked for in the catalogue; a Reason that is not there adds to the Why. Nothing of it is the token or a part of it that is secret.
type TokenExplanation struct {
	Kind      string
	Verdict   string // accepted, refused or unknown
	Bound     bool   // good, for who has its key
	Why       TokenTrouble
	Reason    string
	Issuer    string // that a JWT names
	UserID    string
	ClientID  string
	Audience  string
	Scopes    []string
	GrantID   string
	SessionID string
	IssuedAt  time.Time
	ExpiresAt time.Time
	RevokedAt time.Time
}

// A TokenTrouble is a sort of reason that stands in the catalogue.
type TokenTrouble string

// The sorts of reasons whose English words say more than a catalogue has.
const (
	TokenFits      TokenTrouble = "fits"      // none: a service would take it
	TokenMalformed TokenTrouble = "malformed" // it is not written as such tokens are
	TokenForged    TokenTrouble = "forged"    // its signature is not that of its content
	TokenUnsuited  TokenTrouble = "unsuited"  // well signed, but no service takes it
	TokenProof     TokenTrouble = "proof"     // it proves that somebody has a key, and opens nothing
	TokenUnreached TokenTrouble = "unreached" // who can tell did not answer
)

// TokenTroubles are all of them.
var TokenTroubles = []TokenTrouble{TokenFits, TokenMalformed, TokenForged, TokenUnsuited, TokenProof, TokenUnreached}

// consoleTokenShow is the form to which a token that was found is pasted.
type consoleTokenShow struct{ *Console }

// consoleTokenPage is the form, and below it what was found.
type consoleTokenPage struct {
	view
	Error string // a key of the catalogue; empty: none
	Found *consoleToken
}

// ErrorText is what is wrong with what was pasted.
func (p consoleTokenPage) ErrorText() string { return p.T(p.Error) }

// serve takes no token: in an address it would stand in histories, and in links of this page.
func (p consoleTokenShow) serve(w http.ResponseWriter, r *http.Request) error {
	if query, err := edge.Query(r); err != nil || query.Has("token") {
		return badChoice("token")
	}
	return p.tokenPage(w, http.StatusOK, consoleTokenPage{view: p.consoleView(r, "tokens", p.words(r, nil).T("console.nav.tokens"))})
}

func (c *Console) tokenPage(w http.ResponseWriter, status int, page consoleTokenPage) error {
	return c.render(w, "console/tokens", status, page, policy{})
}
