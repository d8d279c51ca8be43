package scheduler

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

type view struct {
	Notice    *notice
	Connected bool
	Range     string
	Hours     []string
	Days      []day
	Booked    []booking
	Slot      *slot
	Verdict   *verdict
	Cheats    []cheat
	Panel     *panel
	Account   string // the person's at signet
	Again     bool   // signet is to ask again
}

// notice is a page of a few words.
type notice struct{ Title, Text, Connect string }

var (
	welcome      = notice{"Find an hour for the people you like", "Connect your calendar. We look for free hours and book the one you pick. What your other hours are for stays yours.", "Connect your calendar"}
	declined     = notice{"No problem!", "You said no, so nothing was connected and we know nothing about your week. Come back whenever you like.", "Connect your calendar"}
	disconnected = notice{"All forgotten", "We gave the permission back and forgot everything. Meetings that were booked stay in your calendar.", "Connect again"}
	notYours     = notice{"That answer was not for this visit", "It was asked for elsewhere or too long ago. Let us start again.", "Connect your calendar"}
	failed       = notice{"Connecting did not work", "The answer could not be used. Nothing was connected; please try again.", "Connect your calendar"}
	revoked      = notice{"You have disconnected us", "Your calendar refused: access was revoked.", "Connect again"}
	fresh        = notice{"Back to the beginning", "The calendar is as it was, and everything is forgotten. signet will ask you again.", "Connect your calendar"}
	unavailable  = notice{Title: "Your calendar is not answering", Text: "Please try again in a moment."}
	taken        = notice{Title: "Somebody was quicker", Text: "That hour is not free any more. Please pick another one."}
	odd          = notice{Title: "That did not work", Text: "Your calendar did not take this meeting. Please pick another hour or another name."}
)

// home shows the free hours of the week.
func (a *App) home(w http.ResponseWriter, r *http.Request) {
	s := a.sessions.connected(r)
	if s == nil {
		a.notice(w, http.StatusOK, welcome)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := a.cfg.Now()
	monday := weekOf(now)
	busy, err := a.busy(r.Context(), s, monday, monday.AddDate(0, 0, weekDays))
	if err != nil {
		a.refused(w, r, s, err)
		return
	}
	v := draw(monday, now, busy, s.booked)
	v.Cheats, v.Panel, v.Account = cheats, a.panel(r.Context(), s), a.cfg.Issuer+"/account"
	a.show(w, http.StatusOK, v)
}

// askTitle asks what a picked hour is for.
func (a *App) askTitle(w http.ResponseWriter, r *http.Request) {
	start, err := time.Parse(time.RFC3339, r.URL.Query().Get("start"))
	if a.sessions.connected(r) == nil || err != nil {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	a.show(w, http.StatusOK, view{Connected: true, Slot: &slot{start.Format(time.RFC3339), when(start.In(a.cfg.Now().Location()))}})
}

func (a *App) book(w http.ResponseWriter, r *http.Request) {
	s := a.sessions.connected(r)
	start, err := time.Parse(time.RFC3339, r.PostFormValue("start"))
	if s == nil || err != nil {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m := meeting{Title: strings.TrimSpace(r.PostFormValue("title")), Start: start, End: start.Add(length)}
	in := map[string]any{"title": m.Title, "start": m.Start, "end": m.End}
	if err := a.call(r.Context(), s, http.MethodPost, "/api/meetings", in, &m); err != nil {
		a.refused(w, r, s, err)
		return
	}
	s.booked = append(s.booked, m)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (a *App) cancel(w http.ResponseWriter, r *http.Request) {
	s := a.sessions.connected(r)
	if s == nil {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := r.PostFormValue("id")
	i := slices.IndexFunc(s.booked, func(m meeting) bool { return m.ID == id })
	if i >= 0 {
		err := a.call(r.Context(), s, http.MethodDelete, "/api/meetings/"+id, nil, nil)
		if no, ok := errors.AsType[*refusal](err); err != nil && !(ok && no.Status == http.StatusNotFound) {
			a.refused(w, r, s, err)
			return
		}
		s.booked = slices.Delete(s.booked, i, i+1)
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// reset forgets everybody and begins the demo again.
func (a *App) reset(w http.ResponseWriter, r *http.Request) {
	if s := a.sessions.end(w, r); s != nil && s.state == "" {
		s.mu.Lock()
		defer s.mu.Unlock()
		if err := a.giveBack(r.Context(), s); err != nil {
			a.cfg.Log.Warn("reset", "error", err)
		}
	}
	a.sessions.forget()
	if a.cfg.Reset != nil {
		a.cfg.Reset()
	}
	a.show(w, http.StatusOK, view{Notice: &fresh, Again: true})
}

// refused explains a no in a sentence. When the grant is over, everything is forgotten.
func (a *App) refused(w http.ResponseWriter, r *http.Request, s *session, err error) {
	no, heard := errors.AsType[*refusal](err)
	switch {
	case errors.Is(err, errGrantOver) || heard && no.Status == http.StatusUnauthorized:
		a.sessions.end(w, r)
		n, p := revoked, a.panel(r.Context(), s)
		if p.Revoked = a.revoked(no, s); p.Revoked != nil {
			n.Text += fmt.Sprintf(" The calendar knew %d ms after you revoked it.", p.Revoked.After)
		}
		a.show(w, http.StatusOK, view{Notice: &n, Panel: p})
	case heard && no.Status == http.StatusConflict:
		a.connected(w, taken)
	case heard && no.Status == http.StatusBadRequest:
		a.connected(w, odd)
	default:
		a.cfg.Log.Warn("calendar", "error", err)
		a.connected(w, unavailable)
	}
}

func (a *App) connected(w http.ResponseWriter, n notice) {
	a.show(w, http.StatusOK, view{Notice: &n, Connected: true})
}

func (a *App) notice(w http.ResponseWriter, status int, n notice) {
	a.show(w, status, view{Notice: &n})
}

func (a *App) show(w http.ResponseWriter, status int, v view) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if err := pages.Execute(w, v); err != nil {
		a.cfg.Log.Warn("page", "error", err)
	}
}
