package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// Clients that no operator added are rows that strangers cause (DOS-03).
const (
	keepUnusedRegistered = 30 * 24 * time.Hour // nobody ever connected it
	keepUnusedDocuments  = 24 * time.Hour      // the document can be fetched again
	youngClient          = time.Hour           // somebody may be about to connect it
	useEvery             = 24 * time.Hour      // at most one write per client
)

// RegisterClient adds a client that registered itself, by the right of an initial access
// token, or of nothing if the hash is zero: then whoever asks may. One use of the token is
// gone with it; an unknown, ended or used-up token is idp.ErrNotFound. Of registered
// clients there are at most so many; the oldest of which nobody ever made use makes room,
// and if there is none, it is idp.ErrLimited.
func (db *DB) RegisterClient(ctx context.Context, by idp.Actor, c idp.Client, token [32]byte, most int, now time.Time) error {
	c.Origin = idp.OriginRegistered
	if c.RegistrationHash == ([32]byte{}) {
		return fmt.Errorf("register client: nobody could manage it: %w", idp.ErrInvalid)
	}
	return db.write(ctx, "register client", func(t *tx) error {
		if err := t.lockDirectory(); err != nil {
			return err
		}
		e := event{action: "client.register", target: c.ID, clientID: c.ID}
		if token != ([32]byte{}) {
			err := t.change(`UPDATE registration_tokens SET uses_left = uses_left - 1
				WHERE hash = $1 AND uses_left > 0 AND revoked_at IS NULL AND expires_at > $2 RETURNING id`, token[:], ms(now)).Scan(&e.reason)
			if err != nil {
				return err
			}
			e.reason = "registration token " + e.reason
		}
		if err := t.mayBeClient(c.ID); err != nil {
			return err
		}
		if err := t.roomForClient(c.Origin, most, now); err != nil {
			return err
		}
		if err := t.addClient(c, now); err != nil {
			return err
		}
		return t.audit(by, e, now)
	})
}

// addClient inserts a client that no operator added.
func (t *tx) addClient(c idp.Client, now time.Time) error {
	metadata, err := jsonText(c.ClientMetadata)
	if err != nil {
		return err
	}
	t.changed("client", c.ID, now)
	return t.insert(`INSERT INTO clients (id, secret_hash, metadata, created_at, updated_at, origin, registration_hash)
		VALUES ($1, $2, $3, $4, $4, $5, $6) ON CONFLICT DO NOTHING`,
		c.ID, hashOrNull(c.SecretHash), metadata, ms(now), string(c.Origin), hashOrNull(c.RegistrationHash))
}

// roomForClient forgets an unused client when there are as many as may be. The directory
// is locked, so that two that come at once are counted one after another.
func (t *tx) roomForClient(origin idp.Origin, most int, now time.Time) error {
	var n int
	if err := t.row("SELECT COUNT(*) FROM clients WHERE origin = $1", string(origin)).Scan(&n); err != nil || n < most {
		return err
	}
	forgotten, err := t.forgetUnused(origin, now.Add(-youngClient), 1, now)
	if err == nil && forgotten == 0 {
		err = fmt.Errorf("clients: %w", idp.ErrLimited)
	}
	return err
}

// forgetUnused deletes the oldest clients of an origin that nobody ever connected. No
// token names them, so no rule does, and their ids may come back.
func (t *tx) forgetUnused(origin idp.Origin, before time.Time, most int, now time.Time) (int, error) {
	if err := t.savepoint(); err != nil {
		return 0, err
	}
	ids, err := list(t.conn, scanText, `DELETE FROM clients WHERE last_used_at IS NULL AND id IN
			(SELECT id FROM clients WHERE origin = $1 AND last_used_at IS NULL AND disabled_at IS NULL AND updated_at <= $2 ORDER BY updated_at, id LIMIT $3)
		RETURNING id`, string(origin), ms(before), most)
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		if _, err := t.exec("DELETE FROM consents WHERE client_id = $1", id); err != nil {
			return 0, err
		}
		t.changed("client", id, now)
	}
	return len(ids), nil
}

// sweepClients forgets clients that were never used.
func (db *DB) sweepClients(ctx context.Context, now time.Time) (rows int, err error) {
	for _, o := range [...]struct {
		origin idp.Origin
		keep   time.Duration
	}{{idp.OriginRegistered, keepUnusedRegistered}, {idp.OriginDocument, keepUnusedDocuments}} {
		err = db.write(ctx, "sweep unused clients", func(t *tx) error {
			n, err := t.forgetUnused(o.origin, now.Add(-o.keep), sweepRows, now)
			rows += n
			return err
		})
		if err != nil {
			return rows, err
		}
	}
	return rows, nil
}

// useClient notes that somebody connects a client, once a day: used is where grants come
// from. A client that was forgotten at this moment is idp.ErrNotFound.
func (t *tx) useClient(id string, origin idp.Origin, last, now time.Time) error {
	if origin == idp.OriginOperator || !last.IsZero() && now.Sub(last) < useEvery {
		return nil
	}
	return t.one("UPDATE clients SET last_used_at = $2 WHERE id = $1", id, ms(now))
}

