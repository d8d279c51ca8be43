package oauth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/clientkey"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/verify/jose"
)

// requestObjectAlgs are the algorithms of request objects; never "none".
var requestObjectAlgs = []string{"RS256", "PS256", "ES256", "EdDSA", "Ed25519"}

// Limits on the time in a request object. FAPI 2.0 Message Signing §5.3.1 has the hour.
const (
	objectLeeway = time.Minute
	objectAge    = time.Hour
)

// requestObjects reads authorization requests that the client has signed (RFC 9101,
// OpenID Connect Core §6.1), by value. One by reference would be fetched from wherever a
// stranger says: the pushed ones are the only references.
type requestObjects struct {
	issuer string
	keys   clientKeys
}

// open verifies an object and returns its parameters.
func (o requestObjects) open(ctx context.Context, client idp.Client, signed string, outside url.Values, now time.Time) (url.Values, error) {
	payload, err := o.verify(ctx, client, signed)
	if err != nil {
		return nil, badObject("the request object is not signed with a key of the client", err)
	}
	members, err := object(payload)
	if err != nil {
		return nil, badObject("the request object is not a JSON object of one meaning", err)
	}
	if err := o.checkClaims(client, members, now); err != nil {
		return nil, err
	}
	inside, err := parametersOf(members)
	if err != nil {
		return nil, err
	}
	// RFC 9101 §5: a request object cannot refer to another one.
	if inside.Get("request") != "" || inside.Get("request_uri") != "" {
		return nil, badObject("a request object has no request and no request_uri", nil)
	}
	// §6.3: the client is named inside as well, and is the same.
	if inside.Get("client_id") != client.ID {
		return nil, badObject("client_id of the request object is not the client", nil)
	}
	if client.Profile == idp.OIDC { // OpenID Connect Core §6.1
		for _, name := range [...]string{"response_type", "scope"} {
			if given := outside.Get(name); given != "" && given != inside.Get(name) {
				return nil, badObject(name+" differs from the one of the request object", nil)
			}
		}
	}
	return inside, nil
}

func badObject(description string, cause error) error {
	return &Error{Code: InvalidRequestObject, Description: description, Cause: cause}
}

// verify checks type, algorithm and signature. The header is only read to learn which of
// the allowed types it says; all of it is checked with the key.
func (o requestObjects) verify(ctx context.Context, client idp.Client, signed string) ([]byte, error) {
	segment, _, _ := strings.Cut(signed, ".")
	doc, err := base64.RawURLEncoding.DecodeString(segment)
	if err != nil || len(signed) > maxObject {
		return nil, errors.New("no compact JWS, or too long")
	}
	header, err := object(doc)
	if err != nil {
		return nil, err
	}
	typ, err := textOf(header, "typ")
	if err != nil {
		return nil, err
	}
	switch typ {
	case "oauth-authz-req+jwt", "JWT", "": // RFC 9101 §10.8; the others for older relying parties
	default:
		return nil, jose.ErrType
	}
	payload, key, err := o.keys.Verify(ctx, client, clientkey.RSA(client.Profile, client.RequestObjectAlg), signed, typ)
	if err != nil {
		return nil, err
	}
	return payload, checkObjectAlg(client, string(key.Algorithm()))
}

const maxObject = 16 << 10

func checkObjectAlg(client idp.Client, alg string) error {
	one := func(name string) string {
		if name == "Ed25519" { // RFC 9864: the other name of the same
			return "EdDSA"
		}
		return name
	}
	switch {
	case !slices.Contains(requestObjectAlgs, alg),
		client.RequestObjectAlg != "" && one(client.RequestObjectAlg) != one(alg),
		client.Profile == idp.FAPI2 && alg == "RS256": // FAPI 2.0 Security Profile §5.4.1
		return jose.ErrAlgorithm
	}
	return nil
}

