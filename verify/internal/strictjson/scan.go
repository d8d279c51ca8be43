// Package strictjson reads JSON the way a security boundary must (RFC 8259, with the
// interoperable choices of RFC 7493): one object, names compared byte for byte, no
// name twice in one object, valid UTF-8, no lone surrogate, nothing after the end,
// at most 32 levels.
//
// encoding/json is not used for anything that decides: it binds names without regard
// to case, takes the last of two equal names and repairs broken text, so two readers
// of one token could see different claims.
package strictjson

import (
	"bytes"
	"errors"
	"strconv"
	"unicode/utf8"
)

// maxDepth is how many objects and arrays may stand inside each other.
const maxDepth = 32

// What can be wrong with a document.
var (
	errSyntax    = errors.New("not JSON")
	errUTF8      = errors.New("not valid UTF-8")
	errObject    = errors.New("not an object")
	errTrailing  = errors.New("data after the end")
	errDuplicate = errors.New("a name appears twice")
	errDepth     = errors.New("nested too deeply")
	errSurrogate = errors.New("a lone surrogate")
	errNumber    = errors.New("a number out of range")
)

// Check reports whether data is exactly one acceptable object.
func Check(data []byte) error { return Object(data, nil) }

// Object reads one object and calls visit with each of its members: the name without
// escapes and the value as it is written. The document is known to be acceptable only
// when Object returns nil, so a visitor only remembers what it sees.
func Object(data []byte, visit func(name, value []byte) error) error {
	if !utf8.Valid(data) {
		return errUTF8
	}
	s := scanner{data: data}
	s.space()
	if s.peek() != '{' {
		return errObject
	}
	if err := s.object(1, visit); err != nil {
		return err
	}
	s.space()
	if s.pos != len(data) {
		return errTrailing
	}
	return nil
}

// scanner walks over data, which is valid UTF-8.
type scanner struct {
	data []byte
	pos  int
}

func (s *scanner) object(depth int, visit func(name, value []byte) error) error {
	if depth > maxDepth {
		return errDepth
	}
	s.pos++ // '{'
	s.space()
	if s.take('}') {
		return nil
	}
	var seen names
	for {
		s.space()
		name, err := s.name()
		if err != nil {
			return err
		}
		if !seen.add(name) {
			return errDuplicate
		}
		s.space()
		if !s.take(':') {
			return errSyntax
		}
		s.space()
		start := s.pos
		if err := s.value(depth); err != nil {
			return err
		}
		if visit != nil {
			if err := visit(name, s.data[start:s.pos]); err != nil {
				return err
			}
		}
		s.space()
		if s.take('}') {
			return nil
		}
		if !s.take(',') {
			return errSyntax
		}
	}
}

func (s *scanner) array(depth int, visit func(value []byte) error) error {
	if depth > maxDepth {
		return errDepth
	}
	s.pos++ // '['
	s.space()
	if s.take(']') {
		return nil
	}
	for {
		s.space()
		start := s.pos
		if err := s.value(depth); err != nil {
			return err
		}
		if visit != nil {
			if err := visit(s.data[start:s.pos]); err != nil {
				return err
			}
		}
		s.space()
		if s.take(']') {
			return nil
		}
		if !s.take(',') {
			return errSyntax
		}
	}
}

func (s *scanner) value(depth int) error {
	switch c := s.peek(); {
	case c == '{':
		return s.object(depth+1, nil)
	case c == '[':
		return s.array(depth+1, nil)
	case c == '"':
		_, err := s.str()
		return err
	case c == '-' || isDigit(c):
		return s.number()
	}
	for _, word := range [...]string{"true", "false", "null"} {
		if bytes.HasPrefix(s.data[s.pos:], []byte(word)) {
			s.pos += len(word)
			return nil
		}
	}
	return errSyntax
}

// name reads a member's name and resolves its escapes: "\u0061lg" is "alg".
func (s *scanner) name() ([]byte, error) {
	if s.peek() != '"' {
		return nil, errSyntax
	}
	start := s.pos + 1
	escaped, err := s.str()
	if err != nil {
		return nil, err
	}
	raw := s.data[start : s.pos-1]
	if escaped {
		return unescape(raw), nil
	}
	return raw, nil
}

// str walks over a string and reports whether it has escapes.
func (s *scanner) str() (escaped bool, err error) {
	for s.pos++; s.pos < len(s.data); s.pos++ {
		switch c := s.data[s.pos]; {
		case c == '"':
			s.pos++
			return escaped, nil
		case c < 0x20:
			return false, errSyntax
		case c == '\\':
			escaped = true
			if err := s.escape(); err != nil {
				return false, err
			}
		}
	}
	return false, errSyntax
}

// escape walks over one escape and stops at its last byte.
func (s *scanner) escape() error {
	s.pos++
	switch s.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return nil
	case 'u':
	default:
		return errSyntax
	}
	r, ok := hex4(s.data[s.pos+1:])
	if !ok {
		return errSyntax
	}
	s.pos += 4
	if r < 0xD800 || r > 0xDFFF {
		return nil
	}
	// RFC 8259 §8.2: a lone surrogate is no character; readers disagree on it.
	if r > 0xDBFF || !bytes.HasPrefix(s.data[s.pos+1:], []byte(`\u`)) {
		return errSurrogate
	}
	low, ok := hex4(s.data[s.pos+3:])
	if !ok || low < 0xDC00 || low > 0xDFFF {
		return errSurrogate
	}
	s.pos += 6
	return nil
}

func (s *scanner) number() error {
	start := s.pos
	s.take('-')
	if !s.take('0') && s.digits() == 0 {
		return errSyntax
	}
	real := false
	if s.take('.') {
		real = true
		if s.digits() == 0 {
			return errSyntax
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		real = true
		s.pos++
		if !s.take('+') {
			s.take('-')
		}
		if s.digits() == 0 {
			return errSyntax
		}
	}
	if isDigit(s.peek()) { // a leading zero
		return errSyntax
	}
	// 1e400 is infinite to one reader and an error to the next.
	if real || s.pos-start > 18 {
		if _, err := strconv.ParseFloat(string(s.data[start:s.pos]), 64); err != nil {
			return errNumber
		}
	}
	return nil
}

func (s *scanner) digits() int {
	start := s.pos
	for isDigit(s.peek()) {
		s.pos++
	}
	return s.pos - start
}

func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// peek returns the next byte, or 0 at the end; a 0 byte is acceptable nowhere.
func (s *scanner) peek() byte {
	if s.pos < len(s.data) {
		return s.data[s.pos]
	}
	return 0
}

func (s *scanner) take(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.pos++
	return true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// names is the set of names of one object. The first ones are compared one by one,
// which needs no allocation; the map keeps a huge object from costing its square.
type names struct {
	few  [24][]byte
	n    int
	many map[string]struct{}
}

// add reports whether name is new.
func (s *names) add(name []byte) bool {
	if s.many != nil {
		if _, known := s.many[string(name)]; known {
			return false
		}
		s.many[string(name)] = struct{}{}
		return true
	}
	for _, other := range s.few[:s.n] {
		if bytes.Equal(other, name) {
			return false
		}
	}
	if s.n < len(s.few) {
		s.few[s.n] = name
		s.n++
		return true
	}
	s.many = make(map[string]struct{}, 4*len(s.few))
	for _, other := range s.few {
		s.many[string(other)] = struct{}{}
	}
	s.many[string(name)] = struct{}{}
	return true
}
