package oauth

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/outbound"
	"github.com/signet-id/signet/internal/registration"
	"github.com/signet-id/signet/internal/secret"
)

// RegistrationConfig says who may register clients. The zero value: nobody, and there is no endpoint.
type RegistrationConfig struct {
	Mode   RegistrationMode
	Scopes []string // that strangers' clients may have besides those of registration.Policy
}

// RegistrationMode is who may register clients.
type RegistrationMode string

// The modes. With RegistrationOpen an initial access token is possible as well.
const (
	RegistrationOff   RegistrationMode = "off"
	RegistrationToken RegistrationMode = "token" // whoever has an initial access token of the operator's
	RegistrationOpen  RegistrationMode = "open"  // everybody
)

// What strangers may cause (DOS-03). A network that needs more has an initial access token.
const (
	registrationsPerNetwork = 20
	registrationsInAll      = 500
	registrationsWindow     = time.Hour
	changesPerClient        = 20   // of its own registration, within the same time
	maxRegistered           = 5000 // clients that registered themselves
)

// registerStore is what registration needs of the database.
type registerStore interface {
	clientDirectory
	LimitReached(ctx context.Context, limits []idp.Limit, now time.Time) (bool, error)
	CountAttempt(ctx context.Context, limits []idp.Limit, now time.Time) (time.Duration, error)
	RegistrationToken(ctx context.Context, hash [32]byte, now time.Time) (idp.RegistrationToken, error)
	RegisterClient(ctx context.Context, by idp.Actor, c idp.Client, token [32]byte, most int, now time.Time) error
	ChangeRegisteredClient(ctx context.Context, by idp.Actor, id string, hash [32]byte, m idp.ClientMetadata, now time.Time) error
	RemoveRegisteredClient(ctx context.Context, by idp.Actor, id string, hash [32]byte, now time.Time) error
}

// scopeDirectory knows whose scopes there are.
type scopeDirectory interface {
	ResourceByScope(ctx context.Context, scope string) (idp.Resource, error)
}

// registerEndpoint is POST /register (RFC 7591 §3, OpenID Connect Dynamic Client
// Registration §3), and /register/{client} in register_manage.go.
type registerEndpoint struct {
	issuer    string
	open      bool
	policy    registration.Policy
	directory scopeDirectory
	outbound  *outbound.Client
	keys      keyMaker
	store     registerStore
	now       func() time.Time
}

// right is by what somebody registers: an initial access token, or nothing.
type right struct {
	token   [32]byte // zero: nothing
	profile idp.SecurityProfile
}

func (e *registerEndpoint) create(w http.ResponseWriter, r *http.Request) error {
	now := e.now()
	by, err := e.right(r, now)
	if err != nil {
		return err
	}
	d, err := readDocument(w, r)
	if err != nil {
		return err
	}
	if d.TokenEndpointAuthMethod == "" {
		d.TokenEndpointAuthMethod = idp.AuthBasic // RFC 7591 §2, whatever the type
	}
	m, err := e.admit(r.Context(), d, by.profile)
	if err != nil {
		return err
	}
	if err := e.count(r, by, m.SectorIdentifierURI != "", now); err != nil {
		return err
	}
	if err := e.checkSector(r.Context(), m); err != nil {
		return err
	}
	if err := e.keys.NeedFor(r.Context(), m, now); err != nil {
		return err
	}
	c := idp.Client{ID: registration.NewID(secret.ID()), CreatedAt: now, Origin: idp.OriginRegistered, ClientMetadata: m}
	access := secret.New(secret.Management)
	c.RegistrationHash = secret.Hash(purposeManagement, access)
	var shown secret.Text
	if hasSecret(c) {
		shown = secret.New(secret.ClientSecret)
		c.SecretHash = secret.Hash("client_secret", shown)
	}
	err = e.store.RegisterClient(r.Context(), edge.Actor(r, "anonymous", ""), c, by.token, maxRegistered, now)
	switch {
	case errors.Is(err, idp.ErrNotFound): // used up or revoked at this very moment
		return badRegistrationToken(err)
	case errors.Is(err, idp.ErrLimited):
		return &registerError{status: http.StatusTooManyRequests, answer: &Error{Code: TemporarilyUnavailable, Description: "there are too many registered clients", Cause: err}}
	case err != nil:
		return err
	}
	writeJSON(w, http.StatusCreated, e.information(c, access, shown))
	return nil
}

// What the two tokens are hashed for.
const (
	purposeRegistration = "registration_token"
	purposeManagement   = "registration_access"
)

// right reads the initial access token (RFC 7591 §3).
func (e *registerEndpoint) right(r *http.Request, now time.Time) (right, error) {
	given, err := bearerHeader(r)
	if errors.Is(err, errNoToken) && e.open {
		return right{}, nil
	}
	if err != nil {
		return right{}, err
	}
	token, _, err := secret.Parse(secret.Invitation, given)
	if err != nil {
		return right{}, badRegistrationToken(err)
	}
	hash := secret.Hash(purposeRegistration, token)
	known, err := e.store.RegistrationToken(r.Context(), hash, now)
	if errors.Is(err, idp.ErrNotFound) {
		return right{}, badRegistrationToken(err)
	}
	return right{token: hash, profile: known.Profile}, err
}

