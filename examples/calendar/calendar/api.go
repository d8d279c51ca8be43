package calendar

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/jose"
)

const (
	maxBodyBytes  = 4 << 10
	maxTitleBytes = 100
	maxLength     = 8 * time.Hour
	maxAhead      = 366 * 24 * time.Hour
	maxRange      = 62 * 24 * time.Hour
)

// freeBusy says when a person has no time: intervals, nothing else.
func (a *App) freeBusy(w http.ResponseWriter, r *http.Request) {
	from, to, ok := period(r.URL.RawQuery)
	if !ok {
		refuse(w, http.StatusBadRequest, "invalid_request", "from and to are times of RFC 3339, at most 62 days apart")
		return
	}
	type interval struct {
		Start time.Time `json:"start"`
		End   time.Time `json:"end"`
	}
	busy := []interval{}
	for _, m := range a.agenda.between(subject(r), from, to) {
		busy = append(busy, interval{m.Start, m.End})
	}
	reply(w, http.StatusOK, map[string]any{"busy": busy})
}

// events says everything. Our own pages' tokens may read it; the scheduler's may not.
func (a *App) events(w http.ResponseWriter, r *http.Request) {
	from, to, ok := period(r.URL.RawQuery)
	if r.URL.RawQuery == "" {
		from, ok = mondayOf(a.cfg.Now()), true
		to = from.AddDate(0, 0, 7)
	}
	if !ok {
		refuse(w, http.StatusBadRequest, "invalid_request", "from and to are times of RFC 3339, at most 62 days apart")
		return
	}
	reply(w, http.StatusOK, map[string]any{"events": append([]meeting{}, a.agenda.between(subject(r), from, to)...)})
}

func (a *App) addMeeting(w http.ResponseWriter, r *http.Request) {
	m, problem := a.parseMeeting(w, r)
	if problem != "" {
		refuse(w, http.StatusBadRequest, "invalid_request", problem)
		return
	}
	claims, _ := verify.FromContext(r.Context())
	m.ID, m.CreatedBy = rand.Text(), claims.ClientID
	if err := a.agenda.add(claims.Subject, m); err != nil {
		refuse(w, http.StatusConflict, "conflict", err.Error())
		return
	}
	w.Header().Set("Location", "/api/meetings/"+m.ID)
	reply(w, http.StatusCreated, m)
}

// removeMeeting: an app may take back what it added itself, and nothing else.
func (a *App) removeMeeting(w http.ResponseWriter, r *http.Request) {
	claims, _ := verify.FromContext(r.Context())
	err := a.agenda.remove(claims.Subject, r.PathValue("id"), claims.ClientID)
	switch {
	case errors.Is(err, errNotYours):
		refuse(w, http.StatusForbidden, "access_denied", err.Error())
	case err != nil:
		refuse(w, http.StatusNotFound, "not_found", err.Error())
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// parseMeeting reads {"title", "start", "end"} and nothing else.
func (a *App) parseMeeting(w http.ResponseWriter, r *http.Request) (m meeting, problem string) {
	if r.Header.Get("Content-Type") != "application/json" {
		return m, "the body is application/json"
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	if err != nil || jose.CheckObject(body) != nil {
		return m, "the body is one small JSON object"
	}
	var in struct {
		Title string    `json:"title"`
		Start time.Time `json:"start"`
		End   time.Time `json:"end"`
	}
	dec := json.NewDecoder(strings.NewReader(string(body)))
	dec.DisallowUnknownFields()
	if dec.Decode(&in) != nil {
		return m, "the members are title, start and end"
	}
	switch now := a.cfg.Now(); {
	case in.Title == "" || len(in.Title) > maxTitleBytes || strings.ContainsFunc(in.Title, unicode.IsControl):
		return m, "the title is 1 to 100 bytes of text"
	case !in.End.After(in.Start) || in.End.Sub(in.Start) > maxLength:
		return m, "a meeting takes up to 8 hours"
	case in.Start.Before(now.Add(-maxAhead)) || in.Start.After(now.Add(maxAhead)):
		return m, "that is too far away"
	}
	return meeting{Title: in.Title, Start: in.Start, End: in.End}, ""
}

// period reads from and to, once each and nothing beside them.
func period(query string) (from, to time.Time, ok bool) {
	q, err := url.ParseQuery(query)
	if err != nil || len(q) != 2 || len(q["from"]) != 1 || len(q["to"]) != 1 {
		return from, to, false
	}
	from, err1 := time.Parse(time.RFC3339, q.Get("from"))
	to, err2 := time.Parse(time.RFC3339, q.Get("to"))
	return from, to, err1 == nil && err2 == nil && to.After(from) && to.Sub(from) <= maxRange
}

func subject(r *http.Request) string {
	claims, _ := verify.FromContext(r.Context())
	return claims.Subject
}
