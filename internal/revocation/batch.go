package revocation

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// Limits of one batch: a follower reads it as one line, and refuses long ones.
const (
	maxRules   = 1000
	maxPayload = 700_000 // bytes; base64 makes 4/3 of it, a line may have 1 MiB
)

// tokenType is the "typ" of a batch. Nothing else that we sign has it.
const tokenType = "revocations+jwt"

// errRetiredKey says that the key that would sign is the one that a rule retires.
var errRetiredKey = errors.New("the signing key is being retired")

// Event is one signed batch, ready to be written. It is made once and shared by all
// followers.
type Event struct {
	Epoch    string
	From, To int64     // it has all live rules with From < seq ≤ To
	Head     int64     // where the log stood when it was signed
	SignedAt time.Time // "iat"
	Since    time.Time // when the first of its rules was made; zero unless that was news
	Token    string    // the signed batch; a part of wire
	wire     string
	number   uint64 // later events have higher ones
}

// WriteTo writes the event in the form of server-sent events (WHATWG HTML §9.2).
func (e *Event) WriteTo(w io.Writer) (int64, error) {
	n, err := io.WriteString(w, e.wire)
	return int64(n), err
}

// payload is the signed content of a batch.
type payload struct {
	Issuer   string `json:"iss"`
	Audience string `json:"aud"`
	IssuedAt int64  `json:"iat"` // seconds
	Now      int64  `json:"now"` // milliseconds
	Epoch    string `json:"epoch"`
	From     int64  `json:"from"`
	To       int64  `json:"to"`
	Head     int64  `json:"head"`
	Rules    []rule `json:"rules"`
}

// rule is an idp.Rule as it is published. Before stands only where it means something.
type rule struct {
	Seq    int64        `json:"seq"`
	Kind   idp.RuleKind `json:"kind"`
	ID     string       `json:"id"`
	Before *int64       `json:"before,omitempty"` // seconds
	At     int64        `json:"at"`               // milliseconds
	Until  int64        `json:"until"`            // seconds
}

// batch signs the rules after from. They are all that the log has up to position to.
func (h *Hub) batch(epoch string, from, to, head int64, rules []idp.Rule, now time.Time) (*Event, error) {
	signer, err := h.signer()
	if err != nil {
		return nil, fmt.Errorf("sign revocations: %w", err)
	}
	published := make([]rule, 0, len(rules))
	for _, r := range rules {
		// Followers believe a rule against a key only from another key.
		if r.Kind == idp.RuleKey && r.ID == signer.Key().ID() {
			return nil, fmt.Errorf("sign revocations: %w", errRetiredKey)
		}
		published = append(published, publish(r))
	}
	doc, err := json.Marshal(payload{
		Issuer: h.cfg.Issuer, Audience: h.cfg.Issuer + "/revocations",
		IssuedAt: now.Unix(), Now: now.UnixMilli(),
		Epoch: epoch, From: from, To: to, Head: head, Rules: published,
	})
	if err != nil {
		return nil, fmt.Errorf("encode revocations: %w", err)
	}
	if len(doc) > maxPayload && len(rules) > 1 {
		half := rules[:len(rules)/2]
		return h.batch(epoch, from, half[len(half)-1].Seq, head, half, now)
	}
	token, err := signer.Sign(tokenType, doc)
	if err != nil {
		return nil, fmt.Errorf("sign revocations: %w", err)
	}
	fields := "id: " + epoch + "." + strconv.FormatInt(to, 10) + "\nevent: batch\ndata: "
	wire := fields + token + "\n\n"
	return &Event{
		Epoch: epoch, From: from, To: to, Head: head, SignedAt: now,
		Token: wire[len(fields) : len(wire)-2], wire: wire, number: h.made.Add(1),
	}, nil
}

func publish(r idp.Rule) rule {
	p := rule{Seq: r.Seq, Kind: r.Kind, ID: r.ID, At: r.At.UnixMilli(), Until: r.Until.Unix()}
	if timed(r.Kind) {
		before := r.Before.Unix()
		p.Before = &before
	}
	return p
}

// timed: such a rule kills what was issued until Before. The others name something
// that is dead for ever.
func timed(k idp.RuleKind) bool { return k == idp.RuleClient || k == idp.RuleAll }
