package scheduler

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The week as it is drawn, Monday to Friday; every free hour can be had.
const (
	firstHour = 9
	lastHour  = 18
	weekDays  = 5
	length    = time.Hour
)

type view struct {
	Notice    *notice
	Connected bool
	Range     string
	Hours     []string
	Days      []day
	Booked    []booking
	Slot      *slot
}

type day struct {
	Weekday, Date, ID string
	Blocks            []block
}

// block is a piece of a day: busy, free to pick, or booked by us.
type block struct {
	Kind, Time, Title, Start string
	Row, Rows                int
}

type booking struct{ ID, Title, When string }

type slot struct{ Start, When string }

// notice is a page of a few words.
type notice struct{ Title, Text, Detail, Connect string }

var (
	welcome      = notice{"Find an hour for the people you like", "Connect your calendar. We look for free hours and book the one you pick. What your other hours are for stays yours.", "", "Connect your calendar"}
	declined     = notice{"No problem!", "You said no, so nothing was connected and we know nothing about your week. Come back whenever you like.", "", "Connect your calendar"}
	disconnected = notice{"All forgotten", "We gave the permission back and forgot everything. Meetings that are booked already stay in your calendar.", "", "Connect again"}
	notYours     = notice{"That answer was not for this visit", "It was asked for elsewhere or too long ago. Let us start again.", "", "Connect your calendar"}
	failed       = notice{"Connecting did not work", "The answer could not be used. Nothing was connected; please try again.", "", "Connect your calendar"}
	revoked      = notice{"You have disconnected us", "Your calendar refused: access was revoked.", "", "Connect again"}
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
		a.refused(w, r, err)
		return
	}
	a.show(w, http.StatusOK, draw(monday, now, busy, s.booked))
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
		a.refused(w, r, err)
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
			a.refused(w, r, err)
			return
		}
		s.booked = slices.Delete(s.booked, i, i+1)
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// peek tries to read what nobody allowed us to read.
func (a *App) peek(w http.ResponseWriter, r *http.Request) {
	s := a.sessions.connected(r)
	if s == nil {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := a.call(r.Context(), s, http.MethodGet, "/api/events", nil, nil); err != nil {
		a.refused(w, r, err)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther) // it was allowed: there is nothing to explain
}

// refused explains a no in a sentence. When the grant is over, everything is forgotten.
func (a *App) refused(w http.ResponseWriter, r *http.Request, err error) {
	no, heard := errors.AsType[*refusal](err)
	switch {
	case errors.Is(err, errGrantOver) || heard && no.Status == http.StatusUnauthorized:
		a.sessions.end(w, r)
		n := revoked
		if heard && no.RevokedAt != 0 {
			n.Text += fmt.Sprintf(" The calendar knew %d ms after you revoked it.", no.HeardAt-no.RevokedAt)
		}
		a.notice(w, http.StatusOK, n)
	case heard && no.Status == http.StatusForbidden:
		a.connected(w, notice{
			Title:  "Your calendar said no",
			Text:   "You allowed us to see when you are busy, not what you do: reading your events needs a right that you never gave us.",
			Detail: fmt.Sprintf("HTTP %d\nWWW-Authenticate: %s", no.Status, no.Challenge),
		})
	case heard && no.Status == http.StatusConflict:
		a.connected(w, taken)
	case heard && no.Status == http.StatusBadRequest:
		a.connected(w, odd)
	default:
		a.cfg.Log.Warn("calendar", "error", err)
		a.connected(w, unavailable)
	}
}

// draw cuts each day into what is busy, what we booked, and the free hours to come.
func draw(monday, now time.Time, busy []interval, booked []meeting) view {
	v := view{Connected: true, Range: monday.Format("2 January") + " – " + monday.AddDate(0, 0, weekDays-1).Format("2 January 2006")}
	for hour := firstHour; hour < lastHour; hour++ {
		v.Hours = append(v.Hours, fmt.Sprintf("%02d:00", hour))
	}
	for i := range weekDays {
		date := monday.AddDate(0, 0, i)
		open, end := date.Add(firstHour*time.Hour), date.Add(lastHour*time.Hour)
		d := day{Weekday: date.Format("Monday"), Date: date.Format("2 Jan"), ID: fmt.Sprint("d", i)}
		for _, b := range busy {
			if b.Start.Before(end) && b.End.After(open) {
				d.Blocks = append(d.Blocks, taking(b, booked, open, end))
			}
		}
		for start := open; start.Before(end); start = start.Add(length) {
			hour := interval{start, start.Add(length)}
			if start.After(now) && !slices.ContainsFunc(busy, hour.overlaps) {
				d.Blocks = append(d.Blocks, place(hour, "free", "", open, end))
			}
		}
		slices.SortFunc(d.Blocks, func(a, b block) int { return a.Row - b.Row })
		v.Days = append(v.Days, d)
	}
	for _, m := range booked {
		v.Booked = append(v.Booked, booking{m.ID, m.Title, when(m.Start.In(now.Location()))})
	}
	return v
}

func taking(b interval, booked []meeting, open, end time.Time) block {
	for _, m := range booked {
		if m.Start.Equal(b.Start) && m.End.Equal(b.End) {
			return place(b, "ours", m.Title, open, end)
		}
	}
	return place(b, "busy", "", open, end)
}

func place(b interval, kind, title string, open, end time.Time) block {
	first, last := b.Start.In(open.Location()), b.End.In(open.Location())
	const half = 30 * time.Minute
	row := max(first.Sub(open), 0) / half
	rows := (min(last.Sub(open), end.Sub(open)) - row*half + half - 1) / half
	return block{
		Kind: kind, Title: title, Start: first.Format(time.RFC3339),
		Time: first.Format("15:04") + "–" + last.Format("15:04"), Row: int(row) + 1, Rows: max(int(rows), 1),
	}
}

func (b interval) overlaps(c interval) bool { return b.Start.Before(c.End) && c.Start.Before(b.End) }

// weekOf returns the Monday of t's work week: on Fridays and at weekends, of the next one.
func weekOf(t time.Time) time.Time {
	t = t.AddDate(0, 0, 3)
	return time.Date(t.Year(), t.Month(), t.Day()-(int(t.Weekday())+6)%7, 0, 0, 0, 0, t.Location())
}

func when(t time.Time) string {
	return t.Format("Monday, 2 January, 15:04") + " to " + t.Add(length).Format("15:04")
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
