package strictjson

import (
	"bytes"
	"errors"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// What can be wrong with a value that is JSON.
var (
	errNoString  = errors.New("not a string")
	errNoInteger = errors.New("not an integer")
	errNoArray   = errors.New("not an array")
)

// String decodes a value that Object handed out and that must be a string.
func String(value []byte) (string, error) {
	text, err := Text(value)
	return string(text), err
}

// Text is String without a copy where that is possible.
func Text(value []byte) ([]byte, error) {
	if len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
		return nil, errNoString
	}
	raw := value[1 : len(value)-1]
	if bytes.IndexByte(raw, '\\') >= 0 {
		return unescape(raw), nil
	}
	return raw, nil
}

// Int decodes a value that must be an integer, written as one: 1.0 and 1e3 are not,
// and neither is anything that needs more than 64 bits.
func Int(value []byte) (int64, error) {
	for i, c := range value {
		if !isDigit(c) && (c != '-' || i != 0) {
			return 0, errNoInteger
		}
	}
	n, err := strconv.ParseInt(string(value), 10, 64)
	if err != nil {
		return 0, errNoInteger
	}
	return n, nil
}

// Array calls visit with each element of a value that must be an array.
func Array(value []byte, visit func(value []byte) error) error {
	if len(value) == 0 || value[0] != '[' {
		return errNoArray
	}
	s := scanner{data: value}
	return s.array(1, visit)
}

// Strings decodes a value that must be an array of strings.
func Strings(value []byte) ([]string, error) {
	var out []string
	err := Array(value, func(element []byte) error {
		s, err := String(element)
		out = append(out, s)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// unescape resolves the escapes of a string that the scanner has accepted.
func unescape(raw []byte) []byte {
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' || i+1 == len(raw) {
			out = append(out, raw[i])
			continue
		}
		i++
		switch raw[i] {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, _ := hex4(raw[i+1:])
			i += 4
			if utf16.IsSurrogate(r) && i+6 < len(raw) {
				low, _ := hex4(raw[i+3:])
				r = utf16.DecodeRune(r, low)
				i += 6
			}
			out = utf8.AppendRune(out, r)
		default:
			out = append(out, raw[i])
		}
	}
	return out
}

// hex4 reads the four hexadecimal digits of a \u escape.
func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case isDigit(c):
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
