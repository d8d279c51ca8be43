package oauth

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
)

// Code is a registered OAuth error code.
type Code string

// The codes of RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1, RFC 8707 §2, RFC 9449 §12.2 and
// OpenID Connect Core §3.1.2.6. Those that only authn.Next says are not listed.
const (
	InvalidRequest          Code = "invalid_request"
	InvalidClient           Code = "invalid_client"
	InvalidGrant            Code = "invalid_grant"
	InvalidScope            Code = "invalid_scope"
	InvalidTarget           Code = "invalid_target"
	InvalidToken            Code = "invalid_token"
	InsufficientScope       Code = "insufficient_scope"
	InvalidDPoPProof        Code = "invalid_dpop_proof"
	UseDPoPNonce            Code = "use_dpop_nonce"
	UnauthorizedClient      Code = "unauthorized_client"
	UnsupportedGrantType    Code = "unsupported_grant_type"
	UnsupportedResponseType Code = "unsupported_response_type"
	AccessDenied            Code = "access_denied"
	AuthorizationPending    Code = "authorization_pending" // RFC 8628 §3.5, like the next two
	SlowDown                Code = "slow_down"
	ExpiredToken            Code = "expired_token"
	ServerError             Code = "server_error"
	TemporarilyUnavailable  Code = "temporarily_unavailable"
	RequestNotSupported     Code = "request_not_supported"
	RequestURINotSupported  Code = "request_uri_not_supported"
	RegistrationUnsupported Code = "registration_not_supported"
	InvalidRequestObject    Code = "invalid_request_object"            // RFC 9101 §7
	InvalidRequestURI       Code = "invalid_request_uri"               // RFC 9101 §7
	UnmetRequirements       Code = "unmet_authentication_requirements" // OpenID Connect Unmet Authentication Requirements 1.0

	// RFC 7591 §3.2.2.
	InvalidRedirectURI          Code = "invalid_redirect_uri"
	InvalidClientMetadata       Code = "invalid_client_metadata"
	UnapprovedSoftwareStatement Code = "unapproved_software_statement"
)

// Error is an answer the client may read. Cause is for our log only.
type Error struct {
	Code        Code
	Description string // fixed text, no input echoed; the character set of RFC 6749 §5.2
	Cause       error
}

func (e *Error) Error() string {
	s := string(e.Code)
	if e.Description != "" {
		s += ": " + e.Description
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap tells whose fault it is, and the cause.
func (e *Error) Unwrap() []error {
	var whose error
	switch e.Code {
	case ServerError:
	case TemporarilyUnavailable:
		whose = idp.ErrUnavailable
	default:
		whose = idp.ErrInvalid
	}
	var all []error
	for _, err := range [...]error{whose, e.Cause} {
		if err != nil {
			all = append(all, err)
		}
	}
	return all
}

// refuse makes an answer without a cause.
func refuse(code Code, description string) *Error {
	return &Error{Code: code, Description: description}
}

// asError makes an answer of any error. Whatever nobody explained says nothing.
func asError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if errors.Is(err, idp.ErrUnavailable) {
		return &Error{Code: TemporarilyUnavailable, Cause: err}
	}
	return &Error{Code: ServerError, Cause: err}
}

// formError explains what was wrong with a form or query.
func formError(err error) *Error {
	e := &Error{Code: InvalidRequest, Cause: err}
	_, repeated := errors.AsType[*edge.ParamError](err)
	switch {
	case repeated: // RFC 6749 §3.1, §3.2
		e.Description = "a parameter was sent more than once"
	case errors.Is(err, edge.ErrMediaType):
		e.Description = "the body must be application/x-www-form-urlencoded"
	case errors.Is(err, edge.ErrTooLarge):
		e.Description = "the request is too large"
	default:
		e.Description = "the request is not well-formed"
	}
	return e
}

// status is the HTTP status of an error answered as JSON (RFC 6749 §5.2).
func (e *Error) status() int {
	switch e.Code {
	case InvalidClient:
		return http.StatusUnauthorized
	case ServerError:
		return http.StatusInternalServerError
	case TemporarilyUnavailable:
		if errors.Is(e.Cause, idp.ErrLimited) {
			return http.StatusTooManyRequests // RFC 9126 §2.3
		}
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}

// jsonErrors answers errors as JSON (RFC 6749 §5.2). realm is the issuer.
type jsonErrors struct{ realm string }

func (j jsonErrors) write(w http.ResponseWriter, _ *http.Request, err error) {
	e := asError(err)
	if e.Code == InvalidClient {
		// RFC 9110 §15.5.2: a 401 always says how to authenticate.
		w.Header().Set("WWW-Authenticate", `Basic realm="`+j.realm+`", charset="UTF-8"`)
	}
	if e.Code == TemporarilyUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	j.writeStatus(w, e.status(), e)
}

func (j jsonErrors) writeStatus(w http.ResponseWriter, status int, e *Error) {
	writeJSON(w, status, errorBody{e.Code, e.Description})
}

// errorBody is RFC 6749 §5.2.
type errorBody struct {
	Error       Code   `json:"error"`
	Description string `json:"error_description,omitempty"`
}

// writeJSON writes an answer that nobody may keep (RFC 6749 §5.1).
func writeJSON(w http.ResponseWriter, status int, body any) {
	doc, err := json.Marshal(body)
	if err != nil {
		panic("oauth: encode answer: " + err.Error()) // only for types that no answer has
	}
	writePrivate(w, status, "application/json", doc)
}

func writePrivate(w http.ResponseWriter, status int, mediaType string, doc []byte) {
	h := w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(doc) // the other end went away: nobody is left to tell
}
