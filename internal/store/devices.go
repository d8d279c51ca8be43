package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// pollGrowth is what one poll that came too early adds to the interval (RFC 8628 §3.5),
// pollLeeway what networks may have delayed the one before. An interval of pollMost grows
// no more: whoever hammers is answered without the writer.
const (
	pollGrowth = 5 * time.Second
	pollLeeway = time.Second
	pollMost   = time.Minute
)

const maxDeviceAgent = 512 // bytes of a User-Agent that are kept

const deviceColumns = `id, device_hash, user_hash, sealed_code, client_id, scopes, resource, ip, user_agent, created_at, expires_at,
	poll_interval, polled_at, approved_at, denied_at, redeemed_at, user_id, grant_id`

func scanDevice(s scanner) (d idp.DeviceRequest, err error) {
	var interval int64
	err = s.Scan(&d.ID, asHash{&d.DeviceHash}, asHash{&d.UserHash}, asBytes{&d.SealedCode}, &d.ClientID, asWords{&d.Scopes}, &d.Resource,
		&d.IP, &d.UserAgent, asTime{&d.CreatedAt}, asTime{&d.ExpiresAt}, &interval, asTime{&d.PolledAt}, asTime{&d.ApprovedAt},
		asTime{&d.DeniedAt}, asTime{&d.RedeemedAt}, asText{&d.UserID}, asText{&d.GrantID})
	d.Interval = time.Duration(interval) * time.Millisecond
	return d, err
}

// CreateDeviceRequest stores what a device asked. Anyone may ask who knows the name of a
// public client, so a network, an IPv6 site (idp.SiteFactor times as many), a client and
// all together may have so many that have not expired: else idp.ErrLimited (DOS-03). When
// there are too many in all, networks that have begun next to nothing still find a quarter
// more. idp.ErrExists: one of the codes is taken.
func (db *DB) CreateDeviceRequest(ctx context.Context, d idp.DeviceRequest, network string, q idp.DeviceQuotas, now time.Time) error {
	scopes, err := words(d.Scopes)
	if err != nil {
		return fmt.Errorf("create device request: %w", err)
	}
	if d.ID == "" || d.ClientID == "" {
		return fmt.Errorf("create device request: no id or client: %w", idp.ErrInvalid)
	}
	// Who is over the quota is refused before waiting for the writer, and delays nobody.
	room := func(c *conn) error { return c.deviceRoom(d.ClientID, network, q, now) }
	if err := db.read(ctx, "create device request", room); err != nil {
		return err
	}
	return db.write(ctx, "create device request", func(t *tx) error {
		if err := room(t.conn); err != nil {
			return err
		}
		return t.insert(`INSERT INTO device_requests (id, device_hash, user_hash, sealed_code, client_id, scopes, resource, network, site, ip, user_agent,
				created_at, expires_at, poll_interval)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING`,
			d.ID, d.DeviceHash[:], d.UserHash[:], d.SealedCode, d.ClientID, scopes, d.Resource, network, textOrNull(idp.Site(network)),
			d.IP, shortened(d.UserAgent, maxDeviceAgent), ms(d.CreatedAt), ms(d.ExpiresAt), d.Interval.Milliseconds())
	})
}

// deviceRoom is idp.ErrLimited when a quota is used up. What was answered counts until it
// expires: otherwise whoever answers their own requests had no bound.
func (c *conn) deviceRoom(clientID, network string, q idp.DeviceQuotas, now time.Time) error {
	count := func(where, key string, limit int) (n int, err error) {
		err = c.row("SELECT COUNT(*) FROM (SELECT 1 FROM device_requests WHERE "+where+" = $1 AND expires_at > $2 LIMIT $3) AS alive",
			key, ms(now), limit).Scan(&n)
		return n, err
	}
	ofNetwork, err := count("network", network, q.PerNetwork)
	if err != nil {
		return err
	}
	ofSite, perSite := 0, idp.SiteFactor*q.PerNetwork
	if site := idp.Site(network); site != "" {
		if ofSite, err = count("site", site, perSite); err != nil {
			return err
		}
	}
	ofClient, err := count("client_id", clientID, q.PerClient)
	if err != nil {
		return err
	}
	total := q.Total
	if ofNetwork < max(1, q.PerNetwork/few) && ofSite < max(1, perSite/few) {
		total += total / 4
	}
	var all int
	err = c.row("SELECT COUNT(*) FROM (SELECT 1 FROM device_requests WHERE expires_at > $1 LIMIT $2) AS alive", ms(now), total).Scan(&all)
	if err == nil && (ofNetwork >= q.PerNetwork || ofSite >= perSite || ofClient >= q.PerClient || all >= total) {
		err = fmt.Errorf("device requests: %w", idp.ErrLimited)
	}
	return err
}

// openDevice is what a device request must be for anybody to answer it.
const openDevice = "approved_at IS NULL AND denied_at IS NULL AND expires_at > "