// admit holds what the client says to the policy, with the scopes that exist now.
func (e *registerEndpoint) admit(ctx context.Context, d registration.Document, profile idp.SecurityProfile) (idp.ClientMetadata, error) {
	known, err := knownScopes(ctx, e.directory, e.policy.Scopes)
	if err != nil {
		return idp.ClientMetadata{}, err
	}
	policy := e.policy
	policy.Profile = profile
	m, err := policy.Admit(d, known)
	if err != nil {
		return idp.ClientMetadata{}, notAcceptable(err)
	}
	return m, nil
}

// knownScopes are the issuer's scopes, and those of a list that belong to a service.
func knownScopes(ctx context.Context, directory scopeDirectory, scopes []string) (map[string]bool, error) {
	known := registration.KnownScopes(nil)
	for _, s := range scopes {
		switch _, err := directory.ResourceByScope(ctx, s); {
		case err == nil:
			known[s] = true
		case !errors.Is(err, idp.ErrNotFound):
			return nil, err
		}
	}
	return known, nil
}

// count lets a network have its share. Who is over it does not wait for the writer, and
// a token has a count of its own; that one is not used by a registration that is refused,
// so what makes us call an address is counted for it as well.
func (e *registerEndpoint) count(r *http.Request, by right, calls bool, now time.Time) error {
	if by.token != ([32]byte{}) {
		if !calls {
			return nil
		}
		limits := []idp.Limit{{Key: "register.list:" + hex.EncodeToString(by.token[:]), Max: registrationsPerNetwork, Window: registrationsWindow}}
		return tooMany(countWithin(r.Context(), e.store, limits, now))
	}
	limits := strangerLimits("register", edge.Network(edge.ClientAddr(r)), registrationsPerNetwork, registrationsInAll, registrationsWindow)
	return tooMany(countWithin(r.Context(), e.store, limits, now))
}

// strangerLimits are those of a network, of its site, and of all.
func strangerLimits(what, network string, perNetwork, inAll int, window time.Duration) []idp.Limit {
	limits := []idp.Limit{{Key: what + ":" + network, Max: perNetwork, Window: window}, {Key: what, Max: inAll, Window: window}}
	if site := idp.Site(network); site != "" {
		limits = append(limits, idp.Limit{Key: what + ".site:" + site, Max: idp.SiteFactor * perNetwork, Window: window})
	}
	return limits
}

// limitStore counts.
type limitStore interface {
	LimitReached(ctx context.Context, limits []idp.Limit, now time.Time) (bool, error)
	CountAttempt(ctx context.Context, limits []idp.Limit, now time.Time) (time.Duration, error)
}

// countWithin is idp.ErrLimited if one of the limits is full, which it finds out without
// the writer if it can.
func countWithin(ctx context.Context, store limitStore, limits []idp.Limit, now time.Time) error {
	full, err := store.LimitReached(ctx, limits, now)
	if err != nil {
		return err
	}
	if !full {
		wait, err := store.CountAttempt(ctx, limits, now)
		if err != nil || wait == 0 {
			return err
		}
	}
	return idp.ErrLimited
}

func tooMany(err error) error {
	if errors.Is(err, idp.ErrLimited) {
		return &registerError{status: http.StatusTooManyRequests, answer: &Error{
			Code: TemporarilyUnavailable, Description: "too many registrations from this network; try again in an hour", Cause: err,
		}}
	}
	return err
}

// checkSector fetches the list of redirect URIs that stand for one sector (OpenID Connect
// Dynamic Client Registration §5): all of this client's must be in it. Subjects are the
// same for every sector here, so it is not asked again.
func (e *registerEndpoint) checkSector(ctx context.Context, m idp.ClientMetadata) error {
	if m.SectorIdentifierURI == "" {
		return nil
	}
	refused := refuse(InvalidClientMetadata, "sector_identifier_uri is no https address of a JSON list that has every redirect URI")
	if !strings.HasPrefix(m.SectorIdentifierURI, "https://") || e.outbound == nil {
		return refused
	}
	doc, err := e.outbound.Get(ctx, m.SectorIdentifierURI, "application/json")
	if err != nil {
		refused.Cause = err // no word of it to the caller (NET-01)
		return refused
	}
	var listed []string
	if json.Unmarshal(doc.Body, &listed) != nil {
		return refused
	}
	for _, uri := range m.RedirectURIs {
		if !slices.Contains(listed, uri) {
			return refused
		}
	}
	return nil
}

// hasSecret reports whether the client proves itself by a secret.
func hasSecret(c idp.Client) bool {
	return c.TokenEndpointAuthMethod == idp.AuthBasic || c.TokenEndpointAuthMethod == idp.AuthPost
}

