package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"

	"github.com/signet-id/signet/internal/authn"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/registration"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/verify/jose"
)

const (
	maxBody   = 256 << 10
	mediaType = "application/json"
)

// Error is the body of every answer that is not 2xx.
type Error struct {
	Status  int    `json:"-"`
	Code    string `json:"error"`   // invalid_request, not_found, exists, refused, unavailable or server_error
	Message string `json:"message"` // for people; says what to do
	Cause   error  `json:"-"`       // for our log
}

func (e *Error) Error() string {
	if e.Cause != nil {
		return e.Message + ": " + e.Cause.Error()
	}
	return e.Message
}

// Unwrap lets the log see what kind of error it is.
func (e *Error) Unwrap() error {
	switch {
	case e.Cause != nil:
		return e.Cause
	case e.Status == http.StatusNotFound:
		return idp.ErrNotFound
	case e.Status < 500:
		return idp.ErrInvalid
	}
	return nil
}

// invalid says which field is wrong and why. The text contains no value but a scope's name.
func invalid(format string, args ...any) error {
	return &Error{Status: http.StatusBadRequest, Code: "invalid_request", Message: fmt.Sprintf(format, args...)}
}

// named says what it is that was not found.
func named(what, id string, err error) error {
	if !errors.Is(err, idp.ErrNotFound) {
		return err
	}
	return &Error{Status: http.StatusNotFound, Code: "not_found", Message: fmt.Sprintf("%s %.200q: not found", what, id), Cause: err}
}

// asError says what an error of the packages below means here.
func asError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*authn.Unacceptable](err); ok {
		return &Error{Status: http.StatusBadRequest, Code: "invalid_request", Message: e.Error()}
	}
	if e, ok := errors.AsType[*registration.Unacceptable](err); ok {
		return &Error{Status: http.StatusBadRequest, Code: "invalid_request", Message: e.Message}
	}
	switch {
	case errors.Is(err, idp.ErrNotFound):
		return &Error{Status: http.StatusNotFound, Code: "not_found", Message: "not found"}
	case errors.Is(err, idp.ErrExists):
		return &Error{Status: http.StatusConflict, Code: "exists", Message: "already exists, or existed once"}
	case errors.Is(err, idp.ErrUnavailable) && unreachable(err):
		return &Error{Status: http.StatusServiceUnavailable, Code: "unavailable", Message: "the database does not answer; look what it is with: signet doctor"}
	case errors.Is(err, idp.ErrUnavailable):
		return &Error{Status: http.StatusServiceUnavailable, Code: "unavailable", Message: "busy; try again in a few seconds"}
	case errors.Is(err, idp.ErrInvalid):
		return &Error{Status: http.StatusBadRequest, Code: "invalid_request", Message: "a value is not acceptable"}
	}
	return &Error{Status: http.StatusInternalServerError, Code: "server_error", Message: "the server's log says what went wrong"}
}

// unreachable: it was the line to somebody else, and here that is the database alone.
func unreachable(err error) bool {
	_, network := errors.AsType[net.Error](err)
	return network || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

func writeError(w http.ResponseWriter, _ *http.Request, err error) {
	e := asError(err)
	// The type has two strings: it always encodes.
	_ = writeJSON(w, e.Status, e)
}

func writeJSON(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // a client that went away needs no answer
	return nil
}

// done is the answer of changes that have nothing to say.
func done(w http.ResponseWriter) error {
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// readJSON decodes a body strictly: exact media type, one object, no unknown or repeated
// names (LOG-07: what is not listed cannot be set).
func readJSON(r *http.Request, v any) error {
	if types := r.Header.Values("Content-Type"); len(types) != 1 || types[0] != mediaType {
		return &Error{Status: http.StatusUnsupportedMediaType, Code: "invalid_request", Message: "the body must be " + mediaType}
	}
	data, err := io.ReadAll(r.Body)
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return &Error{Status: http.StatusRequestEntityTooLarge, Code: "invalid_request", Message: "the body is too large"}
	}
	if err != nil {
		return invalid("the body did not arrive whole")
	}
	if jose.CheckObject(data) != nil {
		return invalid("the body is not one well-formed JSON object without repeated names")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		// Texts of the decoder may hold values, and values may be passwords.
		if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && e.Field != "" {
			return invalid("%s has the wrong type", e.Field)
		}
		return invalid("the body has an unknown field, or one of the wrong type")
	}
	return nil
}

// query reads the query; each name once, known names only.
func query(r *http.Request, known ...string) (url.Values, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, invalid("the query is malformed")
	}
	names := map[string]bool{}
	for _, k := range known {
		names[k] = true
	}
	for name, values := range q {
		if !names[name] || len(values) != 1 {
			return nil, invalid("the query has an unknown or repeated parameter")
		}
	}
	return q, nil
}

// pageSize reads "limit".
func pageSize(q url.Values) (int, error) {
	const standard, most = 100, 1000
	if !q.Has("limit") {
		return standard, nil
	}
	n, err := strconv.Atoi(q.Get("limit"))
	if err != nil || n < 1 || n > most {
		return 0, invalid("limit is not a number from 1 to %d", most)
	}
	return n, nil
}

// Password is a password on its way in. It cannot be written out again.
type Password struct{ secret.Text }

// UnmarshalJSON takes a JSON string.
func (p *Password) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return errors.New("password is not a string")
	}
	p.Text = secret.NewText(s)
	return nil
}