// DeviceRequestByUserCode finds the request whose code a person typed, while nobody has
// answered it: idp.ErrNotFound.
func (db *DB) DeviceRequestByUserCode(ctx context.Context, userHash [32]byte, now time.Time) (d idp.DeviceRequest, err error) {
	err = db.read(ctx, "find device request", func(c *conn) (err error) {
		d, err = scanDevice(c.row("SELECT "+deviceColumns+" FROM device_requests WHERE user_hash = $1 AND "+openDevice+"$2", userHash[:], ms(now)))
		return err
	})
	return d, err
}

// OpenDeviceRequest returns a request that nobody has answered yet: idp.ErrNotFound.
func (db *DB) OpenDeviceRequest(ctx context.Context, id string, now time.Time) (d idp.DeviceRequest, err error) {
	err = db.read(ctx, "read device request", func(c *conn) (err error) {
		d, err = scanDevice(c.row("SELECT "+deviceColumns+" FROM device_requests WHERE id = $1 AND "+openDevice+"$2", id, ms(now)))
		return err
	})
	return d, err
}

// PollDevice tells a client what became of its request, and notes that it asked. Among
// polls that come within the interval one is answered; for the others it is idp.ErrLimited
// and the interval grows (RFC 8628 §3.5). Unknown or another client's: idp.ErrNotFound;
// too late: idp.ErrExpired; one that was redeemed: idp.ErrConsumed.
func (db *DB) PollDevice(ctx context.Context, deviceHash [32]byte, clientID string, now time.Time) (d idp.DeviceRequest, err error) {
	due := now.Add(pollLeeway)
	err = db.read(ctx, "poll device request", func(c *conn) (err error) {
		d, err = scanDevice(c.row("SELECT "+deviceColumns+" FROM device_requests WHERE device_hash = $1 AND client_id = $2", deviceHash[:], clientID))
		switch {
		case err != nil:
			return err
		case d.RedeemedAt.IsZero() && !now.Before(d.ExpiresAt):
			return idp.ErrExpired
		case d.Interval >= pollMost && !d.PolledAt.IsZero() && due.Before(d.PolledAt.Add(d.Interval)):
			return idp.ErrLimited
		}
		return nil
	})
	if err != nil {
		return idp.DeviceRequest{}, err
	}
	err = db.write(ctx, "poll device request", func(t *tx) (err error) {
		d, err = scanDevice(t.change(`UPDATE device_requests SET polled_at = $3
			WHERE device_hash = $1 AND client_id = $2 AND (polled_at IS NULL OR polled_at + poll_interval <= $4)
			RETURNING `+deviceColumns, deviceHash[:], clientID, ms(now), ms(due)))
		switch {
		case errors.Is(err, idp.ErrNotFound):
			return t.tooEarly(deviceHash, now)
		case err == nil && !d.RedeemedAt.IsZero():
			err = kept{idp.ErrConsumed}
		}
		return err
	})
	if err != nil {
		return idp.DeviceRequest{}, err
	}
	return d, nil
}

// tooEarly notes a poll that came within the interval.
func (t *tx) tooEarly(deviceHash [32]byte, now time.Time) error {
	err := t.one("UPDATE device_requests SET poll_interval = poll_interval + $2, polled_at = $3 WHERE device_hash = $1",
		deviceHash[:], pollGrowth.Milliseconds(), ms(now))
	if err != nil {
		return err // swept at this moment
	}
	return kept{fmt.Errorf("polls: %w", idp.ErrLimited)}
}

// ConfirmAuthRequest notes that a person said that they began the device's request
// themselves. Like the other steps it drops the marks of another session.
func (db *DB) ConfirmAuthRequest(ctx context.Context, id string, browserHash [32]byte, sessionID string, at time.Time) error {
	return db.write(ctx, "note confirmation", func(t *tx) error {
		return t.step(`UPDATE auth_requests SET confirmed_at = $4, confirmed_by = $3, session_id = $3, denied_at = NULL,
				login_at = CASE WHEN session_id = $3 THEN login_at END, selected_at = CASE WHEN session_id = $3 THEN selected_at END,
				consented_at = CASE WHEN session_id = $3 THEN consented_at END
			WHERE id = $1 AND browser_hash = $2 AND finished_at IS NULL AND expires_at > $4 AND device_id IS NOT NULL`,
			id, browserHash, sessionID, ms(at))
	})
}

