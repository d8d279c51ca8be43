package calendar_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/verifytest"
)

// state is what GET /status says.
func (w *world) state() map[string]any {
	w.t.Helper()
	var s map[string]any
	res := get(w.t, w.browser(), w.url+"/status")
	if err := json.Unmarshal([]byte(res.body), &s); err != nil || s["accepting"] != true {
		w.t.Fatalf("%d %s", res.status, res.body)
	}
	return s
}

// However many tokens come: the keys are here, and about a token nobody is asked.
func TestStatus_WhatGoesUpAndWhatDoesNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.state()
	for range 20 {
		w.api(http.MethodGet, "/api/freebusy?"+wholeWeek, w.appToken(), "")
	}
	w.api(http.MethodGet, "/api/freebusy?"+wholeWeek, changed(w.appToken()), "")
	w.revoke(verify.RuleGrant, "grant-1")
	for name, want := range map[string]float64{"requests": 21, "verified": 20, "refused": 1, "key_fetches": 0, "lookups": 0, "rules": 1, "position": 1} {
		if got := w.state()[name].(float64) - before[name].(float64); got != want {
			t.Errorf("%s went up by %v, want %v", name, got, want)
		}
	}
	if before["key_fetches"] != 1.0 || before["lookups"] != 0.0 {
		t.Errorf("at the beginning: %v", before)
	}
}

// It is for everybody to read, so it names nobody.
func TestStatus_IsNumbersOnly(t *testing.T) {
	t.Parallel()
	for name, value := range newWorld(t).state() {
		if _, ok := value.(string); ok {
			t.Errorf("%s is a text: %v", name, value)
		}
	}
}

func TestReset_TakesOutWhatAppsAdded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	add := `{"title":"Coffee with Bob","start":"2026-03-07T10:00:00Z","end":"2026-03-07T11:00:00Z"}`
	if res := w.api(http.MethodPost, "/api/meetings", w.appToken(), add); res.status != http.StatusCreated {
		t.Fatalf("add: %d %s", res.status, res.body)
	}
	w.app.Reset()
	res := w.api(http.MethodGet, "/api/events", w.appToken(verifytest.Claims{"scope": scopes}), "")
	if strings.Contains(res.body, "Coffee") || !strings.Contains(res.body, "Doctor") {
		t.Errorf("after the reset: %s", res.body)
	}
	if res := w.api(http.MethodPost, "/api/meetings", w.appToken(), add); res.status != http.StatusCreated {
		t.Errorf("add again: %d %s", res.status, res.body)
	}
}
