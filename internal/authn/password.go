// Package authn holds the rules of signing in: passwords and how often they may be tried,
// and which step an authorization request needs next.
//
// It deliberately knows no HTTP and makes no sessions: it says who somebody is, and
// package session remembers it.
package authn

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/passhash"
	"github.com/signet-id/signet/internal/secret"
)

// PasswordStore is what passwords need of the database.
type PasswordStore interface {
	UserByLogin(ctx context.Context, login string) (idp.User, string, error)
	User(ctx context.Context, id string) (idp.User, error)
	PasswordHash(ctx context.Context, userID string) (string, error)
	UpgradePassword(ctx context.Context, userID, oldHash, newHash string, now time.Time) error
	SetPassword(ctx context.Context, by idp.Actor, userID, hash string, now time.Time) error
}

// Store is all that package authn needs of the database.
type Store interface {
	PasswordStore
	AttemptStore
}

// Config is what Passwords is made of.
type Config struct {
	Store  Store
	Hasher *passhash.Hasher
	Limits Limits // zero fields: the defaults
	// Key hides typed logins in the table of attempts, because people type their password
	// into the wrong field. The same on all nodes, and not in the database.
	Key [32]byte
	Now func() time.Time
	Log *slog.Logger
}

// Passwords checks and changes passwords.
type Passwords struct {
	store    Store
	hasher   *passhash.Hasher
	attempts attempts
	key      [32]byte
	now      func() time.Time
	log      *slog.Logger
}

// New returns Passwords.
func New(cfg Config) *Passwords {
	return &Passwords{
		store:    cfg.Store,
		hasher:   cfg.Hasher,
		attempts: attempts{store: cfg.Store, limits: cfg.Limits.orDefaults()},
		key:      cfg.Key,
		now:      cfg.Now,
		log:      cfg.Log,
	}
}

// account is who a login may be. For an unknown one user and hash are empty.
type account struct {
	user    idp.User
	hash    string
	name    string // under which attempts from one place are counted: of the login that was typed
	counter string // under which attempts from everywhere are counted: of all its logins
}

func (a account) known() bool { return a.user.ID != "" }

// Check returns the user whose login and password these are. idp.ErrDenied is the answer
// to an unknown login, a wrong password and a disabled user alike, after the same work
// (LOG-01); *Wait to too many attempts; idp.ErrUnavailable when too many others are
// waiting. The password is used byte for byte as sent (LOG-06).
func (p *Passwords) Check(ctx context.Context, by idp.Actor, network, login string, password secret.Text) (idp.User, error) {
	now := p.now()
	a, err := p.find(ctx, login)
	if err != nil {
		return idp.User{}, fmt.Errorf("check password: %w", err)
	}
	if err := p.try(ctx, by, network, a, password, now); err != nil {
		return idp.User{}, fmt.Errorf("check password: %w", err)
	}
	return a.user, nil
}

// Change sets a new password of a user who knows the old one; a wrong old one counts as an
// attempt. All sessions and grants of the user end, also the one that asked.
func (p *Passwords) Change(ctx context.Context, by idp.Actor, userID string, old, replacement secret.Text) error {
	now := p.now()
	a, err := p.load(ctx, userID)
	if err != nil {
		return fmt.Errorf("change password: %w", err)
	}
	if subtle.ConstantTimeCompare([]byte(old.Reveal()), []byte(replacement.Reveal())) == 1 {
		return fmt.Errorf("change password: %w", &Unacceptable{Unchanged})
	}
	if err := Acceptable(replacement, a.user); err != nil {
		return fmt.Errorf("change password: %w", err)
	}
	if err := p.try(ctx, by, by.Network(), a, old, now); err != nil {
		return fmt.Errorf("change password: %w", err)
	}
	hash, err := p.hasher.Hash(ctx, replacement)
	if err != nil {
		return fmt.Errorf("change password: %w", err)
	}
	if err := p.store.SetPassword(ctx, by, userID, hash, now); err != nil {
		return fmt.Errorf("change password: %w", err)
	}
	return nil
}

// Acceptable reports why the user must not choose the password; see the function.
func (p *Passwords) Acceptable(password secret.Text, user idp.User) error {
	return Acceptable(password, user)
}

