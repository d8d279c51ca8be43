package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

// Rows of heads: the two logs, and tallies of rows whose number has a bound.
const (
	headRevocations = "revocations"
	headChanges     = "changes"
	tallyRequests   = "auth_requests"
	tallyAttempts   = "attempts"
	tallyRefusals   = "refusals"
	tallyPushed     = "pushed_requests"
)

// beforeMargin is how far into the future a rule about "everything until now" reaches,
// so that no token of a node with a slow clock escapes (verifiers allow 60 s ahead).
const beforeMargin = 2 * time.Second

func newEpoch() string { return secret.ID() }

func head(c *conn, name string) (epoch string, seq int64, err error) {
	err = c.row("SELECT epoch, seq FROM heads WHERE name = $1", name).Scan(&epoch, &seq)
	return epoch, seq, err
}

// advance moves a head by n and returns where it stands then. Its row stays locked until
// the commit: what numbers say has no gap.
func (t *tx) advance(name string, n int) (seq int64, err error) {
	err = t.change("UPDATE heads SET seq = seq + $2 WHERE name = $1 RETURNING seq", name, n).Scan(&seq)
	return seq, err
}

// tally adds n to a count of rows that have a bound, and returns the whole count.
func (t *tx) tally(name string, n int) (total int64, err error) {
	rows := t.dialect.tallyRows
	if rows == 1 {
		return t.advance(name, n)
	}
	if _, err := t.advance(tallyRow(name, rand.IntN(rows)), n); err != nil {
		return 0, err
	}
	err = t.row("SELECT CAST(SUM(seq) AS BIGINT) FROM heads WHERE name = $1 OR name LIKE $2", name, name+"#%").Scan(&total)
	return total, err
}

// tallyRow is the name of one of the rows of a tally; the first one is called like it.
func tallyRow(name string, i int) string {
	if i == 0 {
		return name
	}
	return fmt.Sprintf("%s#%d", name, i)
}

// lockDirectory makes the verb wait until no other one changes clients, services, keys
// or who exists: for verbs that decide by rows that are not there. It holds to the end.
func (t *tx) lockDirectory() error {
	_, err := t.exists("SELECT 1 FROM heads WHERE name = $1 FOR UPDATE", headChanges)
	return err
}

// revoke notes a rule; it is appended when the verb is through with everything else.
func (t *tx) revoke(r idp.Rule) { t.rules = append(t.rules, r) }

// changed notes that nodes must read something again.
func (t *tx) changed(kind, id string, now time.Time) {
	t.changes = append(t.changes, idp.Change{Kind: kind, ID: id})
	t.changedAt = ms(now)
}

// statement is one that is still to be run.
type statement struct {
	query string
	args  []any
}

// logStatements append to the logs what the verb noted. They come last: where there are
// many writers, a head's row is locked from here to the commit. The number of an entry is
// computed by the database, so that all of them can be sent at once.
func (t *tx) logStatements() (all []statement) {
	grow := func(name string, n int) {
		all = append(all, statement{"UPDATE heads SET seq = seq + $2 WHERE name = $1 RETURNING seq", []any{name, n}})
	}
	if n := len(t.changes); n > 0 {
		grow(headChanges, n)
		for i, c := range t.changes {
			all = append(all, statement{"INSERT INTO changes (seq, kind, id, at) VALUES ((SELECT seq FROM heads WHERE name = $1) - $2, $3, $4, $5)",
				[]any{headChanges, n - 1 - i, c.Kind, c.ID, t.changedAt}})
		}
	}
	if n := len(t.rules); n > 0 {
		grow(headRevocations, n)
		for i, r := range t.rules {
			all = append(all, statement{"INSERT INTO revocations (seq, kind, id, before, at, until) VALUES ((SELECT seq FROM heads WHERE name = $1) - $2, $3, $4, $5, $6, $7)",
				[]any{headRevocations, n - 1 - i, string(r.Kind), r.ID, msOrNull(r.Before), ms(r.At), ms(r.Until)}})
		}
	}
	return all
}

// ends are the numbers with which the two logs end; 0 is not known.
type ends struct{ changes, rules int64 }

// note takes what growing a head has returned.
func (e *ends) note(s statement, seq int64) {
	switch s.args[0] {
	case headChanges:
		e.changes = max(e.changes, seq)
	case headRevocations:
		e.rules = max(e.rules, seq)
	}
}

// appendLogs runs the log statements one after another.
func (t *tx) appendLogs() error {
	for _, s := range t.logStatements() {
		if !strings.HasSuffix(s.query, "RETURNING seq") {
			if _, err := t.exec(s.query, s.args...); err != nil {
				return err
			}
			continue
		}
		var seq int64
		if err := t.change(s.query, s.args...).Scan(&seq); err != nil {
			return err
		}
		t.grown.note(s, seq)
	}
	return nil
}

// rule makes a rule with the times that its kind has: a jti, grant, session or key is
// dead for ever; client and all kill what was issued until Before.
func (db *DB) rule(kind idp.RuleKind, id string, now time.Time) idp.Rule {
	r := idp.Rule{Kind: kind, ID: id, At: now, Until: now.Add(db.ruleLifetime)}
	if kind == idp.RuleClient || kind == idp.RuleAll {
		r.Before = now.Add(beforeMargin).Truncate(time.Second)
		r.Until = r.Before.Add(db.ruleLifetime)
	}
	return r
}

