package admin_test

import (
	"net/http"
	"testing"
)

// OAU-13, OAU-14: what a client asks with, and how it is answered, is something that is here.
func TestClients_Requests_OAU_13_OAU_14(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.do(http.StatusCreated, "POST", "/clients", `{"client_id":"wiki","client_name":"Wiki","redirect_uris":["https://wiki.example.com/cb"]}`)
	const keys = `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"k1","alg":"EdDSA","use":"sig"}]}`
	for change, ok := range map[string]bool{
		`{"response_modes":["query"]}`: true, `{"response_modes":["form_post","query"]}`: true, `{"response_modes":[]}`: true,
		`{"response_modes":["fragment"]}`: false, `{"response_modes":["query","query"]}`: false, `{"response_modes":[""]}`: false,
		`{"userinfo_signed_response_alg":"ES256"}`: true, `{"userinfo_signed_response_alg":""}`: true, `{"userinfo_signed_response_alg":"none"}`: false,
		`{"userinfo_signed_response_alg":"HS256"}`: false,
		`{"request_object_signing_alg":"PS256"}`:   true, `{"request_object_signing_alg":"Ed25519"}`: true, `{"request_object_signing_alg":"ES384"}`: false, `{"request_object_signing_alg":""}`: true, `{"request_object_signing_alg":"none"}`: false,
		`{"require_signed_request_object":true}`: false, `{"require_signed_request_object":true,"jwks":` + keys + `}`: true,
		`{"require_pushed_authorization_requests":true}`: true,
		`{"default_max_age":0}`:                          true, `{"default_max_age":-1}`: false,
		`{"default_acr_values":["aal1"]}`: true, `{"default_acr_values":["aal2"]}`: false, `{"default_acr_values":["aal1","aal1"]}`: false,
	} {
		want := http.StatusBadRequest
		if ok {
			want = http.StatusOK
		}
		t.Log(change)
		a.do(want, "PATCH", "/clients/wiki", change)
		a.do(http.StatusOK, "PATCH", "/clients/wiki", `{"require_signed_request_object":false,"jwks":null}`) // in whatever order
	}
}
