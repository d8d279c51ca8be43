package edge

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/signet-id/signet/internal/idp"
)

const (
	maxFields     = 100
	maxQueryBytes = 16 << 10
	formMediaType = "application/x-www-form-urlencoded"
)

// What can be wrong with a form or query as a whole. All are idp.ErrInvalid.
var (
	ErrMediaType = fmt.Errorf("media type: %w", idp.ErrInvalid)           // 415
	ErrTooLarge  = fmt.Errorf("form too large: %w", idp.ErrInvalid)       // 413
	ErrMalformed = fmt.Errorf("form not well-formed: %w", idp.ErrInvalid) // 400
)

// ParamError says that a parameter was sent more than once (RFC 6749 §3.1, §3.2). Name is
// input: for comparing, not for showing.
type ParamError struct{ Name string }

func (*ParamError) Error() string { return "parameter sent more than once" }

// Unwrap makes it an idp.ErrInvalid.
func (*ParamError) Unwrap() error { return idp.ErrInvalid }

// Form reads a form from the body alone, never from the query: exactly one Content-Type
// application/x-www-form-urlencoded, at most maxBytes and 100 fields, each name once,
// every escape valid. Empty values stay, as sent.
func Form(w http.ResponseWriter, r *http.Request, maxBytes int64) (url.Values, error) {
	if err := checkMediaType(r.Header); err != nil {
		return nil, err
	}
	if r.ContentLength > maxBytes {
		return nil, ErrTooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBytes))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, ErrTooLarge
	}
	if err != nil {
		return nil, fmt.Errorf("read form: %w", ErrMalformed)
	}
	return parse(string(body))
}

// Query reads the query by the same rules.
func Query(r *http.Request) (url.Values, error) {
	if len(r.URL.RawQuery) > maxQueryBytes {
		return nil, ErrTooLarge
	}
	return parse(r.URL.RawQuery)
}

// checkMediaType wants the type of HTML forms, in UTF-8, not compressed.
func checkMediaType(h http.Header) error {
	given := h.Values("Content-Type")
	if len(given) != 1 || len(h.Values("Content-Encoding")) != 0 {
		return ErrMediaType
	}
	name, params, err := mime.ParseMediaType(given[0])
	if err != nil || name != formMediaType {
		return ErrMediaType
	}
	for key, value := range params {
		if key == "charset" && !strings.EqualFold(value, "utf-8") {
			return ErrMediaType
		}
	}
	return nil
}

// parse is url.ParseQuery without its forgiveness.
func parse(s string) (url.Values, error) {
	values := url.Values{}
	if s == "" {
		return values, nil
	}
	// Counted before any work is done. A ';' once was a separator too, and still is one
	// for some proxies, which would then have read another request than we do.
	if strings.Count(s, "&") >= maxFields {
		return nil, ErrTooLarge
	}
	if strings.Contains(s, ";") {
		return nil, ErrMalformed
	}
	for field := range strings.SplitSeq(s, "&") {
		if field == "" {
			continue // "a=1&" and "a=1&&b=2"
		}
		rawName, rawValue, _ := strings.Cut(field, "=")
		name, err := unescape(rawName)
		if err != nil || name == "" {
			return nil, ErrMalformed
		}
		value, err := unescape(rawValue)
		if err != nil {
			return nil, err
		}
		if _, repeated := values[name]; repeated {
			return nil, &ParamError{Name: name}
		}
		values[name] = []string{value}
	}
	return values, nil
}

// unescape decodes one part; no NUL, and UTF-8 only (RFC 6749 Appendix B).
func unescape(s string) (string, error) {
	s, err := url.QueryUnescape(s)
	if err != nil || strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s) {
		return "", ErrMalformed
	}
	return s, nil
}
