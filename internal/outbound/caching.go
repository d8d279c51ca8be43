package outbound

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// caching is what an answer says about its own age.
type caching struct {
	said   bool
	maxAge time.Duration
}

// lifetime is how long an answer may be used, within least and most.
func (c caching) lifetime(least, most time.Duration) time.Duration {
	if !c.said {
		return most
	}
	return min(max(c.maxAge, least), most)
}

// parseCaching reads Cache-Control and Age (RFC 9111 §4.2, §5.1, §5.2.2). What cannot be
// understood counts as stale, and of several values the smallest.
func parseCaching(h http.Header) caching {
	c := caching{maxAge: 1 << 62}
	for _, line := range h.Values("Cache-Control") {
		for directive := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
			switch strings.ToLower(name) {
			case "no-store", "no-cache":
				c.said, c.maxAge = true, 0
			case "max-age":
				c.said, c.maxAge = true, min(c.maxAge, seconds(strings.Trim(value, `"`)))
			}
		}
	}
	if age := h.Get("Age"); c.said && age != "" {
		c.maxAge = max(0, c.maxAge-seconds(age))
	}
	return c
}

func seconds(s string) time.Duration {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(n) * time.Second
}
