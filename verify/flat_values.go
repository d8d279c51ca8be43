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
	for ; len(doc) >= 8; doc = doc[8:] {
		eight := uint64(doc[0]) | uint64(doc[1])<<8 | uint64(doc[2])<<16 | uint64(doc[3])<<24 |
			uint64(doc[4])<<32 | uint64(doc[5])<<40 | uint64(doc[6])<<48 | uint64(doc[7])<<56
		if !plainBytes(eight) {
			return false
		}
	}
	rest := uint64(ones * ' ')
	for i := range len(doc) {
		rest = rest<<8 | uint64(doc[i])
	}
	return plainBytes(rest)
}

// ones has a 1 in each byte.
const ones = 0x0101010101010101

// plainBytes looks at eight bytes at once. A byte b is less than n, for n up to 0x80, if
// b-n borrows from the highest bit and b does not have it; what a borrow makes of the next
// byte does not matter, for there is one to find already.
func plainBytes(eight uint64) bool {
	less := func(bytes, n uint64) uint64 { return (bytes - ones*n) &^ bytes }
	odd := eight | less(eight, 0x20) | less(eight^ones*'\\', 1) | less(eight^ones*0x7F, 1)
	return odd&(ones*0x80) == 0
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
