package edge

import (
	"fmt"
	"net/http"

	"github.com/signet-id/signet/internal/idp"
)

var errCrossOrigin = fmt.Errorf("request from another origin: %w", idp.ErrDenied)

// SameOrigin reports an error unless the browser says that the request comes from our own
// pages: Sec-Fetch-Site is same-origin (or, for GET and HEAD, none: typed or bookmarked),
// or, from browsers that do not send it, Origin equals origin. A request with neither is
// refused: unlike http.CrossOriginProtection we only serve browsers here.
//
// Beside Sec-Fetch-Site an Origin "null" is fine: browsers send it with our own forms
// because of Referrer-Policy: no-referrer (Fetch §3.2.6).
func SameOrigin(r *http.Request, origin string) error {
	sites, origins := r.Header.Values("Sec-Fetch-Site"), r.Header.Values("Origin")
	if len(sites) > 1 || len(origins) > 1 {
		return errCrossOrigin
	}
	ours := len(origins) == 1 && origins[0] == origin
	if len(sites) == 0 {
		if !ours {
			return errCrossOrigin
		}
		return nil
	}
	if len(origins) == 1 && !ours && origins[0] != "null" {
		return errCrossOrigin
	}
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	if sites[0] == "same-origin" || sites[0] == "none" && read {
		return nil
	}
	return errCrossOrigin
}
