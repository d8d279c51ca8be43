package edge

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// WantsPage reports whether a request asks for a page, as browsers do when they go somewhere:
// its Accept names text/html (RFC 9110 §12.5.1). That anything will do, as programs say, is
// not enough.
func WantsPage(r *http.Request) bool {
	for _, line := range r.Header.Values("Accept") {
		for wanted := range strings.SplitSeq(line, ",") {
			kind, params, err := mime.ParseMediaType(wanted)
			if err != nil || kind != "text/html" {
				continue
			}
			if q, err := strconv.ParseFloat(params["q"], 64); err != nil || q > 0 {
				return true
			}
		}
	}
	return false
}
