package oauth

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

// clientDirectory finds clients, disabled ones included.
type clientDirectory interface {
	Client(ctx context.Context, id string) (idp.Client, error)
}

// auditStore records refusals that come with no change, as many as the limits allow.
type auditStore interface {
	LimitReached(ctx context.Context, limits []idp.Limit, now time.Time) (bool, error)
	CountAttempt(ctx context.Context, limits []idp.Limit, now time.Time) (time.Duration, error)
	Audit(ctx context.Context, e idp.Event) error
}

// clientAuthStore is what client authentication needs of the database.
type clientAuthStore interface {
	auditStore
	clientDirectory
	assertionStore
}

// clientAuth finds out which client asks (RFC 6749 §2.3): by client_secret_basic,
// client_secret_post, private_key_jwt, or, for public clients, by its name alone.
type clientAuth struct {
	directory  clientDirectory
	store      clientAuthStore
	assertions assertions
	horizon    func(clientID string) time.Time // revocation.Hub.NotBefore
	now        func() time.Time
}

// authenticated is a client that has proven itself. notBefore is the time that its new
// tokens must be dated after: as it was known before the client was looked at.
type authenticated struct {
	idp.Client
	notBefore time.Time
}

// credentials are what a request brings to prove its client.
type credentials struct {
	id        string
	secret    secret.Text
	assertion string
	method    idp.AuthMethod
}

var (
	errNoClient   = refuse(InvalidClient, "client authentication is required")
	errTwoMethods = refuse(InvalidRequest, "more than one client authentication method")
	errBadBasic   = refuse(InvalidClient, "the Authorization header is not a well-formed Basic one")
)

// authenticate returns the client. Unknown, disabled, wrong secret, wrong method: the
// same answer after the same work (CLI-03).
func (a *clientAuth) authenticate(r *http.Request, form url.Values) (authenticated, error) {
	given, err := presented(r.Header, form)
	if err != nil {
		return authenticated{}, err
	}
	hash := secret.Hash("client_secret", given.secret) // also when there is nobody to compare with
	notBefore := a.horizon(given.id)
	c, err := a.client(r.Context(), given.id, notBefore)
	if err != nil && !errors.Is(err, idp.ErrNotFound) {
		return authenticated{}, err
	}
	equal := subtle.ConstantTimeCompare(hash[:], c.SecretHash[:]) == 1
	bySecret := equal && c.TokenEndpointAuthMethod.Secret()
	switch {
	case err != nil || c.Disabled() || given.method != c.TokenEndpointAuthMethod:
		return authenticated{}, a.failed(r, c, whyNot(given, c))
	case given.method == idp.AuthPrivateKeyJWT:
		err := a.assertions.check(r.Context(), c, given.assertion, a.now())
		if errors.Is(err, errAssertion) {
			return authenticated{}, a.failed(r, c, err)
		}
		if err != nil {
			return authenticated{}, err
		}
	case !bySecret && !c.Public(): // who has no secret proves nothing, by method "none" alone
		return authenticated{}, a.failed(r, c, fmt.Errorf("client %q sent a wrong secret: %w", c.ID, idp.ErrDenied))
	}
	return authenticated{c, notBefore}, nil
}

// whyNot tells our log, and nobody else, what an operator has to correct. c is zero if there
// is no such client.
func whyNot(given credentials, c idp.Client) error {
	switch {
	case c.ID == "":
		return fmt.Errorf("there is no client %.64q: %w", given.id, idp.ErrDenied)
	case c.Disabled():
		return fmt.Errorf("client %q is disabled: %w", c.ID, idp.ErrDenied)
	}
	return fmt.Errorf("client %q is registered for %s, and came with %s: %w", c.ID, c.TokenEndpointAuthMethod, given.method, idp.ErrDenied)
}

// client looks a client up; in the database itself, if it was just revoked something:
// another node may have disabled it, which our memory need not know yet.
func (a *clientAuth) client(ctx context.Context, id string, notBefore time.Time) (idp.Client, error) {
	if !notBefore.IsZero() {
		c, err := a.store.Client(ctx, id)
		if err == nil && c.Origin == idp.OriginDocument { // also whether documents count at all
			_, err = a.directory.Client(ctx, id)
		}
		return c, err
	}
	return a.directory.Client(ctx, id)
}

