package admin

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/signet-id/signet/internal/authn"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/registration"
	"github.com/signet-id/signet/internal/secret"
)

// User is a person as the API shows one.
type User struct {
	ID            string      `json:"id"`
	Username      string      `json:"username"`
	Email         string      `json:"email,omitempty"`
	EmailVerified bool        `json:"email_verified"`
	Profile       idp.Profile `json:"profile"`
	Groups        []string    `json:"groups"`
	DisabledAt    time.Time   `json:"disabled_at,omitzero"`
	CreatedAt     time.Time   `json:"created_at"`
	UpdatedAt     time.Time   `json:"updated_at"`
}

// UserFields is what can be said of a person.
type UserFields struct {
	Username      string      `json:"username"`
	Email         string      `json:"email"`
	EmailVerified bool        `json:"email_verified"`
	Profile       idp.Profile `json:"profile"`
	Groups        []string    `json:"groups"`
}

// NewUser asks for a person. Without a password there is no way to sign in yet.
type NewUser struct {
	UserFields
	Password Password `json:"password"`
}

// userChange tells "not said" from "no".
type userChange struct {
	UserFields
	EmailVerified *bool         `json:"email_verified"`
	Profile       profileChange `json:"profile"`
}

type profileChange struct {
	idp.Profile
	PhoneNumberVerified *bool `json:"phone_number_verified"`
}

// NewPassword sets a password.
type NewPassword struct {
	Password Password `json:"password"`
}

const (
	maxGroups     = 100
	maxText       = 256  // bytes of a name
	maxProfileURL = 2048 // bytes
)

type userStore interface {
	CreateUser(ctx context.Context, by idp.Actor, u idp.User, passwordHash string, now time.Time) error
	UpdateUser(ctx context.Context, by idp.Actor, u idp.User, now time.Time) error
	User(ctx context.Context, id string) (idp.User, error)
	UserByLogin(ctx context.Context, login string) (u idp.User, passwordHash string, err error)
	Users(ctx context.Context, afterUsername string, limit int) ([]idp.User, error)
}

// accountStore changes what a person may do.
type accountStore interface {
	SetPassword(ctx context.Context, by idp.Actor, userID, hash string, now time.Time) error
	DisableUser(ctx context.Context, by idp.Actor, userID string, now time.Time) error
	EnableUser(ctx context.Context, by idp.Actor, userID string, now time.Time) error
	DeleteUser(ctx context.Context, by idp.Actor, userID string, now time.Time) error
}

type users struct {
	store    userStore
	account  accountStore
	hasher   Hasher
	now      func() time.Time
	changing *sync.Mutex // held from reading what is to be changed until it is written
}

func (e users) list(w http.ResponseWriter, r *http.Request) error {
	q, err := query(r, "after", "limit")
	if err != nil {
		return err
	}
	limit, err := pageSize(q)
	if err != nil {
		return err
	}
	found, err := e.store.Users(r.Context(), q.Get("after"), limit)
	if err != nil {
		return err
	}
	answer := make([]User, 0, len(found))
	for _, u := range found {
		answer = append(answer, userAnswer(u))
	}
	return writeJSON(w, http.StatusOK, answer)
}

func (e users) show(w http.ResponseWriter, r *http.Request) error {
	u, err := e.find(r)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, userAnswer(u))
}

func (e users) create(w http.ResponseWriter, r *http.Request) error {
	var req NewUser
	if err := readJSON(r, &req); err != nil {
		return err
	}
	now := e.now()
	u := idp.User{ID: secret.ID(), CreatedAt: now, UpdatedAt: now}
	if err := req.apply(&u); err != nil {
		return err
	}
	hash := ""
	if !req.Password.Empty() {
		var err error
		if hash, err = e.hash(r.Context(), req.Password.Text, u); err != nil {
			return err
		}
	}
	err := e.store.CreateUser(r.Context(), operator(r), u, hash, now)
	if errors.Is(err, idp.ErrExists) {
		return &Error{Status: http.StatusConflict, Code: "exists", Message: "somebody has this username or e-mail address", Cause: err}
	}
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusCreated, userAnswer(u))
}

