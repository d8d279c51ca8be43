package admin

import (
	"log/slog"
	"net/http"
	"strings"
)

// Host is the only name under which the API answers. No name server knows it, so a page
// that has its own name point to this machine (DNS rebinding) does not say it.
const Host = "signet"

// guard refuses what comes out of a browser (OPS-04). A unix socket is out of its reach
// already; this still holds if somebody puts the API behind a TCP port.
func guard(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if reason := refusal(r); reason != "" {
			log.Warn("administration request refused", "reason", reason)
			writeError(w, r, &Error{Status: http.StatusForbidden, Code: "refused", Message: reason})
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}

func refusal(r *http.Request) string {
	if r.Host != Host {
		return "the Host header must be " + Host
	}
	for name := range r.Header {
		if name == "Origin" || name == "Referer" || strings.HasPrefix(name, "Sec-") {
			return "requests of browsers are not answered"
		}
	}
	return ""
}