// ChangeRegisteredClient replaces what a registered client says of itself, if hash is that
// of its token. A client that is disabled, or no registered one, is idp.ErrNotFound: it
// does not change, and stays disabled (CLI-04). What an operator says of it stays as it is
// now; idp.ErrConsumed says that an operator has given it another profile meanwhile, by
// whose rules nobody has looked at m, and idp.ErrDenied that it is one of our own, whom
// nobody is asked about, and wants to have codes sent to another address. If it is not to
// people what it was, everybody is asked again (OAU-16).
func (db *DB) ChangeRegisteredClient(ctx context.Context, by idp.Actor, id string, hash [32]byte, m idp.ClientMetadata, now time.Time) error {
	return db.write(ctx, "change client", func(t *tx) error {
		old, err := scanClient(t.row("SELECT "+clientColumns+` FROM clients c
			WHERE c.id = $1 AND c.registration_hash = $2 AND c.origin = 'registered' AND c.disabled_at IS NULL FOR UPDATE`, id, hash[:]))
		switch {
		case err != nil:
			return err
		case old.Profile != m.Profile:
			return idp.ErrConsumed
		case old.FirstParty && m.MoreRedirects(old.ClientMetadata):
			return idp.ErrDenied
		}
		next := m
		next.FirstParty, next.Origins, next.Resources, next.ResponseModes = old.FirstParty, old.Origins, old.Resources, old.ResponseModes
		metadata, err := jsonText(next)
		if err != nil {
			return err
		}
		if err := t.one("UPDATE clients SET metadata = $2, updated_at = $3 WHERE id = $1", id, metadata, ms(now)); err != nil {
			return err
		}
		if !next.SameTo(old.ClientMetadata) {
			if _, err := t.exec("DELETE FROM consents WHERE client_id = $1", id); err != nil {
				return err
			}
		}
		t.changed("client", id, now)
		return t.auditChange(by, old, event{action: "client.put", target: id, clientID: id}, now)
	})
}

// auditChange writes a row about a change that a client makes of itself, if anybody ever
// connected it: strangers could otherwise fill the log with clients of theirs (DOS-03).
func (t *tx) auditChange(by idp.Actor, before idp.Client, e event, now time.Time) error {
	if before.LastUsedAt.IsZero() {
		return nil
	}
	return t.audit(by, e, now)
}

// RemoveRegisteredClient is DeleteClient for a client that removes itself; what it refuses
// is as of ChangeRegisteredClient. Of one that was never used nothing stays: registering
// and removing again and again leaves no rows.
func (db *DB) RemoveRegisteredClient(ctx context.Context, by idp.Actor, id string, hash [32]byte, now time.Time) error {
	return db.write(ctx, "remove client", func(t *tx) error {
		if err := t.lockDirectory(); err != nil {
			return err
		}
		var used time.Time
		err := t.change(`DELETE FROM clients WHERE id = $1 AND registration_hash = $2 AND origin = 'registered' AND disabled_at IS NULL
			RETURNING last_used_at`, id, hash[:]).Scan(asTime{&used})
		if err != nil {
			return err
		}
		if !used.IsZero() {
			return db.clientGone(t, by, id, now)
		}
		if _, err := t.exec("DELETE FROM consents WHERE client_id = $1", id); err != nil {
			return err
		}
		t.changed("client", id, now)
		return t.audit(by, event{action: "client.delete", target: id, clientID: id}, now)
	})
}

// PutDocumentClient adds a client whose id is the address of its document, or replaces
// what was known of it, and returns it as it is now. It neither disables nor enables one
// that exists; a client of another origin, or one that was deleted, is idp.ErrExists. Of
// such clients there are at most so many, as with RegisterClient.
func (db *DB) PutDocumentClient(ctx context.Context, by idp.Actor, c idp.Client, most int, now time.Time) (stored idp.Client, err error) {
	c.Origin = idp.OriginDocument
	metadata, err := jsonText(c.ClientMetadata)
	if err != nil {
		return idp.Client{}, fmt.Errorf("put client: %w", err)
	}
	err = db.write(ctx, "put client of a document", func(t *tx) error {
		if err := t.lockDirectory(); err != nil {
			return err
		}
		if err := t.mayBeClient(c.ID); err != nil {
			return err
		}
		old, err := scanClient(t.row("SELECT "+clientColumns+" FROM clients c WHERE c.id = $1", c.ID))
		switch {
		case errors.Is(err, idp.ErrNotFound):
			if err := t.roomForClient(c.Origin, most, now); err != nil {
				return err
			}
			if err := t.addClient(c, now); err != nil {
				return err
			}
		case err != nil:
			return err
		case old.Origin != idp.OriginDocument:
			return idp.ErrExists
		default:
			if err := t.one("UPDATE clients SET metadata = $2, updated_at = $3 WHERE id = $1", c.ID, metadata, ms(now)); err != nil {
				return err
			}
			t.changed("client", c.ID, now)
		}
		stored, err = scanClient(t.row("SELECT "+clientColumns+" FROM clients c WHERE c.id = $1", c.ID))
		if err != nil {
			return err
		}
		e := event{action: "client.put", target: c.ID, clientID: c.ID, reason: "metadata document"}
		if old.ID == "" { // new: those are counted
			return t.audit(by, e, now)
		}
		return t.auditChange(by, old, e, now)
	})
	return stored, err
}