func (e users) update(w http.ResponseWriter, r *http.Request) error {
	e.changing.Lock()
	defer e.changing.Unlock()
	u, err := e.find(r)
	if err != nil {
		return err
	}
	req := userChange{
		UserFields: UserFields{Username: u.Username, Email: u.Email, Groups: u.Groups}, Profile: profileChange{Profile: u.Profile},
	}
	if err := readJSON(r, &req); err != nil {
		return err
	}
	req.UserFields.Profile = req.Profile.Profile
	req.UserFields.EmailVerified = verified(req.EmailVerified, u.EmailVerified && req.Email == u.Email)
	req.UserFields.Profile.PhoneNumberVerified = verified(req.Profile.PhoneNumberVerified,
		u.Profile.PhoneNumberVerified && req.Profile.PhoneNumber == u.Profile.PhoneNumber)
	if err := req.apply(&u); err != nil {
		return err
	}
	u.UpdatedAt = e.now()
	err = e.store.UpdateUser(r.Context(), operator(r), u, u.UpdatedAt)
	if errors.Is(err, idp.ErrExists) {
		return &Error{Status: http.StatusConflict, Code: "exists", Message: "somebody else has this username or e-mail address", Cause: err}
	}
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, userAnswer(u))
}

// verified is what was said of an address or number, else what is known of it, which is
// nothing if it is a new one.
func verified(said *bool, known bool) bool {
	if said != nil {
		return *said
	}
	return known
}

func (e users) setPassword(w http.ResponseWriter, r *http.Request) error {
	u, err := e.find(r)
	if err != nil {
		return err
	}
	var req NewPassword
	if err := readJSON(r, &req); err != nil {
		return err
	}
	hash, err := e.hash(r.Context(), req.Password.Text, u)
	if err != nil {
		return err
	}
	if err := e.account.SetPassword(r.Context(), operator(r), u.ID, hash, e.now()); err != nil {
		return err
	}
	return done(w)
}

func (e users) disable(w http.ResponseWriter, r *http.Request) error {
	return e.change(w, r, e.account.DisableUser)
}

func (e users) enable(w http.ResponseWriter, r *http.Request) error {
	return e.change(w, r, e.account.EnableUser)
}

func (e users) remove(w http.ResponseWriter, r *http.Request) error {
	return e.change(w, r, e.account.DeleteUser)
}

func (e users) change(w http.ResponseWriter, r *http.Request, verb func(context.Context, idp.Actor, string, time.Time) error) error {
	u, err := e.find(r)
	if err != nil {
		return err
	}
	if err := verb(r.Context(), operator(r), u.ID, e.now()); err != nil {
		return err
	}
	return done(w)
}

// hashTries is how often an operator's password is given to the hasher, which makes a
// caller wait two seconds: all together less than the command line waits for an answer.
const hashTries = 8

// hash checks and hashes a password that an operator sets. Somebody who signs in is soon
// told to come back; an operator waits. Right after the first start the hasher measures
// the machine, and the first "user add" comes then.
func (e users) hash(ctx context.Context, password secret.Text, u idp.User) (hash string, err error) {
	if err := authn.Acceptable(password, u); err != nil {
		return "", err
	}
	for range hashTries {
		if hash, err = e.hasher.Hash(ctx, password); !errors.Is(err, idp.ErrUnavailable) {
			break
		}
	}
	return hash, err
}

// find returns the person that the path names: by id, username or e-mail address. No
// username has the form of an id (see apply), so one name never means two people.
func (e users) find(r *http.Request) (idp.User, error) {
	return e.named(r.Context(), r.PathValue("user"))
}

