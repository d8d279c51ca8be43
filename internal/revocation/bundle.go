package revocation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/verify/jose"
)

// bundleType is the "typ" of a bundle. Nothing else that we sign has it.
const bundleType = "signet-bundle+jwt"

// maxBundle is what verifiers read: some 200,000 rules.
const maxBundle = 32 << 20 // bytes

// ErrBundleSize says that there are too many live rules for a bundle.
var ErrBundleSize = errors.New("too many live revocations for a bundle")

// errReplaced says that the log was replaced by another while it was read.
var errReplaced = errors.New("the log was replaced meanwhile")

// Bundle is the keys and all live rules at one moment, signed, for verifiers without a
// network.
type Bundle struct {
	Token     string // compact JWS
	Issuer    string
	Signer    string // RFC 7638 thumbprint of the key that signed it
	IssuedAt  time.Time
	ExpiresAt time.Time
	Keys      int
	Rules     int
}

// bundlePayload is the signed content: a batch from the beginning to the end of the log,
// and what a verifier would else fetch.
type bundlePayload struct {
	payload
	Expires int64           `json:"exp"`
	Keys    json.RawMessage `json:"keys"`
}

// Bundle signs the key set and all live rules. The set is read by the caller before the
// rules are read here: so a key that is killed meanwhile is in both.
func (h *Hub) Bundle(ctx context.Context, keys *jose.KeySet, valid time.Duration) (Bundle, error) {
	now := h.cfg.Now()
	signer, err := h.signer()
	if err != nil {
		return Bundle{}, fmt.Errorf("sign bundle: %w", err)
	}
	p := bundlePayload{Expires: now.Add(valid).Unix()}
	p.payload = payload{Issuer: h.cfg.Issuer, Audience: h.cfg.Issuer + "/bundle", IssuedAt: now.Unix(), Now: now.UnixMilli()}
	if p.Epoch, p.Head, p.Rules, err = h.live(ctx, now, signer.Key().ID()); err != nil {
		return Bundle{}, err
	}
	p.To = p.Head
	if p.Keys, err = json.Marshal(keys); err != nil {
		return Bundle{}, fmt.Errorf("encode keys: %w", err)
	}
	doc, err := json.Marshal(p)
	if err != nil {
		return Bundle{}, fmt.Errorf("encode bundle: %w", err)
	}
	token, err := signer.Sign(bundleType, doc)
	if err != nil {
		return Bundle{}, fmt.Errorf("sign bundle: %w", err)
	}
	if len(token) > maxBundle {
		return Bundle{}, ErrBundleSize
	}
	name, err := jose.Thumbprint(signer.Key().Public())
	return Bundle{
		Token: token, Issuer: h.cfg.Issuer, Signer: name, IssuedAt: time.Unix(p.IssuedAt, 0), ExpiresAt: time.Unix(p.Expires, 0),
		Keys: len(keys.Keys()), Rules: len(p.Rules),
	}, err
}

// live reads all rules that are alive. What is appended meanwhile is read, too, so the log
// is complete up to its head of after the last read.
func (h *Hub) live(ctx context.Context, now time.Time, signer string) (epoch string, head int64, live []rule, err error) {
	epoch, head, err = h.log.RevocationHead(ctx)
	if err != nil {
		return "", 0, nil, fmt.Errorf("revocation head: %w", err)
	}
	live = []rule{}
	for after, more := int64(0), true; more; {
		rules, err := h.log.Rules(ctx, after, maxRules, now)
		if err != nil {
			return "", 0, nil, fmt.Errorf("revocation rules: %w", err)
		}
		for _, r := range rules {
			if r.Kind == idp.RuleKey && r.ID == signer {
				return "", 0, nil, fmt.Errorf("sign bundle: %w", errRetiredKey)
			}
			live, after = append(live, publish(r)), r.Seq
		}
		if more = len(rules) == maxRules; len(live) > maxBundle/100 {
			return "", 0, nil, ErrBundleSize
		}
		head = max(head, after)
	}
	again, end, err := h.log.RevocationHead(ctx)
	if err == nil && (again != epoch || end < head) {
		err = errReplaced
	}
	return epoch, head, live, err
}
