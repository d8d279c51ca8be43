package oauth

import (
	"crypto/subtle"
	"errors"
	"net/http"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/registration"
	"github.com/signet-id/signet/internal/secret"
)

// managed is a client that has shown the token of its registration.
type managed struct {
	idp.Client
	access secret.Text
}

// show is GET (RFC 7592 §2.1). It never shows the secret again (CLI-07).
func (e *registerEndpoint) show(w http.ResponseWriter, r *http.Request) error {
	c, err := e.managed(r)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, e.information(c.Client, c.access, secret.Text{}))
	return nil
}

// change is PUT (RFC 7592 §2.2): what is not in the body is as if it had never been
// registered. The token stays: a client that did not hear the answer could not go on.
func (e *registerEndpoint) change(w http.ResponseWriter, r *http.Request) error {
	now := e.now()
	c, err := e.managed(r)
	if err != nil {
		return err
	}
	d, err := readDocument(w, r)
	if err != nil {
		return err
	}
	if err := checkChange(c.Client, d); err != nil {
		return err
	}
	if d.TokenEndpointAuthMethod == "" {
		d.TokenEndpointAuthMethod = idp.AuthBasic
	}
	m, err := e.admit(r.Context(), d, c.Profile)
	if err != nil {
		return err
	}
	next := c.Client
	next.ClientMetadata = m
	if hasSecret(next) != hasSecret(c.Client) || next.Public() != c.Public() {
		return refuse(InvalidClientMetadata, "token_endpoint_auth_method cannot change between none, a secret and a key; register anew")
	}
	if c.FirstParty && m.MoreRedirects(c.ClientMetadata) { // people are asked about none of its addresses
		return refuse(InvalidRedirectURI, "redirect_uris of one of the operator's own clients are the operator's to add to")
	}
	limits := []idp.Limit{{Key: "register.change:" + c.ID, Max: changesPerClient, Window: registrationsWindow}}
	if err := tooMany(countWithin(r.Context(), e.store, limits, now)); err != nil {
		return err
	}
	if err := e.checkSector(r.Context(), m); err != nil {
		return err
	}
	if err := e.keys.NeedFor(r.Context(), m, now); err != nil {
		return err
	}
	err = e.store.ChangeRegisteredClient(r.Context(), edge.Actor(r, "client", c.ID), c.ID, c.RegistrationHash, m, now)
	switch {
	case errors.Is(err, idp.ErrNotFound): // disabled or deleted at this very moment
		return badRegistrationToken(err)
	case errors.Is(err, idp.ErrConsumed), errors.Is(err, idp.ErrDenied): // or changed by an operator
		return &Error{Code: InvalidClientMetadata, Description: "the registration was changed meanwhile; read it again", Cause: err}
	case err != nil:
		return err
	}
	m.FirstParty, m.Origins, m.Resources, m.ResponseModes = c.FirstParty, c.Origins, c.Resources, c.ResponseModes // the operator's
	next.ClientMetadata = m
	writeJSON(w, http.StatusOK, e.information(next, c.access, secret.Text{}))
	return nil
}

// checkChange: a client names itself, and does not choose what the server does (§2.2).
func checkChange(c idp.Client, d registration.Document) error {
	if d.ClientID != c.ID {
		return refuse(InvalidClientMetadata, "client_id is missing, or another client's")
	}
	if d.ServersOwn() {
		return refuse(InvalidClientMetadata, "registration_access_token, registration_client_uri, client_secret_expires_at and client_id_issued_at must not be sent")
	}
	if given, sent := d.Secret(); sent {
		hash := secret.Hash("client_secret", given)
		if !hasSecret(c) || subtle.ConstantTimeCompare(hash[:], c.SecretHash[:]) != 1 {
			return refuse(InvalidClientMetadata, "client_secret is not the present one, and a client cannot choose another")
		}
	}
	return nil
}

// remove is DELETE (RFC 7592 §2.3). Tokens, grants and consents end with the client.
func (e *registerEndpoint) remove(w http.ResponseWriter, r *http.Request) error {
	c, err := e.managed(r)
	if err != nil {
		return err
	}
	err = e.store.RemoveRegisteredClient(r.Context(), edge.Actor(r, "client", c.ID), c.ID, c.RegistrationHash, e.now())
	if errors.Is(err, idp.ErrNotFound) {
		return badRegistrationToken(err)
	}
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// errSwitchedOff: an operator has disabled the client, and only an operator enables it (CLI-04).
var errSwitchedOff = &registerError{status: http.StatusForbidden, answer: &Error{
	Code: AccessDenied, Description: "the client is disabled", Cause: idp.ErrDenied,
}}

// managed finds the client that a token was made for, which must be the one of the address:
// a token is good for its client alone. It is asked in the database itself, and all that
// does not fit is the same answer.
func (e *registerEndpoint) managed(r *http.Request) (managed, error) {
	given, err := bearerHeader(r)
	if err != nil {
		return managed{}, err
	}
	access, _, err := secret.Parse(secret.Management, given)
	if err != nil {
		return managed{}, badRegistrationToken(err)
	}
	hash := secret.Hash(purposeManagement, access)
	c, err := e.store.Client(r.Context(), r.PathValue("client"))
	if err != nil && !errors.Is(err, idp.ErrNotFound) {
		return managed{}, err
	}
	if err != nil || c.Origin != idp.OriginRegistered || subtle.ConstantTimeCompare(hash[:], c.RegistrationHash[:]) != 1 {
		return managed{}, badRegistrationToken(idp.ErrNotFound)
	}
	if c.Disabled() {
		return managed{}, errSwitchedOff
	}
	return managed{c, access}, nil
}
