package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// asked is what a client asked, as it is stored: short, for there is one of it for every login.
type asked struct {
	RedirectURI   string            `json:"r"`
	State         string            `json:"st,omitempty"`
	StateSent     bool              `json:"ss,omitempty"`
	Nonce         string            `json:"n,omitempty"`
	Scopes        []string          `json:"sc,omitempty"`
	Resource      string            `json:"a,omitempty"`
	CodeChallenge string            `json:"c,omitempty"`
	JKT           string            `json:"k,omitempty"`
	Prompt        []string          `json:"p,omitempty"`
	MaxAge        int64             `json:"m"` // nanoseconds
	LoginHint     string            `json:"h,omitempty"`
	Subject       string            `json:"u,omitempty"`
	UILocales     []string          `json:"l,omitempty"`
	ACR           []string          `json:"acr,omitempty"`
	ResponseMode  string            `json:"rm,omitempty"`
	Claims        idp.ClaimsRequest `json:"cl,omitzero"`
	Pushed        []byte            `json:"pu,omitempty"` // hash of the pushed request that it uses up
}

func askedOf(r idp.AuthRequest) asked {
	a := asked{
		RedirectURI: r.RedirectURI, State: r.State, StateSent: r.StateSent, Nonce: r.Nonce, Scopes: r.Scopes, Resource: r.Resource,
		CodeChallenge: r.CodeChallenge, JKT: r.JKT, Prompt: r.Prompt, MaxAge: int64(r.MaxAge), LoginHint: r.LoginHint,
		Subject: r.Subject, UILocales: r.UILocales, ACR: r.ACR, ResponseMode: r.ResponseMode, Claims: r.Claims,
	}
	if r.PushedHash != ([32]byte{}) {
		a.Pushed = r.PushedHash[:]
	}
	return a
}

func (a asked) fill(r *idp.AuthRequest) {
	r.RedirectURI, r.State, r.StateSent, r.Nonce, r.Scopes, r.Resource = a.RedirectURI, a.State, a.StateSent, a.Nonce, a.Scopes, a.Resource
	r.CodeChallenge, r.JKT, r.Prompt, r.MaxAge, r.LoginHint = a.CodeChallenge, a.JKT, a.Prompt, time.Duration(a.MaxAge), a.LoginHint
	r.Subject, r.UILocales, r.ACR, r.ResponseMode, r.Claims = a.Subject, a.UILocales, a.ACR, a.ResponseMode, a.Claims
	copy(r.PushedHash[:], a.Pushed)
}

