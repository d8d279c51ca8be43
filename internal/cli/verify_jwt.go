package cli

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

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
func explainJWT(token string) (*explanation, error) {
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
		Verdict: isUnknown, Reason: nobodyAsked,
	}
	if e.Kind == "" {
		e.Kind = "JWT of a kind that signet does not know"
	}
	e.IssuedAt, _ = unixTime(claims["iat"])
	e.NotBefore, _ = unixTime(claims["nbf"])
	e.ExpiresAt, _ = unixTime(claims["exp"])
	if alg, _ := header["alg"].(string); strings.EqualFold(alg, "none") || parts[2] == "" {
		e.Signature, e.Verdict, e.Reason, e.NextStep = "bad", isRefused, "it is not signed: anybody could have made it", "do not use it"
	}
	return e, nil
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
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber() // shown as they stand there, not as the nearest of 64 bits
	if err := d.Decode(&m); err != nil {
		return nil, fmt.Errorf("the %s: %w", name, err)
	}
	return m, nil
}

// unixTime reads a NumericDate (RFC 7519 §2).
func unixTime(v any) (time.Time, bool) {
	n, _ := v.(json.Number)
	f, err := n.Float64()
	if err != nil || math.Abs(f) > 1<<40 {
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
	case json.Number:
		return v.String()
	}
	data, err := json.Marshal(v)
	if err != nil {
		return "?" // decoded JSON always encodes
	}
	return string(data)
}
