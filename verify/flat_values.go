package verify

import (
	"math/bits"
	"slices"
	"strings"
	"time"
)

// has reports whether c stands at pos.
func (f *flat) has(c byte, pos int) bool { return pos < len(f.doc) && f.doc[pos] == c }

// text reads a string whose bytes all mean themselves: printable ASCII without quotation
// marks and backslashes. The end is 0 if it is not one.
func (f *flat) text(pos int) (s string, end int) {
	doc := f.doc
	if pos >= len(doc) || doc[pos] != '"' {
		return "", 0
	}
	pos++
	for end = pos; len(doc)-end >= 8; end += 8 {
		if odd := oddBytes(eight(doc[end:])); odd != 0 {
			if end += bits.TrailingZeros64(odd) / 8; doc[end] != '"' {
				return "", 0
			}
			return doc[pos:end], end + 1
		}
	}
	for ; end < len(doc); end++ {
		switch c := doc[end]; {
		case c == '"':
			return doc[pos:end], end + 1
		case c < ' ' || c >= 0x7F || c == '\\':
			return "", 0
		}
	}
	return "", 0
}

// eight is the first eight bytes of s, the first of them lowest.
func eight(s string) uint64 {
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// ones has a 1 in each byte.
const ones = 0x0101010101010101

// oddBytes looks at eight bytes at once for those that are not printable ASCII, or are a
// quotation mark or a backslash. The lowest bit that it sets is the highest of the first of
// them; those above may be wrong. A byte b is less than n, for n up to 0x80, if b-n borrows
// from the highest bit and b does not have it; what a borrow or a carry makes of the next
// byte does not matter, for the byte before it is odd. With its second bit turned, the
// quotation mark, 0x22, stands beside the control characters, which stay below 0x20.
func oddBytes(eight uint64) uint64 {
	less := func(bytes, n uint64) uint64 { return (bytes - ones*n) &^ bytes }
	odd := eight | (eight + ones) | less(eight^ones*2, 0x21) | less(eight^ones*'\\', 1)
	return odd & (ones * 0x80)
}

// word reads a string that says something.
func (f *flat) word(name flatNames, pos int, to *string) (end int) {
	*to, end = f.text(pos)
	if *to == "" || !f.first(name) {
		return 0
	}
	return end
}

// time reads a NumericDate.
func (f *flat) time(name flatNames, pos int, to *time.Time) (end int) {
	n, end := f.number(pos)
	*to = time.Unix(n, 0).UTC()
	if !f.first(name) {
		return 0
	}
	return end
}

// number reads a whole number from 0 to maxTime.
func (f *flat) number(pos int) (n int64, end int) {
	digits := f.doc[pos:min(len(f.doc), pos+len("253402300799"))]
	length := 0
	for length < len(digits) && digits[length]-'0' <= 9 {
		n = n*10 + int64(digits[length]-'0')
		length++
	}
	if length == 0 || length > 1 && digits[0] == '0' || n > maxTime {
		return 0, 0
	}
	return n, pos + length
}

// list reads an array of strings; an empty one is nil.
func (f *flat) list(name flatNames, pos int, to *[]string) (end int) {
	if !f.first(name) {
		return 0
	}
	*to, end = f.texts(pos)
	return end
}

// texts reads the strings of an array.
func (f *flat) texts(pos int) (all []string, end int) {
	if !f.has('[', pos) {
		return nil, 0
	}
	if f.has(']', pos+1) {
		return nil, pos + 2
	}
	start := len(f.lists)
	for {
		s, end := f.text(pos + 1)
		if end == 0 {
			return nil, 0
		}
		f.lists = append(f.lists, s)
		if f.has(']', end) {
			return slices.Clip(f.lists[start:]), end + 1
		}
		if !f.has(',', end) {
			return nil, 0
		}
		pos = end
	}
}

// scopes reads a list of scopes with one space between them (RFC 6749 §3.3). Of the
// bytes that text lets through all may stand in a scope.
func (f *flat) scopes(pos int) (end int) {
	s, end := f.text(pos)
	if end == 0 || !f.first(flatScope) {
		return 0
	}
	start := len(f.lists)
	for scope, more := "", true; more; {
		if scope, s, more = strings.Cut(s, " "); scope == "" {
			return 0
		}
		f.lists = append(f.lists, scope)
	}
	f.to.Scopes = slices.Clip(f.lists[start:])
	return end
}

// skip steps over the value of a member without a meaning.
func (f *flat) skip(name string, pos int) (end int) {
	if f.n == len(f.other) || slices.Contains(f.other[:f.n], name) {
		return 0
	}
	f.other[f.n] = name
	f.n++
	switch {
	case f.has('"', pos):
		_, end = f.text(pos)
	case f.has('[', pos):
		_, end = f.texts(pos)
	default:
		_, end = f.number(pos)
	}
	return end
}
