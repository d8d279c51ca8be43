package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/registration"
	"github.com/signet-id/signet/internal/secret"
)

// Client is a client as the API shows it: never its secret.
type Client struct {
	ID         string    `json:"client_id"`
	DisabledAt time.Time `json:"disabled_at,omitzero"`
	CreatedAt  time.Time `json:"created_at"`
	Origin     string    `json:"origin"`                // "operator", "registered" or "document"
	LastUsedAt time.Time `json:"last_used_at,omitzero"` // of the last two, to the day
	idp.ClientMetadata
}

// ClientWithSecret is the answer when a secret was made: the one time it is shown (CLI-07).
type ClientWithSecret struct {
	Client
	Secret string `json:"client_secret,omitempty"` // empty for public clients
}

// NewClient asks for a client. An empty id gets a random one.
type NewClient struct {
	ID string `json:"client_id,omitempty"`
	idp.ClientMetadata
}

type clientStore interface {
	PutClient(ctx context.Context, by idp.Actor, c idp.Client, now time.Time) error
	Client(ctx context.Context, id string) (idp.Client, error)
	Clients(ctx context.Context) ([]idp.Client, error)
}

// clientStateStore changes whether a client may ask.
type clientStateStore interface {
	DisableClient(ctx context.Context, by idp.Actor, id string, now time.Time) error
	EnableClient(ctx context.Context, by idp.Actor, id string, now time.Time) error
	DeleteClient(ctx context.Context, by idp.Actor, id string, now time.Time) error
}

type clients struct {
	store     clientStore
	state     clientStateStore
	resources resourceStore
	ring      Keyring
	now       func() time.Time
	changing  *sync.Mutex // held from reading what is to be changed until it is written
}

func (e clients) list(w http.ResponseWriter, r *http.Request) error {
	found, err := e.store.Clients(r.Context())
	if err != nil {
		return err
	}
	answer := make([]Client, 0, len(found))
	for _, c := range found {
		answer = append(answer, clientAnswer(c))
	}
	return writeJSON(w, http.StatusOK, answer)
}

func (e clients) show(w http.ResponseWriter, r *http.Request) error {
	c, err := e.find(r)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, clientAnswer(c))
}

func (e clients) create(w http.ResponseWriter, r *http.Request) error {
	var req NewClient
	if err := readJSON(r, &req); err != nil {
		return err
	}
	now := e.now()
	c := idp.Client{ID: req.ID, CreatedAt: now, ClientMetadata: registration.WithDefaults(req.ClientMetadata)}
	c.JWKS = withoutNull(c.JWKS)
	if c.ID == "" {
		c.ID = "c-" + strings.ToLower(secret.ID())
	}
	if err := registration.CheckID(c.ID); err != nil {
		return err
	}
	e.changing.Lock()
	defer e.changing.Unlock()
	if err := e.check(r.Context(), c.ClientMetadata); err != nil {
		return err
	}
	switch _, err := e.store.Client(r.Context(), c.ID); {
	case err == nil:
		return idTaken("client %q already exists; choose another id, or see it with: signet client show %[1]s", c.ID, idp.ErrExists)
	case !errors.Is(err, idp.ErrNotFound):
		return err
	}
	if err := e.ring.NeedFor(r.Context(), c.ClientMetadata, now); err != nil {
		return err
	}
	shown := giveSecret(&c)
	if err := e.store.PutClient(r.Context(), operator(r), c, now); err != nil {
		return idTaken("client %q existed once, or somebody else has this id, and ids never come back; choose another", c.ID, err)
	}
	return writeJSON(w, http.StatusCreated, ClientWithSecret{clientAnswer(c), shown.Reveal()})
}

// update changes the members that the body has and keeps the others.
func (e clients) update(w http.ResponseWriter, r *http.Request) error {
	e.changing.Lock()
	defer e.changing.Unlock()
	c, err := e.find(r)
	if err != nil {
		return err
	}
	if c.Origin == idp.OriginDocument {
		return invalid("the client is what the document at its id says; disable it if it shall not be")
	}
	public := c.Public()
	if err := readJSON(r, &c.ClientMetadata); err != nil {
		return err
	}
	c.JWKS = withoutNull(c.JWKS)
	if c.Public() != public {
		return invalid("token_endpoint_auth_method cannot change to or from none; add a new client")
	}
	if err := e.check(r.Context(), c.ClientMetadata); err != nil {
		return err
	}
	if err := e.ring.NeedFor(r.Context(), c.ClientMetadata, e.now()); err != nil {
		return err
	}
	var shown secret.Text
	switch hasOne := c.SecretHash != [32]byte{}; {
	case !c.TokenEndpointAuthMethod.Secret():
		c.SecretHash = [32]byte{} // nobody may prove himself by what is not asked for any more
	case !hasOne:
		shown = giveSecret(&c)
	}
	if err := e.store.PutClient(r.Context(), operator(r), c, e.now()); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, ClientWithSecret{clientAnswer(c), shown.Reveal()})
}