// failed leaves a trace and says nothing more; why is for our log. c is zero if there is no
// such client.
func (a *clientAuth) failed(r *http.Request, c idp.Client, why error) error {
	now := a.now()
	room, err := a.mayRecord(r, now)
	if err == nil && room {
		err = a.store.Audit(r.Context(), idp.Event{
			At: now, Actor: edge.Actor(r, "anonymous", ""), Action: "client.authenticate", Target: c.ID, ClientID: c.ID,
			Result: "refused", Reason: "unknown or disabled client, or wrong secret, assertion or method",
		})
	}
	if err != nil {
		return err
	}
	return &Error{Code: InvalidClient, Description: "client authentication failed", Cause: why}
}

// Audit rows of refused clients (DOS-03). Everybody can cause them: none may fill the log
// or keep the database's writer busy. Known and unknown clients share them (CLI-03).
const (
	refusalsPerNetwork = 60
	refusalsInAll      = 6000
	refusalsWindow     = time.Hour
)

// mayRecord counts a refusal, and says no without waiting for the writer when its network
// has had its share.
func (a *clientAuth) mayRecord(r *http.Request, now time.Time) (bool, error) {
	limits := []idp.Limit{
		{Key: "audit.client:" + edge.Network(edge.ClientAddr(r)), Max: refusalsPerNetwork, Window: refusalsWindow},
		{Key: "audit.client", Max: refusalsInAll, Window: refusalsWindow},
	}
	full, err := a.store.LimitReached(r.Context(), limits, now)
	if err != nil || full {
		return false, err
	}
	wait, err := a.store.CountAttempt(r.Context(), limits, now)
	return wait == 0, err
}

// presented takes the credentials out of the request: exactly one method, never the
// query (RFC 6749 §2.3, §2.3.1).
func presented(h http.Header, form url.Values) (credentials, error) {
	lines := h.Values("Authorization")
	if len(lines) > 1 {
		return credentials{}, errTwoMethods
	}
	hasSecret := form.Get("client_secret") != "" // RFC 6749 §3.2: empty is omitted
	if form.Get("client_assertion") != "" || form.Get("client_assertion_type") != "" {
		if hasSecret || len(lines) > 0 {
			return credentials{}, errTwoMethods
		}
		return fromAssertion(form)
	}
	if len(lines) == 0 {
		return fromForm(form, hasSecret)
	}
	if hasSecret {
		return credentials{}, errTwoMethods
	}
	given, err := fromBasic(lines[0])
	if err != nil {
		return credentials{}, err
	}
	// A name in the body is no second method, if it is the same one.
	if id := form.Get("client_id"); id != "" && id != given.id {
		return credentials{}, refuse(InvalidRequest, "client_id differs from the authenticated client")
	}
	return given, nil
}

func fromForm(form url.Values, hasSecret bool) (credentials, error) {
	given := credentials{id: form.Get("client_id"), method: idp.AuthNone}
	if given.id == "" || len(given.id) > maxClientID {
		return credentials{}, errNoClient
	}
	if hasSecret {
		given.secret, given.method = secret.NewText(form.Get("client_secret")), idp.AuthPost
	}
	return given, nil
}

// maxClientID bounds what is looked up.
const maxClientID = 256

// fromBasic reads "Basic base64(id:secret)" with both parts form-encoded (RFC 6749
// §2.3.1, RFC 7617 §2).
func fromBasic(line string) (credentials, error) {
	scheme, value, _ := strings.Cut(line, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return credentials{}, refuse(InvalidClient, "the Authorization header must be Basic")
	}
	if len(value) > maxBasic || strings.ContainsAny(value, "\r\n") { // which the decoder would skip
		return credentials{}, errBadBasic
	}
	pair, err := base64.StdEncoding.Strict().DecodeString(strings.TrimLeft(value, " "))
	if err != nil {
		return credentials{}, errBadBasic
	}
	rawID, rawSecret, ok := strings.Cut(string(pair), ":")
	id, err1 := url.QueryUnescape(rawID)
	key, err2 := url.QueryUnescape(rawSecret)
	if !ok || err1 != nil || err2 != nil || id == "" || len(id) > maxClientID {
		return credentials{}, errBadBasic
	}
	return credentials{id: id, secret: secret.NewText(key), method: idp.AuthBasic}, nil
}

const maxBasic = 4 << 10
