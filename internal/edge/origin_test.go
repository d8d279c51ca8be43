package edge_test

import (
	"errors"
	"net/http/httptest"
	"testing"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
)

// OAU-15: our forms take requests from our pages only.
func TestSameOrigin_OAU15(t *testing.T) {
	t.Parallel()
	const own = "https://id.example.com"
	for _, tt := range []struct {
		name, method  string
		site, origins []string
		ok            bool
	}{
		{"own form", "POST", []string{"same-origin"}, []string{own}, true},
		{"own form, no-referrer", "POST", []string{"same-origin"}, []string{"null"}, true},
		{"own form without Origin", "POST", []string{"same-origin"}, nil, true},
		{"older browser", "POST", nil, []string{own}, true},
		{"typed address", "GET", []string{"none"}, nil, true},
		{"typed address, HEAD", "HEAD", []string{"none"}, nil, true},
		{"own link", "GET", []string{"same-origin"}, nil, true},

		{"neither header", "POST", nil, nil, false},
		{"neither header, GET", "GET", nil, nil, false},
		{"other site", "POST", []string{"cross-site"}, []string{"https://evil.example"}, false},
		{"other site with our Origin", "POST", []string{"cross-site"}, []string{own}, false},
		{"other site with no Origin", "POST", []string{"cross-site"}, nil, false},
		{"sibling host", "POST", []string{"same-site"}, []string{"https://www.example.com"}, false},
		{"POST out of nowhere", "POST", []string{"none"}, nil, false},
		{"link from elsewhere", "GET", []string{"cross-site"}, nil, false},
		{"unknown word", "POST", []string{"Same-Origin"}, []string{own}, false},
		{"empty word", "POST", []string{""}, []string{own}, false},
		{"two words", "POST", []string{"same-origin", "cross-site"}, []string{own}, false},
		{"two words in one", "POST", []string{"same-origin, cross-site"}, nil, false},
		{"two origins", "POST", []string{"same-origin"}, []string{own, "https://evil.example"}, false},
		{"contradiction", "POST", []string{"same-origin"}, []string{"https://evil.example"}, false},
		{"sandboxed frame, older browser", "POST", nil, []string{"null"}, false},
		{"empty origin", "POST", nil, []string{""}, false},
		{"plain http", "POST", nil, []string{"http://id.example.com"}, false},
		{"other port", "POST", nil, []string{own + ":8443"}, false},
		{"prefix", "POST", nil, []string{own + ".evil.example"}, false},
		{"slash", "POST", nil, []string{own + "/"}, false},
		{"case", "POST", nil, []string{"https://ID.example.com"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(tt.method, "/login", nil)
			r.Header["Sec-Fetch-Site"], r.Header["Origin"] = tt.site, tt.origins
			err := edge.SameOrigin(r, own)
			if (err == nil) != tt.ok || err != nil && !errors.Is(err, idp.ErrDenied) {
				t.Errorf("%v", err)
			}
		})
	}
}
