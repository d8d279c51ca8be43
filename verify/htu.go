package verify

import (
	"net/http"
	"net/url"
	"strings"
)

// normalURL returns the one form of an http URL without query and fragment that all its
// spellings have (RFC 9449 §4.3; RFC 3986 §6.2.2, §6.2.3): scheme and host in small
// letters, no default port, a path of at least a slash, without dot segments, and escapes
// of exactly what needs them.
func normalURL(raw string) (string, bool) {
	origin, path, ok := splitURL(raw)
	if !ok {
		return "", false
	}
	return origin + removeDots(path), true
}

// splitURL returns the normal form before and of the path, which keeps its dot segments.
func splitURL(raw string) (origin, path string, ok bool) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || u.Opaque != "" || strings.Contains(u.Host, "%") { // no zones
		return "", "", false
	}
	host := strings.TrimSuffix(strings.ToLower(u.Host), ":")
	switch u.Scheme { // in small letters already
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	default:
		return "", "", false
	}
	if host == "" || strings.Contains(u.Hostname(), ":") != strings.HasPrefix(host, "[") { // two ports
		return "", "", false
	}
	return u.Scheme + "://" + host, normalEscapes(pathOf(u)), true
}

// pathOf returns a path as it was written. EscapedPath would write one anew that has a byte
// which it may not have: with such a byte in it, "a%2F..%2Fb" were a way to "b".
func pathOf(u *url.URL) string {
	if plain, err := url.PathUnescape(u.RawPath); u.RawPath != "" && err == nil && plain == u.Path {
		return u.RawPath
	}
	return u.EscapedPath()
}

// normalEscapes writes escapes in capitals, and letters, digits and -._~ without
// (RFC 3986 §6.2.2.1, §6.2.2.2). What may not stand in a path is escaped. A valid path has
// two digits after each percent sign.
func normalEscapes(path string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(path))
	for i := 0; i < len(path); i++ {
		c, escaped := path[i], false
		if c == '%' && i+2 < len(path) {
			c, escaped = unhex(path[i+1])<<4|unhex(path[i+2]), true
			i += 2
		}
		if unreserved(c) || !escaped && strings.IndexByte("/:@!$&'()*+,;=", c) >= 0 {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

func unhex(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// removeDots resolves "." and ".." (RFC 3986 §5.2.4).
func removeDots(path string) string {
	if path == "" {
		return "/"
	}
	if !strings.Contains(path, "/.") {
		return path
	}
	segments := strings.Split(path[1:], "/")
	kept := segments[:0]
	for i, s := range segments {
		last := i == len(segments)-1
		switch s {
		case "..":
			kept = kept[:max(0, len(kept)-1)]
		case ".":
		default:
			kept = append(kept, s)
			continue
		}
		if last {
			kept = append(kept, "")
		}
	}
	return "/" + strings.Join(kept, "/")
}

// requestPath returns the path that the client has asked for, as it was sent: handlers
// before this one may have changed r.URL.
func requestPath(r *http.Request) string {
	u, err := url.ParseRequestURI(r.RequestURI)
	if err != nil {
		u = r.URL
	}
	if path := pathOf(u); path != "" {
		return path
	}
	return "/"
}