// newSecret replaces the secret; the old one is dead at once.
func (e clients) newSecret(w http.ResponseWriter, r *http.Request) error {
	e.changing.Lock()
	defer e.changing.Unlock()
	c, err := e.find(r)
	if err != nil {
		return err
	}
	if !c.TokenEndpointAuthMethod.Secret() {
		return invalid("a client with token_endpoint_auth_method %s has no secret", c.TokenEndpointAuthMethod)
	}
	shown := giveSecret(&c)
	if err := e.store.PutClient(r.Context(), operator(r), c, e.now()); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, ClientWithSecret{clientAnswer(c), shown.Reveal()})
}

func (e clients) disable(w http.ResponseWriter, r *http.Request) error {
	return e.change(w, r, e.state.DisableClient)
}

func (e clients) enable(w http.ResponseWriter, r *http.Request) error {
	return e.change(w, r, e.state.EnableClient)
}

func (e clients) remove(w http.ResponseWriter, r *http.Request) error {
	return e.change(w, r, e.state.DeleteClient)
}

func (e clients) change(w http.ResponseWriter, r *http.Request, verb func(context.Context, idp.Actor, string, time.Time) error) error {
	e.changing.Lock() // or an update that has read the client would bring a deleted one back
	defer e.changing.Unlock()
	id := r.PathValue("client")
	if err := verb(r.Context(), operator(r), id, e.now()); err != nil {
		return named("client", id, err)
	}
	return done(w)
}

func (e clients) find(r *http.Request) (idp.Client, error) {
	id := r.PathValue("client")
	c, err := e.store.Client(r.Context(), id)
	return c, named("client", id, err)
}

// idTaken says which id it is that cannot be had.
func idTaken(format, id string, err error) error {
	if !errors.Is(err, idp.ErrExists) {
		return err
	}
	return &Error{Status: http.StatusConflict, Code: "exists", Message: fmt.Sprintf(format, id), Cause: err}
}

// check asks what the rules and the known scopes say of a client.
func (e clients) check(ctx context.Context, m idp.ClientMetadata) error {
	resources, err := e.resources.Resources(ctx)
	if err != nil {
		return err
	}
	if err := registration.CheckServes(m, resources); err != nil {
		return err
	}
	known := registration.KnownScopes(resources)
	err = registration.Check(m, known)
	if e, ok := errors.AsType[*registration.Unacceptable](err); ok && e.Member() == "scopes" {
		return nameScope(m.Scopes, known, err)
	}
	return err
}

// nameScope: the rule says to a stranger which place in the list is wrong; who has the
// socket may read the name as well.
func nameScope(scopes []string, known map[string]bool, err error) error {
	for i, s := range scopes {
		switch {
		case !known[s]:
			return invalid("scope %.100q belongs to no resource; add its resource first, or see which there are with: signet resource list", s)
		case slices.Contains(scopes[:i], s):
			return invalid("scope %.100q stands there twice", s)
		}
	}
	return err
}

// withoutNull: null takes a value away.
func withoutNull(doc json.RawMessage) json.RawMessage {
	if string(doc) == "null" {
		return nil
	}
	return doc
}

// giveSecret makes a secret for a client that proves itself by one, and returns it.
func giveSecret(c *idp.Client) secret.Text {
	if !c.TokenEndpointAuthMethod.Secret() {
		return secret.Text{}
	}
	s := secret.New(secret.ClientSecret)
	c.SecretHash = secret.Hash("client_secret", s)
	return s
}

func clientAnswer(c idp.Client) Client {
	return Client{
		ID: c.ID, DisabledAt: c.DisabledAt, CreatedAt: c.CreatedAt, Origin: cmp.Or(string(c.Origin), "operator"), LastUsedAt: c.LastUsedAt,
		ClientMetadata: c.ClientMetadata,
	}
}
