package admin

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/registration"
	"github.com/signet-id/signet/verify/jose"
)

// Resource is a service that accepts tokens. Its id stands in the path of a request.
type Resource struct {
	ID                  string      `json:"id"`
	Name                string      `json:"name"`
	TokenFormat         string      `json:"token_format"`                    // "jwt"
	Alg                 string      `json:"alg"`                             // EdDSA, ES256, RS256, PS256, ML-DSA-44, ML-DSA-65 or ML-DSA-87
	AccessTokenLifetime int64       `json:"access_token_lifetime,omitempty"` // seconds; 0: the server's default
	Scopes              []idp.Scope `json:"scopes"`
}

const (
	minLifetime = time.Minute
	maxLifetime = time.Hour // what revocation rules outlive
)

type resourceStore interface {
	PutResource(ctx context.Context, by idp.Actor, r idp.Resource, now time.Time) error
	Resources(ctx context.Context) ([]idp.Resource, error)
	DeleteResource(ctx context.Context, by idp.Actor, id string, now time.Time) error
}

type resources struct {
	store    resourceStore
	ring     Keyring
	issuer   string
	now      func() time.Time
	changing *sync.Mutex // held from reading what is to be changed until it is written
}

func (e resources) list(w http.ResponseWriter, r *http.Request) error {
	found, err := e.store.Resources(r.Context())
	if err != nil {
		return err
	}
	answer := make([]Resource, 0, len(found))
	for _, res := range found {
		answer = append(answer, resourceAnswer(res))
	}
	return writeJSON(w, http.StatusOK, answer)
}

// put adds a resource or replaces one.
func (e resources) put(w http.ResponseWriter, r *http.Request) error {
	var req Resource
	if err := readJSON(r, &req); err != nil {
		return err
	}
	id := r.PathValue("resource")
	if req.ID != "" && req.ID != id {
		return invalid("id is another than in the path")
	}
	res := idp.Resource{
		ID: id, Name: req.Name, TokenFormat: req.TokenFormat, Alg: req.Alg,
		AccessTokenLifetime: time.Duration(req.AccessTokenLifetime) * time.Second, Scopes: req.Scopes,
	}
	if res.TokenFormat == "" {
		res.TokenFormat = "jwt"
	}
	if res.Alg == "" {
		res.Alg = "EdDSA"
	}
	if req.AccessTokenLifetime < 0 || req.AccessTokenLifetime > int64(maxLifetime/time.Second) ||
		req.AccessTokenLifetime != 0 && res.AccessTokenLifetime < minLifetime {
		return invalid("access_token_lifetime is not 0 or from %.0f to %.0f seconds", minLifetime.Seconds(), maxLifetime.Seconds())
	}
	if err := e.check(res); err != nil {
		return err
	}
	e.changing.Lock()
	defer e.changing.Unlock()
	if err := e.unmistakable(r.Context(), res); err != nil {
		return err
	}
	if err := e.ring.Need(r.Context(), jose.Algorithm(res.Alg), e.now()); err != nil {
		return err
	}
	if err := e.store.PutResource(r.Context(), operator(r), res, e.now()); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, resourceAnswer(res))
}

func (e resources) remove(w http.ResponseWriter, r *http.Request) error {
	e.changing.Lock()
	defer e.changing.Unlock()
	id := r.PathValue("resource")
	if err := e.store.DeleteResource(r.Context(), operator(r), id, e.now()); err != nil {
		return named("resource", id, err)
	}
	return done(w)
}

// unmistakable: a scope has one owner, and two ids that differ by a slash at the end would
// be one to those who forgive it.
func (e resources) unmistakable(ctx context.Context, res idp.Resource) error {
	all, err := e.store.Resources(ctx)
	if err != nil {
		return err
	}
	owners := map[string]string{}
	for _, other := range all {
		if other.ID == res.ID {
			continue
		}
		if strings.TrimRight(other.ID, "/") == strings.TrimRight(res.ID, "/") {
			return &Error{Status: http.StatusConflict, Code: "exists", Message: fmt.Sprintf("the resource %[1]s has this id but for the slash at the end; see it with: signet resource show %[1]s", other.ID)}
		}
		for _, s := range other.Scopes {
			owners[s.Name] = other.ID
		}
	}
	for _, s := range res.Scopes {
		if owner := owners[s.Name]; owner != "" {
			return &Error{Status: http.StatusConflict, Code: "exists", Message: fmt.Sprintf("scope %q belongs to the resource %s already; choose another name", s.Name, owner)}
		}
	}
	return nil
}

// scopeName is RFC 6749 §3.3 without what shells and logs stumble over.
var (
	scopeName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._:/-]{0,99}$`)
	language  = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)
)

func (e resources) check(res idp.Resource) error {
	if err := e.checkID(res.ID); err != nil {
		return err
	}
	if res.Name == "" || !registration.PlainText(res.Name, 80) {
		return invalid("name is what people read: give one, of at most 80 bytes that can be seen")
	}
	if res.TokenFormat != "jwt" {
		return invalid("token_format is not jwt; others are not supported in this version")
	}
	switch res.Alg {
	case "EdDSA", "ES256", "RS256", "PS256", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87":
	default:
		return invalid("alg is none of EdDSA, ES256, RS256, PS256, ML-DSA-44, ML-DSA-65, ML-DSA-87")
	}
	if len(res.Scopes) == 0 || len(res.Scopes) > registration.MaxScopes {
		return invalid("scopes must have from 1 to %d elements", registration.MaxScopes)
	}
	seen := map[string]bool{}
	for _, s := range idp.IssuerScopes {
		seen[s] = true
	}
	for i, s := range res.Scopes {
		switch {
		case !scopeName.MatchString(s.Name):
			return invalid("scopes[%d].name must be letters, digits and . _ : / -, at most 100", i)
		case seen[s.Name]:
			return invalid("scopes[%d].name stands there twice, or belongs to signet itself", i)
		case s.Title["en"] == "":
			return invalid("scopes[%d].title.en is missing: people consent to these words", i)
		}
		seen[s.Name] = true
		for _, texts := range []map[string]string{s.Title, s.Detail} {
			for lang, text := range texts {
				if !language.MatchString(lang) || text == "" || !registration.PlainText(text, maxText) {
					return invalid("scopes[%d] has a text without words, in no language, or longer than %d bytes", i, maxText)
				}
			}
		}
	}
	return nil
}

// checkID accepts an audience (RFC 8707 §2): an absolute URI without fragment and query,
// that is not this server's own. Tokens for signet itself must never be for anybody else.
func (e resources) checkID(id string) error {
	u, err := registration.ParseWebURI(id)
	if err != nil {
		return invalid("the resource's id %s", err)
	}
	if u.RawQuery != "" || u.ForceQuery {
		return invalid("the resource's id has a query")
	}
	if id == e.issuer || strings.HasPrefix(id, e.issuer+"/") {
		return invalid("the resource's id is signet's own address")
	}
	return nil
}

func resourceAnswer(r idp.Resource) Resource {
	return Resource{
		ID: r.ID, Name: r.Name, TokenFormat: r.TokenFormat, Alg: r.Alg,
		AccessTokenLifetime: int64(r.AccessTokenLifetime / time.Second), Scopes: r.Scopes,
	}
}
