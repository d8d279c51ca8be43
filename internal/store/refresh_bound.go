package store

import (
	"context"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// BindRefreshToken binds a family that is bound to no key yet to the key with the
// thumbprint jkt, if presented is its live token (RFC 9449 §5). Of many callers with
// different keys one wins; the others, and those with a token that was used up, get
// idp.ErrConsumed. A family that is expired or revoked is idp.ErrNotFound.
func (db *DB) BindRefreshToken(ctx context.Context, handleHash, presented [32]byte, jkt string, now time.Time) error {
	return db.write(ctx, "bind refresh token", func(t *tx) error {
		return t.ofFamily(handleHash, now, `UPDATE grants SET refresh_jkt = $4
			WHERE refresh_handle = $1 AND revoked_at IS NULL AND expires_at > $2 AND refresh_expires_at > $2
				AND refresh_hash = $3 AND (refresh_jkt IS NULL OR refresh_jkt = $4)`, presented[:], jkt)
	})
}

// UseRefreshToken notes a use of a token that stays as it is, because something else keeps
// thieves from using it (FAPI 2.0 §5.3.2.1). If it is not its family's live token it is
// idp.ErrConsumed; if the family is expired or revoked, idp.ErrNotFound.
func (db *DB) UseRefreshToken(ctx context.Context, handleHash, presented [32]byte, now time.Time) error {
	return db.write(ctx, "use refresh token", func(t *tx) error {
		return t.ofFamily(handleHash, now, `UPDATE grants SET last_used_at = $2
			WHERE refresh_handle = $1 AND revoked_at IS NULL AND expires_at > $2 AND refresh_expires_at > $2
				AND refresh_hash = $3`, presented[:])
	})
}

// ofFamily runs an update of a living family that asks for more than that it lives.
func (t *tx) ofFamily(handleHash [32]byte, now time.Time, update string, args ...any) error {
	n, err := t.exec(update, append([]any{handleHash[:], ms(now)}, args...)...)
	if err != nil || n > 0 {
		return err
	}
	err = t.known(`SELECT 1 FROM grants
		WHERE refresh_handle = $1 AND revoked_at IS NULL AND expires_at > $2 AND refresh_expires_at > $2`, handleHash[:], ms(now))
	if err == nil {
		err = idp.ErrConsumed
	}
	return err
}