// CreateAuthRequest stores an authorization request on its way through the pages. Anyone
// may start one, so a network may have perNetwork open ones, an IPv6 site
// idp.SiteFactor times as many, and the table total rows, finished ones included until
// they are swept: else idp.ErrLimited (DOS-03). When the table is full, those who have
// begun next to nothing still find a quarter more.
func (db *DB) CreateAuthRequest(ctx context.Context, r idp.AuthRequest, network string, perNetwork, total int, now time.Time) error {
	if r.ID == "" {
		return fmt.Errorf("create authorization request: no id: %w", idp.ErrInvalid)
	}
	parameters, err := jsonText(askedOf(r))
	if err != nil {
		return fmt.Errorf("create authorization request: %w", err)
	}
	// Who is over the quota is refused before waiting for the writer, and delays nobody.
	err = db.read(ctx, "create authorization request", func(c *conn) error {
		_, err := c.openRequests(network, perNetwork, now)
		return err
	})
	if err != nil {
		return err
	}
	return db.write(ctx, "create authorization request", func(t *tx) error {
		if err := t.requestQuota(network, perNetwork, total, now); err != nil {
			return err
		}
		return t.insert(`INSERT INTO auth_requests (id, browser_hash, client_id, network, site, parameters, created_at, expires_at, device_id)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
			r.ID, r.BrowserHash[:], r.ClientID, network, textOrNull(idp.Site(network)), parameters, ms(r.CreatedAt), ms(r.ExpiresAt), textOrNull(r.DeviceID))
	})
}

// few is which part of its quota a network or a site may have begun to count as one that
// has begun next to nothing: 10 requests of 1,000.
const few = 100

// openRequests refuses a network, or a site, that has begun too many requests. modest
// says that it has begun few.
func (c *conn) openRequests(network string, perNetwork int, now time.Time) (modest bool, err error) {
	var open, ofSite int
	err = c.row(`SELECT COUNT(*) FROM (SELECT 1 FROM auth_requests
		WHERE network = $1 AND finished_at IS NULL AND expires_at > $2 LIMIT $3) AS open`, network, ms(now), perNetwork).Scan(&open)
	if err != nil {
		return false, err
	}
	perSite := idp.SiteFactor * perNetwork
	if site := idp.Site(network); site != "" {
		err = c.row(`SELECT COUNT(*) FROM (SELECT 1 FROM auth_requests
			WHERE site = $1 AND finished_at IS NULL AND expires_at > $2 LIMIT $3) AS open`, site, ms(now), perSite).Scan(&ofSite)
	}
	if err == nil && (open >= perNetwork || ofSite >= perSite) {
		err = fmt.Errorf("authorization requests of one network: %w", idp.ErrLimited)
	}
	return open < perNetwork/few && ofSite < perSite/few, err
}

func (t *tx) requestQuota(network string, perNetwork, total int, now time.Time) error {
	modest, err := t.openRequests(network, perNetwork, now)
	if err != nil {
		return err
	}
	if modest {
		total += total / 4
	}
	rows, err := t.tally(tallyRequests, 1)
	if err != nil || rows <= int64(total) {
		return err
	}
	swept, err := t.sweep(sweepRequests, now) // expired rows make room for a living one
	if err == nil && rows-int64(swept) > int64(total) {
		err = fmt.Errorf("authorization requests: %w", idp.ErrLimited)
	}
	return err
}

// AuthRequest returns a request that is under way in this browser. Ended: idp.ErrConsumed;
// expired, unknown or another browser's: idp.ErrNotFound.
func (db *DB) AuthRequest(ctx context.Context, id string, browserHash [32]byte, now time.Time) (r idp.AuthRequest, err error) {
	err = db.read(ctx, "read authorization request", func(c *conn) error {
		var p asked
		var finished time.Time
		err := c.row(`SELECT id, browser_hash, client_id, parameters, created_at, expires_at, session_id,
				login_at, selected_at, consented_at, denied_at, finished_at, device_id, confirmed_at, confirmed_by
			FROM auth_requests WHERE id = $1 AND browser_hash = $2 AND expires_at > $3`, id, browserHash[:], ms(now)).Scan(
			&r.ID, asHash{&r.BrowserHash}, &r.ClientID, asJSON{&p}, asTime{&r.CreatedAt}, asTime{&r.ExpiresAt}, asText{&r.SessionID},
			asTime{&r.LoginAt}, asTime{&r.SelectedAt}, asTime{&r.ConsentedAt}, asTime{&r.DeniedAt}, asTime{&finished},
			asText{&r.DeviceID}, asTime{&r.ConfirmedAt}, asText{&r.ConfirmedBy})
		if err == nil && !finished.IsZero() {
			err = idp.ErrConsumed
		}
		if err != nil {
			r = idp.AuthRequest{}
			return err
		}
		p.fill(&r)
		return nil
	})
	return r, err
}

// What one person did in a request says nothing about the next: each of the verbs below
// drops the marks of another session. Otherwise the yes of one account would count for
// the account that was switched to (OAU-16).

// LoginAuthRequest notes that a person authenticated within the request.
func (db *DB) LoginAuthRequest(ctx context.Context, id string, browserHash [32]byte, sessionID string, at time.Time) error {
	return db.write(ctx, "note login", func(t *tx) error {
		// Whoever logs in has chosen the account, so selected_at stays.
		return t.step(`UPDATE auth_requests SET login_at = $4, session_id = $3,
				consented_at = CASE WHEN session_id = $3 THEN consented_at END, denied_at = CASE WHEN session_id = $3 THEN denied_at END
			WHERE id = $1 AND browser_hash = $2 AND finished_at IS NULL AND expires_at > $4`, id, browserHash, sessionID, ms(at))
	})
}

// SelectAuthRequest notes that a person chose the account to go on with.
func (db *DB) SelectAuthRequest(ctx context.Context, id string, browserHash [32]byte, sessionID string, at time.Time) error {
	return db.write(ctx, "note selected account", func(t *tx) error {
		return t.step(`UPDATE auth_requests SET selected_at = $4, session_id = $3,
				login_at = CASE WHEN session_id = $3 THEN login_at END, consented_at = CASE WHEN session_id = $3 THEN consented_at END,
				denied_at = CASE WHEN session_id = $3 THEN denied_at END
			WHERE id = $1 AND browser_hash = $2 AND finished_at IS NULL AND expires_at > $4`, id, browserHash, sessionID, ms(at))
	})
}

// DenyAuthRequest notes that a person said no.
func (db *DB) DenyAuthRequest(ctx context.Context, by idp.Actor, id string, browserHash [32]byte, sessionID string, at time.Time) error {
	return db.write(ctx, "note denial", func(t *tx) error {
		err := t.step(`UPDATE auth_requests SET denied_at = $4, session_id = $3, consented_at = NULL,
				login_at = CASE WHEN session_id = $3 THEN login_at END, selected_at = CASE WHEN session_id = $3 THEN selected_at END
			WHERE id = $1 AND browser_hash = $2 AND finished_at IS NULL AND expires_at > $4`, id, browserHash, sessionID, ms(at))
		if err != nil {
			return err
		}
		e := event{action: "consent.deny", refused: true, userID: by.ID}
		if err := t.row("SELECT client_id FROM auth_requests WHERE id = $1", id).Scan(&e.clientID); err != nil {
			return err
		}
		e.target = e.clientID
		return t.audit(by, e, at)
	})
}

// ConsentAuthRequest notes that a person said yes, and adds what to their consent. The
// session must be the person's and alive, the client the one that asked, and the same that
// the page has shown: one that changed its registration since the request began is
// idp.ErrNotFound (OAU-16).
func (db *DB) ConsentAuthRequest(ctx context.Context, by idp.Actor, id string, browserHash [32]byte, sessionID string, c idp.Consent, now time.Time) error {
	return db.write(ctx, "consent", func(t *tx) error {
		// Two consents of one person at once must add up.
		if err := t.known("SELECT 1 FROM users WHERE id = $1 FOR UPDATE", c.UserID); err != nil {
			return err
		}
		if err := t.liveSession(sessionID, c.UserID, now); err != nil {
			return err
		}
		err := t.step(`UPDATE auth_requests SET consented_at = $4, session_id = $3, denied_at = NULL,
				login_at = CASE WHEN session_id = $3 THEN login_at END, selected_at = CASE WHEN session_id = $3 THEN selected_at END
			WHERE id = $1 AND browser_hash = $2 AND finished_at IS NULL AND expires_at > $4 AND client_id = $5
				AND NOT EXISTS (SELECT 1 FROM clients c WHERE c.id = $5 AND c.origin = 'registered' AND c.updated_at > auth_requests.created_at)`,
			id, browserHash, sessionID, ms(now), c.ClientID)
		if err != nil {
			return err
		}
		return t.mergeConsent(by, c, now)
	})
}

// step runs an update of a request that is under way in this browser: none of it was
// changed means idp.ErrConsumed if it has ended, idp.ErrNotFound otherwise.
func (t *tx) step(update, id string, browserHash [32]byte, args ...any) error {
	n, err := t.exec(update, append([]any{id, browserHash[:]}, args...)...)
	if err != nil || n > 0 {
		return err
	}
	ended, err := t.exists("SELECT 1 FROM auth_requests WHERE id = $1 AND browser_hash = $2 AND finished_at IS NOT NULL", id, browserHash[:])
	if err != nil {
		return err
	}
	if ended {
		return idp.ErrConsumed
	}
	return idp.ErrNotFound
}

// FinishAuthRequest ends a request with a grant and its code, for exactly one caller; the
// others get idp.ErrConsumed. If the user, the client, the session or the approval is not
// what it was, it is idp.ErrDenied and nothing has happened.
func (db *DB) FinishAuthRequest(ctx context.Context, by idp.Actor, id string, browserHash [32]byte, a idp.Approval, g idp.Grant, code idp.Code, now time.Time) error {
	return db.write(ctx, "finish authorization request", func(t *tx) error {
		pushed, clientID, err := t.pushedBy(id, browserHash)
		if err != nil {
			return err
		}
		// Of a finished request only the fact is kept.
		err = t.step(`UPDATE auth_requests SET finished_at = $3, parameters = ''
			WHERE id = $1 AND browser_hash = $2 AND finished_at IS NULL AND expires_at > $3 AND client_id = $4 AND device_id IS NULL
				AND denied_at IS NULL`,
			id, browserHash, ms(now), g.ClientID)
		if err != nil {
			return err
		}
		if err := t.usePushed(pushed, clientID); err != nil {
			return err
		}
		var sessionID string
		if err := t.row("SELECT session_id FROM auth_requests WHERE id = $1", id).Scan(asText{&sessionID}); err != nil {
			return err
		}
		if err := db.issueCode(t, by, a, g, code, now); err != nil || sessionID == "" {
			return err
		}
		err = t.liveSession(sessionID, g.UserID, now) // also for an offline grant, which names no session
		if errors.Is(err, idp.ErrNotFound) {
			err = fmt.Errorf("session of the request: %w", idp.ErrDenied)
		}
		return err
	})
}

// RefuseAuthRequest ends a request without a grant, for exactly one caller; the others
// get idp.ErrConsumed.
func (db *DB) RefuseAuthRequest(ctx context.Context, id string, browserHash [32]byte, now time.Time) error {
	return db.write(ctx, "refuse authorization request", func(t *tx) error {
		pushed, clientID, err := t.pushedBy(id, browserHash)
		if err != nil {
			return err
		}
		err = t.step(`UPDATE auth_requests SET finished_at = $3, parameters = ''
			WHERE id = $1 AND browser_hash = $2 AND finished_at IS NULL AND expires_at > $3`, id, browserHash, ms(now))
		if err != nil {
			return err
		}
		return t.usePushed(pushed, clientID)
	})
}
