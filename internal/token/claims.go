package token

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// claims writes a JSON object member by member. Names are ours and need no escaping.
type claims struct {
	buf []byte
	bad bool // a value was not UTF-8
}

func newClaims() claims {
	return claims{buf: append(make([]byte, 0, 768), '{')}
}

// end closes the object.
func (c *claims) end() ([]byte, error) {
	if c.bad {
		return nil, invalid("a claim is not UTF-8")
	}
	return append(c.buf, '}'), nil
}

func (c *claims) name(name string) {
	if len(c.buf) > 1 {
		c.buf = append(c.buf, ',')
	}
	c.buf = append(c.buf, '"')
	c.buf = append(c.buf, name...)
	c.buf = append(c.buf, '"', ':')
}

func (c *claims) text(name, value string) {
	c.name(name)
	c.quote(value)
}

// optional leaves the member out if there is no value.
func (c *claims) optional(name, value string) {
	if value != "" {
		c.text(name, value)
	}
}

func (c *claims) number(name string, value int64) {
	c.name(name)
	c.buf = strconv.AppendInt(c.buf, value, 10)
}

// list writes an array of strings, nothing if it would be empty.
func (c *claims) list(name string, values []string) {
	if len(values) == 0 {
		return
	}
	c.name(name)
	for n, v := range values {
		c.buf = append(c.buf, "[,"[min(n, 1)])
		c.quote(v)
	}
	c.buf = append(c.buf, ']')
}

// quote writes a JSON string (RFC 8259 §7). What is not UTF-8 has no JSON form: a
// replacement would be another value, so the whole object becomes an error.
func (c *claims) quote(s string) {
	c.bad = c.bad || !utf8.ValidString(s)
	c.buf = append(c.buf, '"')
	start := 0
	for i := range len(s) {
		b := s[i]
		if b >= 0x20 && b != '"' && b != '\\' {
			continue
		}
		c.buf = append(c.buf, s[start:i]...)
		start = i + 1
		if b >= 0x20 {
			c.buf = append(c.buf, '\\', b)
			continue
		}
		const hex = "0123456789abcdef"
		c.buf = append(c.buf, '\\', 'u', '0', '0', hex[b>>4], hex[b&15])
	}
	c.buf = append(c.buf, s[start:]...)
	c.buf = append(c.buf, '"')
}

func joined(scopes []string) string { return strings.Join(scopes, " ") }