// readDocument reads the body of a registration.
func readDocument(w http.ResponseWriter, r *http.Request) (registration.Document, error) {
	var none registration.Document
	types := r.Header.Values("Content-Type")
	if len(types) != 1 || !jsonMediaType(types[0]) || len(r.Header.Values("Content-Encoding")) != 0 {
		return none, refuse(InvalidClientMetadata, "the body must be application/json")
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, registration.MaxDocument))
	if err != nil {
		return none, &Error{Code: InvalidClientMetadata, Description: "the body is too large, or did not arrive whole", Cause: err}
	}
	d, err := registration.Parse(data)
	if err != nil {
		return none, notAcceptable(err)
	}
	return d, nil
}

func jsonMediaType(s string) bool {
	name, params, err := mime.ParseMediaType(s)
	charset, given := params["charset"]
	return err == nil && name == "application/json" && (!given || strings.EqualFold(charset, "utf-8"))
}

// notAcceptable tells which member is wrong (RFC 7591 §3.2.2).
func notAcceptable(err error) error {
	e, ok := errors.AsType[*registration.Unacceptable](err)
	if !ok {
		return err
	}
	code := InvalidClientMetadata
	switch e.Member() {
	case "redirect_uris":
		code = InvalidRedirectURI
	case "software_statement":
		code = UnapprovedSoftwareStatement
	}
	return &Error{Code: code, Description: ascii(e.Message), Cause: err}
}

// ascii is a text of ours in the characters of RFC 6749 §5.2.
func ascii(s string) string {
	s = strings.ReplaceAll(s, "§", "section ")
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return '\''
		}
		return r
	}, s)
}

// clientInformation is RFC 7591 §3.2.1 and RFC 7592 §3: all that is registered, as it is
// registered. The fields at its end take the place of those that only an operator has.
type clientInformation struct {
	ClientID        string `json:"client_id"`
	IssuedAt        int64  `json:"client_id_issued_at"`
	Secret          string `json:"client_secret,omitempty"` // once: when it was made (CLI-07)
	SecretExpiresAt *int64 `json:"client_secret_expires_at,omitempty"`
	AccessToken     string `json:"registration_access_token"`
	ClientURL       string `json:"registration_client_uri"`
	idp.ClientMetadata
	Scope         string   `json:"scope"`
	ResponseTypes []string `json:"response_types"`
	SubjectType   string   `json:"subject_type"`

	Scopes  []string `json:"scopes,omitempty"`
	Profile string   `json:"security_profile,omitempty"`
}

func (e *registerEndpoint) information(c idp.Client, access, shown secret.Text) clientInformation {
	i := clientInformation{
		ClientID: c.ID, IssuedAt: c.CreatedAt.Unix(), Secret: shown.Reveal(), AccessToken: access.Reveal(), ClientURL: e.issuer + "/register/" + c.ID,
		ClientMetadata: c.ClientMetadata, Scope: strings.Join(c.ClientMetadata.Scopes, " "), ResponseTypes: []string{"code"}, SubjectType: "public",
	}
	if hasSecret(c) {
		i.SecretExpiresAt = new(int64) // 0: never
	}
	return i
}

// registerError is an answer with a status of its own.
type registerError struct {
	answer *Error
	status int
}

func (e *registerError) Error() string { return e.answer.Error() }

func (e *registerError) Unwrap() error { return e.answer }

func badRegistrationToken(cause error) error {
	return &Error{Code: InvalidToken, Description: "the token is not valid", Cause: cause}
}

// bearerHeader takes a token out of the header, the only place for these (RFC 6750 §2.1).
func bearerHeader(r *http.Request) (string, error) {
	lines := r.Header.Values("Authorization")
	if len(lines) > 1 {
		return "", refuse(InvalidRequest, "more than one Authorization header")
	}
	if len(lines) == 0 {
		return "", errNoToken
	}
	scheme, value, _ := strings.Cut(lines[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", errNoToken
	}
	return strings.TrimLeft(value, " "), nil
}

// refuse answers with a challenge where a token is missing or wrong (RFC 6750 §3).
func (e *registerEndpoint) refuse(w http.ResponseWriter, _ *http.Request, err error) {
	problem := asError(err)
	status := problem.status()
	if special, ok := errors.AsType[*registerError](err); ok {
		status = special.status
	}
	switch problem.Code {
	case InvalidToken:
		status = http.StatusUnauthorized
		challenge := `Bearer realm="` + e.issuer + `"`
		if problem == errNoToken {
			problem = &Error{Code: InvalidToken, Description: "an access token for registration is required"}
		} else {
			challenge += `, error="invalid_token"`
		}
		w.Header().Set("WWW-Authenticate", challenge)
	case TemporarilyUnavailable:
		w.Header().Set("Retry-After", "60")
	}
	jsonErrors{e.issuer}.writeStatus(w, status, problem)
}
