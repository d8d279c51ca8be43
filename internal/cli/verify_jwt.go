package cli

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/jose"
)

const (
	kindAccess = "access token (RFC 9068)"
	kindID     = "ID token (OpenID Connect Core §2)"
)

// jwtKinds are the types of header that signet writes, and a few that others do.
var jwtKinds = map[string]string{
	"at+jwt": kindAccess, "JWT": kindID, "revocations+jwt": "batch of revocations", "signet-bundle+jwt": "bundle of keys and revocations",
	"logout+jwt": "logout token", "dpop+jwt": "DPoP proof (RFC 9449)", "secevent+jwt": "security event (RFC 8417)",
}

// explainJWT decodes header and claims. What it finds is what the token says of itself,
// not what is true: that is for the signature to say.
func explainJWT(token string, now time.Time) (*explanation, error) {
	parts := strings.Split(token, ".")
	header, err := decodePart("header", parts[0])
	if err != nil {
		return nil, err
	}
	claims, err := decodePart("claims", parts[1])
	if err != nil {
		return nil, err
	}
	typ, _ := header["typ"].(string)
	e := &explanation{
		Kind: jwtKinds[typ], Header: header, Claims: claims, Signature: notAsked, Revoked: notAsked,
		Verdict: "unknown", Reason: "the issuer was not asked",
	}
	if e.Kind == "" {
		e.Kind = "JWT of a kind that signet does not know"
	}
	e.IssuedAt, _ = unixTime(claims["iat"])
	e.NotBefore, _ = unixTime(claims["nbf"])
	e.ExpiresAt, _ = unixTime(claims["exp"])
	if alg, _ := header["alg"].(string); strings.EqualFold(alg, "none") || parts[2] == "" {
		e.Signature, e.Verdict, e.Reason = "bad", "refused", "it is not signed: anybody could have made it"
	} else if e.expired(now) {
		e.Reason = "it has expired; " + e.Reason
	}
	return e, nil
}

// expired reports whether the token says that its time is over.
func (e *explanation) expired(now time.Time) bool {
	return !e.ExpiresAt.IsZero() && !now.Before(e.ExpiresAt)
}

func decodePart(name, part string) (map[string]any, error) {
	data, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return nil, fmt.Errorf("the %s are not base64url: this is no JWT", name)
	}
	if err := jose.CheckObject(data); err != nil {
		return nil, fmt.Errorf("the %s are not one well-formed JSON object: every service refuses this token", name)
	}
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("the %s: %w", name, err)
	}
	return m, nil
}

// unixTime reads a NumericDate (RFC 7519 §2).
func unixTime(v any) (time.Time, bool) {
	f, ok := v.(float64)
	if !ok || math.Abs(f) > 1<<40 {
		return time.Time{}, false
	}
	return time.Unix(int64(f), 0).UTC(), true
}

// claimText writes a claim's value in one line.
func claimText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []any:
		items := make([]string, 0, len(v))
		for _, item := range v {
			items = append(items, claimText(item))
		}
		return strings.Join(items, ", ")
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return fmt.Sprintf("%.0f", v)
		}
	}
	data, err := json.Marshal(v)
	if err != nil {
		return "?" // decoded JSON always encodes
	}
	return string(data)
}

// askIssuer lets the SDK look at the token, as a service of the token's audience would.
// nil means accepted; errNobody that the issuer did not answer.
func askIssuer(ctx context.Context, token, kind, issuer, audience string, claims map[string]any, b verify.Bundle) error {
	if kind != kindAccess && kind != kindID {
		return fmt.Errorf("%w: no service takes tokens of this kind", errNobody)
	}
	v, err := verify.New(issuer, audience)
	if b.File != "" {
		b.MaxAge = math.MaxInt64 // it says itself when its time is over
		v, err = verify.NewOffline(issuer, audience, b)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errNobody, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	running := make(chan struct{})
	go func() {
		defer close(running)
		_ = v.Run(ctx) // ends with the context, with nothing else to say
	}()
	defer func() { cancel(); <-running }()
	select {
	case <-v.Ready():
	case <-ctx.Done():
		if len(v.Status().Keys) == 0 {
			return fmt.Errorf("%w: %s did not give its keys in time (%s)", errNobody, issuer, v.Status().LastTrouble)
		}
	}
	if kind == kindID {
		nonce, _ := claims["nonce"].(string)
		_, err = v.VerifyIDToken(ctx, token, audience, nonce)
	} else {
		_, err = v.Verify(ctx, token)
	}
	return err
}

var errNobody = errors.New("the issuer was not asked")

// judge puts the SDK's answer into words.
func (e *explanation) judge(err error) {
	revoked, wasRevoked := errors.AsType[*verify.RevokedError](err)
	e.Verdict, e.Reason, e.Signature = "refused", fmt.Sprint(err), "good"
	switch {
	case err == nil:
		e.Verdict, e.Reason, e.Revoked = "accepted", "by a service that trusts this issuer and is this audience", "no"
	case errors.Is(err, errNobody):
		e.Verdict, e.Signature = "unknown", notAsked
	case errors.Is(err, verify.ErrNotReady), errors.Is(err, verify.ErrStale):
		e.Verdict, e.Reason = "unknown", "the issuer gave its keys, but not its revocations"
	case wasRevoked:
		e.Revoked, e.RevokedAt = "yes", revoked.At
	case errors.Is(err, verify.ErrUnknownKey):
		e.Signature = "unknown key"
	case errors.Is(err, verify.ErrSignature), errors.Is(err, verify.ErrAlgorithm):
		e.Signature = "bad"
	case errors.Is(err, verify.ErrMalformed), errors.Is(err, verify.ErrType):
		e.Signature = notAsked
	}
}