// checkClaims checks who signed it, for whom, and when.
func (o requestObjects) checkClaims(client idp.Client, members map[string]json.RawMessage, now time.Time) error {
	iss, err1 := textOf(members, "iss")
	sub, err2 := textOf(members, "sub")
	audiences, err3 := audienceOf(members["aud"])
	switch {
	case errors.Join(err1, err2, err3) != nil:
		return badObject("iss, sub or aud of the request object has the wrong type", errors.Join(err1, err2, err3))
	case iss != client.ID:
		return badObject("iss of the request object is not the client", nil)
	case !slices.Contains(audiences, o.issuer):
		return badObject("aud of the request object is not this issuer", nil)
	case sub == client.ID: // RFC 9101 §10.8: else it could serve as a proof of the client
		return badObject("sub of the request object is the client", nil)
	}
	return checkObjectTime(client, members, now)
}

func checkObjectTime(client idp.Client, members map[string]json.RawMessage, now time.Time) error {
	times := map[string]time.Time{}
	for _, name := range [...]string{"exp", "nbf", "iat"} {
		value, there := members[name]
		if !there {
			continue
		}
		var seconds int64
		if err := json.Unmarshal(value, &seconds); err != nil || seconds < 0 || seconds > 1<<40 {
			return badObject(name+" of the request object is not a time", err)
		}
		times[name] = time.Unix(seconds, 0)
	}
	exp, hasExp := times["exp"]
	nbf, hasNbf := times["nbf"]
	switch {
	case hasExp && !now.Before(exp.Add(objectLeeway)):
		return badObject("the request object has expired", nil)
	case nbf.After(now.Add(objectLeeway)) || times["iat"].After(now.Add(objectLeeway)):
		return badObject("the request object is from the future", nil)
	case client.Profile != idp.FAPI2:
		return nil
	case !hasExp || !hasNbf:
		return badObject("the request object needs nbf and exp", nil)
	case nbf.Before(now.Add(-objectAge)) || exp.After(nbf.Add(objectAge)):
		return badObject("the request object is too old or lives too long", nil)
	}
	return nil
}

// notParameters are claims about the object itself (RFC 9101 §4).
var notParameters = [...]string{"iss", "aud", "sub", "exp", "nbf", "iat", "jti"}

// parametersOf makes a form of the members. Numbers and objects are parameters where
// OpenID Connect Core §6.1 has them; of unknown ones only texts could mean something.
func parametersOf(members map[string]json.RawMessage) (url.Values, error) {
	form := url.Values{}
	for name, value := range members {
		if slices.Contains(notParameters[:], name) {
			continue
		}
		var s string
		switch {
		case json.Unmarshal(value, &s) == nil && string(value) != "null":
		case name == "max_age" || name == "claims":
			s = string(value)
		case slices.Contains(textParameters[:], name):
			return nil, badObject("a parameter of the request object has the wrong type", fmt.Errorf("member %q", name))
		default:
			continue
		}
		if strings.IndexByte(s, 0) >= 0 { // as in a query
			return nil, badObject("a parameter of the request object has a NUL", nil)
		}
		form.Set(name, s)
	}
	return form, nil
}

// textParameters are those that we read and that are texts.
var textParameters = [...]string{
	"client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce", "code_challenge", "code_challenge_method", "dpop_jkt",
	"prompt", "acr_values", "login_hint", "id_token_hint", "ui_locales", "resource", "request", "request_uri", "registration",
}

// textOf reads a text that may be left out.
func textOf(members map[string]json.RawMessage, name string) (s string, err error) {
	value, there := members[name]
	if !there {
		return "", nil
	}
	if err := json.Unmarshal(value, &s); err != nil || s == "" {
		return "", fmt.Errorf("%s is no text", name)
	}
	return s, nil
}

// audienceOf reads one text or a list of them.
func audienceOf(value json.RawMessage) (all []string, err error) {
	if value == nil {
		return nil, nil
	}
	var one string
	if json.Unmarshal(value, &one) == nil {
		return []string{one}, nil
	}
	err = json.Unmarshal(value, &all)
	return all, err
}
