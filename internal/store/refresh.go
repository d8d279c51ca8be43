package store

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

const (
	maxRecent = 8   // uses within the retry window that a family remembers
	maxSealed = 512 // bytes of a sealed successor
)

// firstRefresh begins the family of a grant that has none; grantID is the grant of what
// was just redeemed.
func (t *tx) firstRefresh(r idp.RefreshToken, grantID string) error {
	if r.GrantID != grantID {
		return fmt.Errorf("refresh token is not of this grant: %w", idp.ErrInvalid)
	}
	err := t.one(`UPDATE grants SET refresh_handle = $2, refresh_hash = $3, refresh_generation = $4, refresh_expires_at = $5, refresh_jkt = $6
		WHERE id = $1 AND refresh_handle IS NULL`, r.GrantID, r.HandleHash[:], r.CurrentHash[:], r.Generation, ms(r.ExpiresAt), textOrNull(r.JKT))
	if errors.Is(err, idp.ErrNotFound) {
		return fmt.Errorf("the grant has a refresh token: %w", idp.ErrInvalid)
	}
	return err
}

// Refresh returns a family of refresh tokens with its grant, in one query. A family that
// is expired or revoked is idp.ErrNotFound.
func (db *DB) Refresh(ctx context.Context, handleHash [32]byte, now time.Time) (idp.RefreshToken, idp.Standing, error) {
	var token idp.RefreshToken
	var r standingRow
	err := db.read(ctx, "read refresh token", func(c *conn) error {
		return c.row("SELECT g.refresh_handle, g.refresh_hash, g.refresh_generation, g.refresh_expires_at, g.refresh_jkt, "+standingColumns+
			" FROM grants g"+standingJoins+
			" WHERE g.refresh_handle = $1 AND g.revoked_at IS NULL AND g.expires_at > $2 AND g.refresh_expires_at > $2",
			handleHash[:], ms(now)).Scan(r.dest(asHash{&token.HandleHash}, asHash{&token.CurrentHash}, &token.Generation, asTime{&token.ExpiresAt}, asText{&token.JKT})...)
	})
	if err != nil {
		return idp.RefreshToken{}, idp.Standing{}, err
	}
	token.GrantID = r.Grant.ID
	return token, r.standing(now), nil
}

// family is a family's state while a token of it is presented.
type family struct {
	grantID string
	current [32]byte
	recent  []use
}

// use is one use of a token within the retry window, with the successor that it got.
type use struct {
	hash   [32]byte
	at     time.Time
	sealed []byte
}

// RotateRefreshToken uses the presented token up and makes next the family's one live
// token. sealed is the successor for whoever can show the presented token: should its
// answer be lost, a retry within the window gets it again (Retried). A token that was
// used up longer ago is a thief's or its victim's: then the grant is revoked in the
// same transaction (Reused; RFC 9700 §4.14.2). A family that is expired or revoked is idp.ErrNotFound.
func (db *DB) RotateRefreshToken(ctx context.Context, by idp.Actor, handleHash, presented, next [32]byte, sealed []byte,
	window time.Duration, now time.Time,
) (outcome idp.Rotation, successor []byte, err error) {
	if len(sealed) > maxSealed {
		return "", nil, fmt.Errorf("rotate refresh token: successor is too long: %w", idp.ErrInvalid)
	}
	err = db.write(ctx, "rotate refresh token", func(t *tx) error {
		successor = nil
		f, err := lockFamily(t.conn, handleHash, now)
		if err != nil {
			return err
		}
		if subtle.ConstantTimeCompare(f.current[:], presented[:]) == 1 {
			outcome, successor = idp.Rotated, sealed
			return t.rotate(f, presented, next, sealed, window, now)
		}
		if u, ok := f.retry(presented, window, now); ok {
			outcome, successor = idp.Retried, u.sealed
			return nil
		}
		outcome = idp.Reused
		if _, err := db.revokeGrant(t, f.grantID, now); err != nil {
			return err
		}
		return t.auditGrant(by, event{action: "refresh.reuse", refused: true, reason: "refresh token used again; grant revoked"}, f.grantID, now)
	})
	if err != nil {
		return "", nil, err
	}
	return outcome, successor, nil
}

// lockFamily reads a family of which nobody else can use a token until the verb is through.
func lockFamily(c *conn, handleHash [32]byte, now time.Time) (f family, err error) {
	var recent []byte
	err = c.row(`SELECT id, refresh_hash, refresh_recent FROM grants
		WHERE refresh_handle = $1 AND revoked_at IS NULL AND expires_at > $2 AND refresh_expires_at > $2
		FOR UPDATE`, handleHash[:], ms(now)).Scan(
		&f.grantID, asHash{&f.current}, asBytes{&recent})
	if err == nil {
		f.recent, err = decodeUses(recent)
	}
	return f, err
}

// rotate changes one row in place. The condition on the current token says once more that
// nobody else has used it.
func (t *tx) rotate(f family, presented, next [32]byte, sealed []byte, window time.Duration, now time.Time) error {
	uses := []use{{hash: presented, at: now, sealed: sealed}}
	for _, u := range f.recent {
		if len(uses) < maxRecent && u.within(window, now) {
			uses = append(uses, u)
		}
	}
	return t.one(`UPDATE grants SET refresh_hash = $3, refresh_generation = refresh_generation + 1, refresh_recent = $4, last_used_at = $5
		WHERE id = $1 AND refresh_hash = $2 AND revoked_at IS NULL`, f.grantID, presented[:], next[:], encodeUses(uses), ms(now))
}

// retry finds the use of a token that was used up just now.
func (f family) retry(presented [32]byte, window time.Duration, now time.Time) (use, bool) {
	for _, u := range f.recent {
		if subtle.ConstantTimeCompare(u.hash[:], presented[:]) == 1 {
			return u, u.within(window, now)
		}
	}
	return use{}, false
}

// within also refuses a use far in the future: a clock that was set back must not make
// an old token good again (STO-05).
func (u use) within(window time.Duration, now time.Time) bool {
	return now.Sub(u.at).Abs() <= window
}

// Uses are stored newest first, each as hash, time, length of the successor, successor.
const useHeader = 32 + 8 + 2

func encodeUses(uses []use) []byte {
	var b bytes.Buffer
	for _, u := range uses {
		b.Write(u.hash[:])
		b.Write(binary.BigEndian.AppendUint64(nil, uint64(ms(u.at))))
		b.Write(binary.BigEndian.AppendUint16(nil, uint16(len(u.sealed))))
		b.Write(u.sealed)
	}
	return b.Bytes()
}

func decodeUses(b []byte) (uses []use, err error) {
	for len(b) > 0 {
		if len(b) < useHeader {
			return nil, errors.New("uses of a refresh token are cut off")
		}
		u := use{hash: [32]byte(b), at: time.UnixMilli(int64(binary.BigEndian.Uint64(b[32:]))).UTC()}
		end := useHeader + int(binary.BigEndian.Uint16(b[40:]))
		if len(b) < end {
			return nil, errors.New("uses of a refresh token are cut off")
		}
		u.sealed, b = b[useHeader:end:end], b[end:]
		uses = append(uses, u)
	}
	return uses, nil
}
