package edge_test

import (
	"net/http/httptest"
	"testing"

	"github.com/signet-id/signet/internal/edge"
)

func TestWantsPage_RFC9110_12_5_1(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]bool{
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": true,
		"text/html": true, "TEXT/HTML": true, "application/json, text/html;q=0.1": true, "text/html;charset=utf-8": true,
		"": false, "*/*": false, "text/*": false, "application/json": false, "text/html;q=0": false, "text/html;q=0.000, */*": false,
		"text/html5": false, "application/text/html": false, ",,;": false,
	} {
		r := httptest.NewRequest("GET", "/", nil)
		if accept != "" {
			r.Header.Set("Accept", accept)
		}
		if got := edge.WantsPage(r); got != want {
			t.Errorf("Accept %q: %v", accept, got)
		}
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header["Accept"] = []string{"application/json", "text/html"}
	if !edge.WantsPage(r) {
		t.Error("the second line is not read")
	}
}
