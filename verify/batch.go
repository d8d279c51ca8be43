package verify

import (
	"errors"
	"time"

	"github.com/signet-id/signet/verify/internal/strictjson"
)

// batchType is the "typ" of the feed's signed messages.
const batchType = "revocations+jwt"

// maxBatchRules keeps one message from being all there is to do.
const maxBatchRules = 10_000

// batch is one message of the feed: all live rules with from < seq ≤ to, when the log's
// end was head.
type batch struct {
	issuer, audience string
	issued           time.Time
	now              int64 // the issuer's clock, unix milliseconds
	epoch            string
	from, to, head   int64
	rules            []Rule
	most             int // rules that it may have
}

var (
	errBatch  = errors.New("revocation feed: malformed batch")
	errKind   = errors.New("a kind that is not known")
	errMember = errors.New("missing or not allowed")
)

// parseBatch reads the payload of a message. A rule of an unknown kind is an error: to
// step over it would be to accept what somebody has revoked.
func parseBatch(payload []byte) (batch, error) { return parseRules(payload, maxBatchRules) }

// parseRules is parseBatch for documents that may have more rules, or fewer.
func parseRules(payload []byte, most int) (batch, error) {
	b := batch{now: -1, from: -1, to: -1, head: -1, most: most}
	haveRules := false
	err := strictjson.Object(payload, func(name, value []byte) error {
		if string(name) == "rules" {
			haveRules = true
		}
		return named(name, b.member(name, value))
	})
	if err != nil {
		return batch{}, wrong(errBatch, "json", err.Error())
	}
	switch {
	case b.issuer == "" || b.audience == "" || b.issued.IsZero() || b.now < 0 || !haveRules:
		return batch{}, wrong(errBatch, "iss, aud, iat, now or rules", "missing")
	case !validEpoch(b.epoch):
		return batch{}, wrong(errBatch, "epoch", "not 1 to 64 letters or digits")
	case b.from < 0 || b.to < b.from || b.head < b.to:
		return batch{}, wrong(errBatch, "from, to, head", "out of order")
	}
	last := b.from
	for _, r := range b.rules {
		if r.Seq <= last || r.Seq > b.to {
			return batch{}, wrong(errBatch, "seq", "out of order")
		}
		last = r.Seq
	}
	return b, nil
}

func (b *batch) member(name, value []byte) (err error) {
	var none present
	switch string(name) {
	case "iss":
		b.issuer, err = strictjson.String(value)
	case "aud":
		b.audience, err = strictjson.String(value)
	case "iat":
		err = none.time(0, &b.issued, value)
	case "now":
		b.now, err = milliseconds(value)
	case "epoch":
		b.epoch, err = strictjson.String(value)
	case "from":
		b.from, err = strictjson.Int(value)
	case "to":
		b.to, err = strictjson.Int(value)
	case "head":
		b.head, err = strictjson.Int(value)
	case "rules":
		err = strictjson.Array(value, func(element []byte) error {
			r, err := parseRule(element)
			if err == nil && len(b.rules) == b.most {
				err = errTime
			}
			b.rules = append(b.rules, r)
			return err
		})
	}
	return err
}

func parseRule(doc []byte) (Rule, error) {
	var (
		r    Rule
		none present
	)
	err := strictjson.Object(doc, func(name, value []byte) (err error) {
		switch string(name) {
		case "seq":
			r.Seq, err = strictjson.Int(value)
		case "kind":
			var kind string
			kind, err = strictjson.String(value)
			r.Kind = RuleKind(kind)
		case "id":
			r.ID, err = strictjson.String(value)
		case "before":
			err = none.time(0, &r.Before, value)
		case "at":
			var ms int64
			ms, err = milliseconds(value)
			r.At = time.UnixMilli(ms).UTC()
		case "until":
			err = none.time(0, &r.Until, value)
		}
		return named(name, err)
	})
	switch _, known := r.Kind.number(); {
	case err != nil:
		return r, err
	case !known:
		return r, errKind
	case (r.ID == "") != (r.Kind == RuleAll), r.Kind.timed() == r.Before.IsZero(), r.At.IsZero(), r.Until.IsZero():
		return r, errMember
	}
	return r, nil
}

// milliseconds reads a unix time in milliseconds.
func milliseconds(value []byte) (int64, error) {
	n, err := strictjson.Int(value)
	if err == nil && (n < 0 || n > maxTime*1000) {
		err = errTime
	}
	return n, err
}

// validEpoch: what may be put into a Last-Event-ID header before the dot.
func validEpoch(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return s != "" && len(s) <= 64
}
