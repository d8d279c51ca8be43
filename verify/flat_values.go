package verify

import (
	"slices"
	"strings"
	"time"
)

func (f *flat) take(c byte) bool {
	if f.pos == len(f.doc) || f.doc[f.pos] != c {
		return false
	}
	f.pos++
	return true
}

// text reads a string.
func (f *flat) text() (string, bool) {
	if !f.take('"') {
		return "", false
	}
	rest := f.doc[f.pos:]
	end := strings.IndexByte(rest, '"')
	if end < 0 {
		return "", false
	}
	f.pos += end + 1
	return rest[:end], true
}

// plain reports whether all of doc is printable ASCII without a backslash, so that every
// byte of a string means itself.
func plain(doc string) bool {
	odd := false
	for i := range len(doc) {
		c := doc[i]
		odd = odd || c-0x20 > 0x5E || c == '\\'
	}
	return !odd
}

// word reads a string that says something.
func (f *flat) word(to *string) (ok bool) {
	*to, ok = f.text()
	return ok && *to != ""
}

// time reads a NumericDate.
func (f *flat) time(to *time.Time) bool {
	n, ok := f.number()
	*to = time.Unix(n, 0).UTC()
	return ok
}

// number reads a whole number from 0 to maxTime.
func (f *flat) number() (n int64, ok bool) {
	start := f.pos
	for f.pos < len(f.doc) && f.pos-start < len("253402300799") {
		c := f.doc[f.pos] - '0'
		if c > 9 {
			break
		}
		n = n*10 + int64(c)
		f.pos++
	}
	digits := f.pos - start
	return n, digits == 1 || digits > 1 && f.doc[start] != '0' && n <= maxTime
}

// list reads an array of strings; an empty one is nil.
func (f *flat) list(to *[]string) bool {
	if !f.take('[') {
		return false
	}
	if f.take(']') {
		return true
	}
	start := len(f.lists)
	for {
		s, ok := f.text()
		if !ok {
			return false
		}
		f.lists = append(f.lists, s)
		if f.take(',') {
			continue
		}
		*to = slices.Clip(f.lists[start:])
		return f.take(']')
	}
}

// scopes reads a list of scopes with one space between them (RFC 6749 §3.3). Of the
// bytes that text lets through all may stand in a scope.
func (f *flat) scopes() bool {
	s, ok := f.text()
	start := len(f.lists)
	for more := true; ok && more; {
		var scope string
		scope, s, more = strings.Cut(s, " ")
		f.lists = append(f.lists, scope)
		ok = scope != ""
	}
	f.to.Scopes = slices.Clip(f.lists[start:])
	return ok
}

// skip steps over the value of a member without a meaning.
func (f *flat) skip(name string) (ok bool) {
	if f.n == len(f.other) || slices.Contains(f.other[:f.n], name) {
		return false
	}
	f.other[f.n] = name
	f.n++
	if f.pos == len(f.doc) {
		return false
	}
	switch f.doc[f.pos] {
	case '"':
		_, ok = f.text()
	case '[':
		var none []string
		ok = f.list(&none)
	default:
		_, ok = f.number()
	}
	return ok
}