// try counts the attempt, does the work, and judges. Counting comes first, so that of many
// parallel guesses no more are looked at than the limits allow (LOG-02).
func (p *Passwords) try(ctx context.Context, by idp.Actor, network string, a account, password secret.Text, now time.Time) error {
	r := refusal{by: by, account: a, network: network, at: now}
	if len(password.Reveal()) > passhash.MaxPasswordBytes {
		return p.attempts.refuse(ctx, r.because(reasonTooLong), idp.ErrDenied)
	}
	if err := p.attempts.count(ctx, a, network, now); err != nil {
		if _, limited := errors.AsType[*Wait](err); limited {
			return p.attempts.refuse(ctx, r.because(reasonLimited), err)
		}
		return err
	}
	upgrade, reason, err := p.verify(ctx, a, password)
	switch {
	case err != nil:
		return err
	case reason != "":
		return p.attempts.refuse(ctx, r.because(reason), idp.ErrDenied)
	}
	if err := p.attempts.succeeded(ctx, a, network, now); err != nil {
		return err
	}
	if upgrade {
		p.upgrade(ctx, a, password, now)
	}
	return nil
}

// verify does the same work for every account and says what is wrong, if anything.
func (p *Passwords) verify(ctx context.Context, a account, password secret.Text) (upgrade bool, reason string, err error) {
	if !a.known() || a.hash == "" {
		reason = reasonUnknown
		if a.known() {
			reason = reasonNoPassword
		}
		return false, reason, p.hasher.VerifyNone(ctx, password)
	}
	ok, upgrade, err := p.hasher.Verify(ctx, a.hash, password)
	switch {
	case errors.Is(err, passhash.ErrFormat): // ours to repair; a stranger must not notice
		p.log.ErrorContext(ctx, "stored password hash cannot be checked", "user_id", a.user.ID)
		return false, reasonBadHash, p.hasher.VerifyNone(ctx, password)
	case err != nil:
		return false, "", err
	case !ok:
		return false, reasonWrong, nil
	case a.user.Disabled():
		return false, reasonDisabled, nil
	}
	return upgrade, "", nil
}

// upgrade hashes the password with the present parameters. It may fail: the next login
// tries again.
func (p *Passwords) upgrade(ctx context.Context, a account, password secret.Text, now time.Time) {
	hash, err := p.hasher.Hash(ctx, password)
	if err == nil {
		err = p.store.UpgradePassword(ctx, a.user.ID, a.hash, hash, now)
	}
	if err != nil {
		p.log.WarnContext(ctx, "password hash not upgraded", "user_id", a.user.ID, "error", err)
	}
}

// find looks a login up.
func (p *Passwords) find(ctx context.Context, login string) (account, error) {
	canonical, err := idp.CanonicalLogin(login)
	if err != nil {
		return p.nobody(login), nil
	}
	u, hash, err := p.store.UserByLogin(ctx, canonical)
	if errors.Is(err, idp.ErrNotFound) {
		return p.nobody(canonical), nil
	}
	if err != nil {
		return account{}, err
	}
	return account{user: u, hash: hash, name: p.hidden(canonical), counter: u.ID}, nil
}

func (p *Passwords) nobody(login string) account {
	name := p.hidden(login)
	return account{name: name, counter: name}
}

func (p *Passwords) load(ctx context.Context, userID string) (account, error) {
	u, err := p.store.User(ctx, userID)
	if err != nil {
		return account{}, err
	}
	hash, err := p.store.PasswordHash(ctx, userID)
	if err != nil {
		return account{}, err
	}
	canonical, err := idp.CanonicalLogin(u.Username) // changing it is no second way to guess
	if err != nil {
		return account{}, err
	}
	return account{user: u, hash: hash, name: p.hidden(canonical), counter: u.ID}, nil
}

// hidden names the counter of a login that was typed.
func (p *Passwords) hidden(login string) string {
	mac := hmac.New(sha256.New, p.key[:])
	mac.Write([]byte("signet:typed-login\x00"))
	mac.Write([]byte(login))
	return "?" + hex.EncodeToString(mac.Sum(nil)[:16])
}
