package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// IssueCode stores a grant and its code when nothing had to be asked. If the user, the
// client or the approval is not what it was, it is idp.ErrDenied; if the pushed request
// that it answers was answered before, idp.ErrConsumed.
func (db *DB) IssueCode(ctx context.Context, by idp.Actor, a idp.Approval, g idp.Grant, code idp.Code, now time.Time) error {
	return db.write(ctx, "issue code", func(t *tx) error {
		if err := t.usePushed(a.PushedHash, g.ClientID); err != nil {
			return err
		}
		return db.issueCode(t, by, a, g, code, now)
	})
}

func (db *DB) issueCode(t *tx, by idp.Actor, a idp.Approval, g idp.Grant, code idp.Code, now time.Time) error {
	if code.GrantID != g.ID || code.ClientID != g.ClientID {
		return fmt.Errorf("code is not of this grant: %w", idp.ErrInvalid)
	}
	if err := db.insertGrant(t, by, a, g, now); err != nil {
		return err
	}
	return t.insert(`INSERT INTO codes (hash, grant_id, client_id, redirect_uri, code_challenge, expires_at, dpop_jkt)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
		code.Hash[:], code.GrantID, code.ClientID, code.RedirectURI, code.CodeChallenge, ms(code.ExpiresAt), textOrNull(code.JKT))
}

// Code returns a code that may be redeemed, or that was and may be used a second time by
// a thief (RedeemCode answers that), with its grant: one query. Else idp.ErrNotFound.
func (db *DB) Code(ctx context.Context, hash [32]byte, now time.Time) (idp.Code, idp.Standing, error) {
	var code idp.Code
	var r standingRow
	err := db.read(ctx, "read code", func(c *conn) error {
		return c.row(`SELECT o.hash, o.grant_id, o.client_id, o.redirect_uri, o.code_challenge, o.expires_at, o.redeemed_at, o.dpop_jkt, `+standingColumns+`
			FROM codes o JOIN grants g ON g.id = o.grant_id`+standingJoins+`
			WHERE o.hash = $1 AND (o.expires_at > $2 OR o.redeemed_at IS NOT NULL) AND g.revoked_at IS NULL AND g.expires_at > $2`,
			hash[:], ms(now)).Scan(r.dest(asHash{&code.Hash}, &code.GrantID, &code.ClientID, &code.RedirectURI, &code.CodeChallenge,
			asTime{&code.ExpiresAt}, asTime{&code.RedeemedAt}, asText{&code.JKT})...)
	})
	if err != nil {
		return idp.Code{}, idp.Standing{}, err
	}
	return code, r.standing(now), nil
}

// RedeemCode uses a code up and, if refresh is not nil, stores the first refresh token
// of its grant: for exactly one caller. For a second one the grant is revoked in the
// same transaction and the answer is idp.ErrConsumed (RFC 6749 §4.1.2, OAU-04). Expired,
// unknown, its grant dead, or the login over at which it was made, also for an offline
// grant, which outlives a login only once somebody holds it: idp.ErrNotFound.
func (db *DB) RedeemCode(ctx context.Context, by idp.Actor, hash [32]byte, refresh *idp.RefreshToken, now time.Time) error {
	return db.write(ctx, "redeem code", func(t *tx) error {
		var grantID string
		err := t.change(`UPDATE codes SET redeemed_at = $2
			WHERE hash = $1 AND redeemed_at IS NULL AND expires_at > $2
				AND EXISTS (SELECT 1 FROM grants g WHERE g.id = codes.grant_id AND g.revoked_at IS NULL AND g.expires_at > $2
					AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id = g.login_session_id AND s.ended_at IS NOT NULL))
			RETURNING grant_id`, hash[:], ms(now)).Scan(&grantID)
		if errors.Is(err, idp.ErrNotFound) {
			return db.replayed(t, by, "SELECT grant_id FROM codes WHERE hash = $1 AND redeemed_at IS NOT NULL", hash,
				event{action: "code.replay", reason: "code used twice; grant revoked"}, now)
		}
		if err != nil || refresh == nil {
			return err
		}
		return t.firstRefresh(*refresh, grantID)
	})
}

// replayed answers for what could not be redeemed. If that is because it was redeemed
// before, somebody has stolen it: what was issued for it dies, and e says so. grantOf
// finds the grant that was redeemed under a hash.
func (db *DB) replayed(t *tx, by idp.Actor, grantOf string, hash [32]byte, e event, now time.Time) error {
	var grantID string
	if err := t.row(grantOf, hash[:]).Scan(&grantID); err != nil {
		return err
	}
	done, err := db.revokeGrant(t, grantID, now)
	if err != nil {
		return err
	}
	if done {
		e.refused = true
		if err := t.auditGrant(by, e, grantID, now); err != nil {
			return err
		}
	}
	return kept{idp.ErrConsumed}
}