// FinishDeviceRequest ends a flow with a grant for the device that waits, for exactly one
// caller: a request that was answered, by whomever, is idp.ErrConsumed. The session that
// finishes must be the one that confirmed, and nobody must have said no since. If the user, the client, the session or the
// approval is not what it was, it is idp.ErrDenied and nothing has happened.
func (db *DB) FinishDeviceRequest(ctx context.Context, by idp.Actor, id string, browserHash [32]byte, a idp.Approval, g idp.Grant, now time.Time) error {
	return db.write(ctx, "finish device request", func(t *tx) error {
		err := t.step(`UPDATE auth_requests SET finished_at = $3, parameters = ''
			WHERE id = $1 AND browser_hash = $2 AND finished_at IS NULL AND expires_at > $3 AND client_id = $4
				AND device_id IS NOT NULL AND confirmed_by = $5 AND session_id = $5 AND denied_at IS NULL`, id, browserHash, ms(now), g.ClientID, a.SessionID)
		if err != nil {
			return err
		}
		device, err := t.answerDevice(id, "approved_at = $2, user_id = $3, grant_id = $4", ms(now), g.UserID, g.ID)
		if err != nil {
			return err
		}
		if device.clientID != g.ClientID {
			return idp.ErrNotFound
		}
		if err := db.insertGrant(t, by, a, g, now); err != nil {
			return err
		}
		return t.audit(by, event{action: "device.approve", target: device.id, userID: g.UserID, clientID: g.ClientID, device: true}, now)
	})
}

// RefuseDeviceRequest ends a flow with a no for the device that waits, for exactly one
// caller.
func (db *DB) RefuseDeviceRequest(ctx context.Context, by idp.Actor, id string, browserHash [32]byte, now time.Time) error {
	return db.write(ctx, "refuse device request", func(t *tx) error {
		err := t.step(`UPDATE auth_requests SET finished_at = $3, parameters = ''
			WHERE id = $1 AND browser_hash = $2 AND finished_at IS NULL AND expires_at > $3 AND device_id IS NOT NULL`, id, browserHash, ms(now))
		if err != nil {
			return err
		}
		device, err := t.answerDevice(id, "denied_at = $2, user_id = $3", ms(now), textOrNull(by.ID))
		if err != nil {
			return err
		}
		return t.audit(by, event{action: "device.deny", refused: true, target: device.id, userID: by.ID, clientID: device.clientID}, now)
	})
}

// answeredDevice is which device's request was answered.
type answeredDevice struct{ id, clientID string }

// answerDevice answers the request of a flow's device, unless somebody has, or it is too
// late: idp.ErrConsumed. at is the first of args.
func (t *tx) answerDevice(flow, set string, args ...any) (d answeredDevice, err error) {
	err = t.change("UPDATE device_requests SET "+set+" WHERE id = (SELECT device_id FROM auth_requests WHERE id = $1) AND "+openDevice+"$2 RETURNING id, client_id",
		append([]any{flow}, args...)...).Scan(&d.id, &d.clientID)
	if errors.Is(err, idp.ErrNotFound) {
		err = fmt.Errorf("device request was answered: %w", idp.ErrConsumed)
	}
	return d, err
}

// RedeemDevice uses an approved request up and, if refresh is not nil, stores the first
// refresh token of its grant: for exactly one caller. For a second one the grant is revoked
// in the same transaction and the answer is idp.ErrConsumed: whoever comes second, one of
// the two has a stolen code. Not approved, expired, or its grant dead: idp.ErrNotFound.
func (db *DB) RedeemDevice(ctx context.Context, by idp.Actor, deviceHash [32]byte, refresh *idp.RefreshToken, now time.Time) error {
	return db.write(ctx, "redeem device code", func(t *tx) error {
		var grantID string
		err := t.change(`UPDATE device_requests SET redeemed_at = $2
			WHERE device_hash = $1 AND approved_at IS NOT NULL AND redeemed_at IS NULL AND expires_at > $2
				AND EXISTS (SELECT 1 FROM grants g WHERE g.id = device_requests.grant_id AND g.revoked_at IS NULL AND g.expires_at > $2)
			RETURNING grant_id`, deviceHash[:], ms(now)).Scan(&grantID)
		if errors.Is(err, idp.ErrNotFound) {
			return db.replayed(t, by, "SELECT grant_id FROM device_requests WHERE device_hash = $1 AND redeemed_at IS NOT NULL", deviceHash,
				event{action: "device.replay", reason: "device code used twice; grant revoked"}, now)
		}
		if err != nil {
			return err
		}
		if refresh != nil {
			if err := t.firstRefresh(*refresh, grantID); err != nil {
				return err
			}
		}
		return t.auditGrant(by, event{action: "device.connect"}, grantID, now)
	})
}

// ForgiveAttempt takes back one attempt that was counted: it was none.
func (db *DB) ForgiveAttempt(ctx context.Context, limits []idp.Limit, now time.Time) error {
	return db.write(ctx, "forgive attempt", func(t *tx) error {
		for _, l := range limits {
			if _, err := t.exec("UPDATE attempts SET n = n - 1 WHERE key = $1 AND n > 0 AND expires_at > $2", attemptKey(l.Key), ms(now)); err != nil {
				return err
			}
		}
		return nil
	})
}