func (e users) named(ctx context.Context, name string) (u idp.User, err error) {
	if secret.IsID(name) {
		u, err = e.store.User(ctx, name)
	} else if login, invalid := idp.CanonicalLogin(name); invalid != nil {
		err = idp.ErrNotFound
	} else {
		u, _, err = e.store.UserByLogin(ctx, login)
	}
	if errors.Is(err, idp.ErrNotFound) {
		err = &Error{Status: http.StatusNotFound, Code: "not_found", Message: "no user has this name, e-mail address or id", Cause: err}
	}
	return u, err
}

// apply checks the fields and writes them into the person.
func (f UserFields) apply(u *idp.User) error {
	if _, err := idp.CanonicalUsername(f.Username); err != nil {
		return invalid("username is missing or not acceptable: letters of one alphabet, digits and signs, no blanks, neither '@' nor ':'")
	}
	if secret.IsID(f.Username) {
		return invalid("username has the form of a user's id; choose another")
	}
	if f.Email != "" {
		if _, err := idp.CanonicalEmail(f.Email); err != nil {
			return invalid("email is not an e-mail address")
		}
	} else if f.EmailVerified {
		return invalid("email_verified without an email")
	}
	if err := checkProfile(f.Profile); err != nil {
		return err
	}
	if len(f.Groups) > maxGroups {
		return invalid("groups has more than %d names", maxGroups)
	}
	for i, g := range f.Groups {
		if !registration.PlainText(g, maxText) || g == "" || slices.Contains(f.Groups[:i], g) {
			return invalid("groups[%d] is empty, too long, given twice, or has characters that cannot be seen", i)
		}
	}
	u.Username, u.Email, u.EmailVerified = f.Username, f.Email, f.EmailVerified
	u.Profile, u.Groups = f.Profile, f.Groups
	return nil
}

// dialable is a number of E.164, which OpenID Connect Core §5.1 wants of one that is verified,
// with signs between its digits or without, and an extension as RFC 3966 §3 has it.
var dialable = regexp.MustCompile(`^\+[1-9](?:[ ().-]{0,2}[0-9]){1,14}(?:;ext=[0-9]{1,10})?$`)

func checkProfile(p idp.Profile) error {
	texts := map[string]string{
		"name": p.Name, "given_name": p.GivenName, "family_name": p.FamilyName, "middle_name": p.MiddleName,
		"nickname": p.Nickname, "gender": p.Gender, "birthdate": p.Birthdate, "zoneinfo": p.Zoneinfo, "locale": p.Locale,
		"phone_number": p.PhoneNumber,
	}
	if a := p.Address; a != nil {
		texts["address.street_address"], texts["address.locality"], texts["address.region"] = a.StreetAddress, a.Locality, a.Region
		texts["address.postal_code"], texts["address.country"] = a.PostalCode, a.Country
		texts["address.formatted"] = strings.ReplaceAll(a.Formatted, "\n", " ") // OpenID Connect Core §5.1.1: lines
	}
	for name, text := range texts {
		if !registration.PlainText(text, maxText) {
			return invalid("profile.%s is too long or has characters that cannot be seen", name)
		}
	}
	if p.PhoneNumberVerified && !dialable.MatchString(p.PhoneNumber) {
		return invalid("profile.phone_number_verified needs a phone_number with + and the country, such as +49 30 23125000; an extension is ;ext= and digits")
	}
	for name, link := range map[string]string{"profile": p.Profile, "picture": p.Picture, "website": p.Website} {
		if link != "" {
			if err := registration.CheckLink(link); err != nil {
				return invalid("profile.%s %s", name, err)
			}
		}
	}
	return nil
}

func userAnswer(u idp.User) User {
	groups := u.Groups
	if groups == nil {
		groups = []string{}
	}
	return User{
		ID: u.ID, Username: u.Username, Email: u.Email, EmailVerified: u.EmailVerified, Profile: u.Profile, Groups: groups,
		DisabledAt: u.DisabledAt, CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt,
	}
}
