package verify_test

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/verifytest"
)

// RFC 9470 §3, §5; OAU-17.
func TestStepUp_RFC9470_3(t *testing.T) {
	t.Parallel()
	running(t, func(t *testing.T, w *world, v *verify.Verifier) {
		now := time.Now().Unix()
		login := func(acr string, age int64) map[string]any {
			return map[string]any{"acr": acr, "auth_time": now - age}
		}
		const tail = `, error="insufficient_user_authentication", error_description="another or a newer login is needed"`
		twice, minutes := verify.ACR("aal2"), verify.MaxAge(5*time.Minute)
		for name, tc := range map[string]struct {
			claims map[string]any
			rules  []verify.StepUpRule
			want   string // the challenge's end; "": let through
		}{
			"no rules":             {nil, nil, ""},
			"class":                {login("aal2", 0), []verify.StepUpRule{twice}, ""},
			"better class":         {login("aal3", 0), []verify.StepUpRule{twice}, ""},
			"weaker class":         {login("aal1", 0), []verify.StepUpRule{twice}, tail + `, acr_values="aal2"`},
			"no class":             {nil, []verify.StepUpRule{twice}, tail + `, acr_values="aal2"`},
			"made-up better class": {login("aal9", 0), []verify.StepUpRule{twice}, tail + `, acr_values="aal2"`},
			"class in capitals":    {login("AAL2", 0), []verify.StepUpRule{twice}, tail + `, acr_values="aal2"`},
			"one of two":           {login("urn:card", 0), []verify.StepUpRule{verify.ACR("aal2", "urn:card")}, ""},
			"none of two":          {login("urn:c", 0), []verify.StepUpRule{verify.ACR("aal2", "urn:card")}, tail + `, acr_values="aal2 urn:card"`},
			"own class, no order":  {login("aal3", 0), []verify.StepUpRule{verify.ACR("urn:card")}, tail + `, acr_values="urn:card"`},
			"young enough":         {login("aal1", 300), []verify.StepUpRule{minutes}, ""},
			"too old":              {login("aal1", 301), []verify.StepUpRule{minutes}, tail + `, max_age="300"`},
			"no time":              {nil, []verify.StepUpRule{minutes}, tail + `, max_age="300"`},
			"clock ahead":          {login("aal1", -60), []verify.StepUpRule{minutes}, ""},
			"from the future":      {login("aal1", -61), []verify.StepUpRule{minutes}, tail + `, max_age="300"`},
			"both, class missing":  {login("aal1", 0), []verify.StepUpRule{twice, minutes}, tail + `, acr_values="aal2", max_age="300"`},
			"both, too old":        {login("aal2", 600), []verify.StepUpRule{minutes, twice}, tail + `, acr_values="aal2", max_age="300"`},
			"both met":             {login("aal2", 1), []verify.StepUpRule{twice, minutes}, ""},
		} {
			h := v.Require("orders:read")(v.StepUp(tc.rules...)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "paid") })))
			r := httptest.NewRequest("GET", "/orders", nil)
			r.Header.Set("Authorization", "Bearer "+w.token(tc.claims))
			out := httptest.NewRecorder()
			h.ServeHTTP(out, r)
			var want []string
			if tc.want != "" {
				want = []string{"Bearer" + tc.want}
			}
			if got := challenges(out.Result()); (out.Code == 200) != (want == nil) || (out.Code == 401) != (want != nil) || !slices.Equal(got, want) {
				t.Errorf("%s: %d %q", name, out.Code, got)
			}
			if strings.Contains(out.Body.String(), "paid") != (want == nil) {
				t.Errorf("%s: %s", name, out.Body)
			}
		}
	})
}

// Without HTTP the error says what is wanted; with DPoP the challenge is DPoP's.
func TestStepUp_Elsewhere(t *testing.T) {
	t.Parallel()
	running(t, func(t *testing.T, w *world, v *verify.Verifier) {
		err := v.CheckStepUp(&verify.Claims{ACR: "aal1"}, verify.ACR("aal2"), verify.MaxAge(90*time.Second+time.Millisecond))
		var want *verify.StepUpError
		if !errors.As(err, &want) || !errors.Is(err, verify.ErrStepUp) || !slices.Equal(want.ACR, []string{"aal2"}) || want.MaxAge != 90*time.Second {
			t.Errorf("%v %+v", err, want)
		}
		key := verifytest.NewDPoPKey(t)
		token := w.token(key.Binding())
		guarded := v.StepUp(verify.ACR("aal2"))(http.NotFoundHandler())
		r := httptest.NewRequest("GET", ordersURL, nil)
		key.Authorize(r, token, "")
		out := httptest.NewRecorder()
		v.Require()(guarded).ServeHTTP(out, r)
		if got := challenges(out.Result()); out.Code != 401 || len(got) != 1 || !strings.HasPrefix(got[0], "DPoP, error=\"insufficient_user_authentication\"") || !strings.Contains(got[0], "algs=") {
			t.Errorf("DPoP: %d %q", out.Code, got)
		}
	})
}

// Without Require nobody gets in, and the developer is told, not the client blamed.
func TestStepUp_WithoutRequire(t *testing.T) {
	t.Parallel()
	var logged strings.Builder
	v, err := verify.New(issuer, audience, verify.Logger(slog.New(slog.NewTextHandler(&logged, nil))))
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/pay", v.StepUp()(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("let in") })))
	for _, header := range []http.Header{{}, {"Authorization": {"Bearer x"}}} {
		logged.Reset()
		r, out := httptest.NewRequest("GET", "/pay", nil), httptest.NewRecorder()
		r.Header = header
		mux.ServeHTTP(out, r)
		if out.Code != 500 || out.Body.String() != "StepUp needs Require around it\n" || out.Header().Get("WWW-Authenticate") != "" {
			t.Errorf("%d %v %s", out.Code, out.Header(), out.Body)
		}
		if got := logged.String(); !strings.Contains(got, "level=ERROR") || !strings.Contains(got, "StepUp needs Require around it") || !strings.Contains(got, "pattern=/pay") {
			t.Errorf("logged %q", got)
		}
	}
}

func TestStepUp_RefusesStrangeRules(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]func(){
		"none":  func() { verify.ACR() },
		"empty": func() { verify.ACR("aal2", "") }, "blank": func() { verify.ACR("a b") }, "quote": func() { verify.ACR(`a"`) },
		"no age": func() { verify.MaxAge(0) }, "a blink": func() { verify.MaxAge(time.Millisecond) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: accepted", name)
				}
			}()
			f()
		}()
	}
}
