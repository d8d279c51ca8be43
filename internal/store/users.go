package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

const userColumns = `u.id, u.username, u.email, u.email_verified_at, u.profile, u.groups, u.created_at, u.updated_at, u.disabled_at`

// userDest is where userColumns are scanned to.
func userDest(u *idp.User, verifiedAt *time.Time) []any {
	return []any{&u.ID, &u.Username, asText{&u.Email}, asTime{verifiedAt}, asJSON{&u.Profile}, asJSON{&u.Groups},
		asTime{&u.CreatedAt}, asTime{&u.UpdatedAt}, asTime{&u.DisabledAt}}
}

func scanUser(s scanner, more ...any) (u idp.User, err error) {
	var verifiedAt time.Time
	err = s.Scan(append(userDest(&u, &verifiedAt), more...)...)
	u.EmailVerified = !verifiedAt.IsZero()
	return u, err
}

// userRow is a user in the form in which it is stored.
type userRow struct {
	username        string // canonical
	email           any    // canonical, or nil
	profile, groups string
	verifiedAt      any
}

func newUserRow(u idp.User, now time.Time) (r userRow, err error) {
	if r.username, err = idp.CanonicalUsername(u.Username); err != nil {
		return r, err
	}
	if u.Email != "" {
		if r.email, err = idp.CanonicalEmail(u.Email); err != nil {
			return r, err
		}
	}
	if u.EmailVerified && u.Email != "" {
		r.verifiedAt = ms(now)
	}
	if r.profile, err = jsonText(u.Profile); err != nil {
		return r, err
	}
	r.groups, err = jsonText(u.Groups)
	return r, err
}

// CreateUser adds a person. The id must be new for ever; username and e-mail address
// must be free in their canonical form: else idp.ErrExists.
func (db *DB) CreateUser(ctx context.Context, by idp.Actor, u idp.User, passwordHash string, now time.Time) error {
	if u.ID == "" {
		return fmt.Errorf("create user: no id: %w", idp.ErrInvalid)
	}
	r, err := newUserRow(u, now)
	if err != nil {
		return fmt.Errorf("create user: %w", err)
	}
	return db.write(ctx, "create user", func(t *tx) error {
		if err := t.lockDirectory(); err != nil {
			return err
		}
		if err := t.neverRetired("user", u.ID); err != nil {
			return err
		}
		// A client's id is the subject of its own tokens: the two must not meet.
		if taken, err := t.exists("SELECT 1 FROM clients WHERE id = $1", u.ID); err != nil || taken {
			return orExists(err)
		}
		err := t.insert(`INSERT INTO users (id, username, username_canonical, email, email_canonical, email_verified_at,
				password_hash, profile, groups, created_at, updated_at, disabled_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11) ON CONFLICT DO NOTHING`,
			u.ID, u.Username, r.username, textOrNull(u.Email), r.email, r.verifiedAt,
			passwordHash, r.profile, r.groups, ms(now), msOrNull(u.DisabledAt))
		if err != nil {
			return err
		}
		return t.audit(by, event{action: "user.create", target: u.ID, userID: u.ID}, now)
	})
}

// UpdateUser replaces what is known of a person: names, address, profile, groups.
// The password and the right to sign in have verbs of their own.
func (db *DB) UpdateUser(ctx context.Context, by idp.Actor, u idp.User, now time.Time) error {
	r, err := newUserRow(u, now)
	if err != nil {
		return fmt.Errorf("update user: %w", err)
	}
	return db.write(ctx, "update user", func(t *tx) error {
		err := t.one(`UPDATE users SET username = $2, username_canonical = $3, email = $4, email_canonical = $5,
				email_verified_at = $6, profile = $7, groups = $8, updated_at = $9 WHERE id = $1`,
			u.ID, u.Username, r.username, textOrNull(u.Email), r.email, r.verifiedAt, r.profile, r.groups, ms(now))
		if err != nil {
			return err
		}
		t.changed("user", u.ID, now)
		return t.audit(by, event{action: "user.update", target: u.ID, userID: u.ID}, now)
	})
}

// User returns a person by id, disabled or not.
func (db *DB) User(ctx context.Context, id string) (u idp.User, err error) {
	err = db.read(ctx, "read user", func(c *conn) (err error) {
		u, err = scanUser(c.row("SELECT "+userColumns+" FROM users u WHERE u.id = $1", id))
		return err
	})
	return u, err
}

// UserByLogin returns the person with this canonical login name or e-mail address, and
// the password's hash (empty if there is none).
func (db *DB) UserByLogin(ctx context.Context, login string) (u idp.User, passwordHash string, err error) {
	query := "SELECT " + userColumns + ", u.password_hash FROM users u WHERE u.username_canonical = $1"
	if strings.Contains(login, "@") {
		query = "SELECT " + userColumns + ", u.password_hash FROM users u WHERE u.email_canonical = $1"
	}
	err = db.read(ctx, "find user", func(c *conn) (err error) {
		u, err = scanUser(c.row(query, login), &passwordHash)
		return err
	})
	return u, passwordHash, err
}

// Users returns at most limit people in the order of their canonical usernames, after
// the given username (empty: from the first).
func (db *DB) Users(ctx context.Context, afterUsername string, limit int) (users []idp.User, err error) {
	after := afterUsername
	if canonical, err := idp.CanonicalUsername(afterUsername); err == nil {
		after = canonical
	}
	err = db.read(ctx, "list users", func(c *conn) (err error) {
		users, err = list(c, func(s scanner) (idp.User, error) { return scanUser(s) },
			"SELECT "+userColumns+" FROM users u WHERE u.username_canonical > $1 ORDER BY u.username_canonical LIMIT $2", after, limit)
		return err
	})
	return users, err
}

// PasswordHash returns the hash of a person's password, empty if there is none.
func (db *DB) PasswordHash(ctx context.Context, userID string) (hash string, err error) {
	err = db.read(ctx, "read password hash", func(c *conn) error {
		return c.row("SELECT password_hash FROM users WHERE id = $1", userID).Scan(&hash)
	})
	return hash, err
}

// UpgradePassword stores the same password under a better hash, unless the password has
// changed since oldHash was read (idp.ErrNotFound).
func (db *DB) UpgradePassword(ctx context.Context, userID, oldHash, newHash string, now time.Time) error {
	return db.write(ctx, "upgrade password hash", func(t *tx) error {
		return t.one("UPDATE users SET password_hash = $3, updated_at = $4 WHERE id = $1 AND password_hash = $2", userID, oldHash, newHash, ms(now))
	})
}

// neverRetired refuses the id of someone who is gone: tokens that name it may be alive.
func (t *tx) neverRetired(kind, id string) error {
	gone, err := t.exists("SELECT 1 FROM retired_ids WHERE kind = $1 AND id = $2", kind, id)
	if gone {
		return idp.ErrExists
	}
	return err
}

func (t *tx) retire(kind, id string, now time.Time) error {
	_, err := t.exec("INSERT INTO retired_ids (kind, id, retired_at) VALUES ($1, $2, $3)", kind, id, ms(now))
	return err
}

func orExists(err error) error {
	if err == nil {
		return idp.ErrExists
	}
	return err
}
