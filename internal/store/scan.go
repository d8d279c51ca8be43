package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// ms is how a time is stored: milliseconds since 1970, UTC.
func ms(t time.Time) int64 { return t.UnixMilli() }

// msOrNull is ms for a column that is NULL while something has not happened.
func msOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return ms(t)
}

// textOrNull stores nothing for an empty text.
func textOrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// hashOrNull stores nothing for a zero hash.
func hashOrNull(h [32]byte) any {
	if h == ([32]byte{}) {
		return nil
	}
	return h[:]
}

// asTime scans a time; NULL is the zero time.
type asTime struct{ t *time.Time }

func (d asTime) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*d.t = time.Time{}
	case int64:
		*d.t = time.UnixMilli(v).UTC()
	default:
		return fmt.Errorf("column is %T, not a time", v)
	}
	return nil
}

// asText scans a text; NULL is empty.
type asText struct{ s *string }

func (d asText) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*d.s = ""
	case string:
		*d.s = v
	default:
		return fmt.Errorf("column is %T, not a text", v)
	}
	return nil
}

// asHash scans a hash; NULL is the zero hash.
type asHash struct{ h *[32]byte }

func (d asHash) Scan(v any) error {
	b, ok := v.([]byte)
	if v != nil && (!ok || len(b) != len(d.h)) {
		return errors.New("column is not a hash")
	}
	*d.h = [32]byte{}
	copy(d.h[:], b)
	return nil
}

// asBytes scans a copy of the bytes; NULL is nil.
type asBytes struct{ b *[]byte }

func (d asBytes) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*d.b = nil
	case []byte:
		*d.b = append([]byte(nil), v...)
	default:
		return fmt.Errorf("column is %T, not bytes", v)
	}
	return nil
}

// words joins names that contain no space, like scopes (RFC 6749 §3.3). A name with
// a space would be read back as two, so it is refused.
func words(names []string) (string, error) {
	for _, n := range names {
		if n == "" || strings.Contains(n, " ") {
			return "", fmt.Errorf("a name in a list is empty or contains a space: %w", idp.ErrInvalid)
		}
	}
	return strings.Join(names, " "), nil
}

// asWords scans what words wrote.
type asWords struct{ names *[]string }

func (d asWords) Scan(v any) error {
	var s string
	if err := (asText{&s}).Scan(v); err != nil {
		return err
	}
	*d.names = nil
	if s != "" {
		*d.names = strings.Split(s, " ")
	}
	return nil
}

// jsonText is how a structured value is stored.
func jsonText(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// asJSON scans what jsonText wrote.
type asJSON struct{ v any }

func (d asJSON) Scan(v any) error {
	var s string
	if err := (asText{&s}).Scan(v); err != nil {
		return err
	}
	if s == "" || s == "{}" || s == "null" {
		return nil
	}
	return json.Unmarshal([]byte(s), d.v)
}

// shortened cuts a text that a stranger sent to at most n bytes, at a whole character,
// and leaves out what not every engine stores.
func shortened(s string, n int) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s[:min(n, len(s))], "\x00", ""), "")
}