// revokeIssued notes a rule against what was issued until now, by a client or by all. Tokens
// that are made while an older rule reaches into the future are dated the second after it
// (Hub.NotBefore): the new rule reaches them, too.
func (db *DB) revokeIssued(t *tx, kind idp.RuleKind, id string, now time.Time) error {
	r, query, args := db.rule(kind, id, now), "SELECT MAX(before) FROM revocations WHERE id IN ($1, '')", []any{id}
	if kind == idp.RuleAll {
		query, args = "SELECT MAX(before) FROM revocations", nil
	}
	var older time.Time
	if err := t.row(query, args...).Scan(asTime{&older}); err != nil {
		return err
	}
	if ahead := older.Add(time.Second); ahead.After(r.Before) {
		r.Before, r.Until = ahead, ahead.Add(db.ruleLifetime)
	}
	t.revoke(r)
	return nil
}

// RevocationHead returns the log's epoch and the number of its newest rule, as the
// database knows them now.
func (db *DB) RevocationHead(ctx context.Context) (epoch string, seq int64, err error) {
	err = db.read(ctx, "revocation head", func(c *conn) (err error) {
		epoch, seq, err = head(c, headRevocations)
		return err
	})
	return epoch, seq, err
}

// Rules returns at most limit rules after the given number, ascending, without those
// that may be forgotten.
func (db *DB) Rules(ctx context.Context, after int64, limit int, now time.Time) (rules []idp.Rule, err error) {
	err = db.read(ctx, "revocation rules", func(c *conn) (err error) {
		rules, err = list(c, scanRule, `SELECT seq, kind, id, before, at, until FROM revocations
			WHERE seq > $1 AND until > $2 ORDER BY seq LIMIT $3`, after, ms(now), limit)
		return err
	})
	return rules, err
}

func scanRule(s scanner) (r idp.Rule, err error) {
	err = s.Scan(&r.Seq, (*string)(&r.Kind), &r.ID, asTime{&r.Before}, asTime{&r.At}, asTime{&r.Until})
	return r, err
}

// TokenRevoked reports whether a rule of the log names an access token: what it is, who
// asked for it, which key signed it, or all. Our own endpoints ask it, beside what the
// token's grant says; everybody else follows the log.
func (db *DB) TokenRevoked(ctx context.Context, n idp.TokenNames, now time.Time) (revoked bool, err error) {
	err = db.read(ctx, "look for a rule", func(c *conn) error {
		rules, err := list(c, scanRule, `SELECT seq, kind, id, before, at, until FROM revocations
			WHERE id IN ($1, $2, $3, '') AND until > $4`, n.JTI, n.ClientID, n.KeyID, ms(now))
		revoked = slices.ContainsFunc(rules, n.Hit)
		return err
	})
	return revoked, err
}

// RevokeJTI kills one access token. Killing it again leaves no second trace: every rule
// goes to every verifier.
func (db *DB) RevokeJTI(ctx context.Context, by idp.Actor, jti string, until, now time.Time) error {
	if jti == "" {
		return fmt.Errorf("revoke access token: it has no id: %w", idp.ErrInvalid)
	}
	return db.write(ctx, "revoke access token", func(t *tx) error {
		there, err := t.exists("SELECT 1 FROM revocations WHERE id = $1 AND kind = $2 AND until >= $3", jti, string(idp.RuleJTI), ms(until))
		if err != nil || there {
			return err
		}
		return t.appendRule(by, idp.Rule{Kind: idp.RuleJTI, ID: jti, At: now, Until: until}, now)
	})
}

// AppendRule appends a rule that no other verb stands for. Times that are zero get the
// kind's usual ones.
func (db *DB) AppendRule(ctx context.Context, by idp.Actor, r idp.Rule, now time.Time) error {
	usual := db.rule(r.Kind, r.ID, now)
	switch r.Kind {
	case idp.RuleJTI, idp.RuleGrant, idp.RuleSession, idp.RuleKey, idp.RuleClient:
		if r.ID == "" {
			return fmt.Errorf("append rule: it names nothing: %w", idp.ErrInvalid)
		}
	case idp.RuleAll:
	default:
		return fmt.Errorf("append rule: unknown kind: %w", idp.ErrInvalid)
	}
	if r.Before.IsZero() || usual.Before.IsZero() {
		r.Before = usual.Before
	}
	if r.Until.IsZero() {
		r.Until = usual.Until
	}
	r.At = now
	return db.write(ctx, "append rule", func(t *tx) error { return t.appendRule(by, r, now) })
}

func (t *tx) appendRule(by idp.Actor, r idp.Rule, now time.Time) error {
	t.revoke(r)
	return t.audit(by, event{action: "rule.append", target: string(r.Kind) + " " + r.ID}, now)
}

// Changes returns at most limit entries of the changes log after the given number.
// A first entry that is not the next number says that older ones are gone.
func (db *DB) Changes(ctx context.Context, after int64, limit int) (changes []idp.Change, err error) {
	err = db.read(ctx, "changes", func(c *conn) (err error) {
		changes, err = list(c, func(s scanner) (ch idp.Change, err error) {
			err = s.Scan(&ch.Seq, &ch.Kind, &ch.ID)
			return ch, err
		}, "SELECT seq, kind, id FROM changes WHERE seq > $1 ORDER BY seq LIMIT $2", after, limit)
		return err
	})
	return changes, err
}
