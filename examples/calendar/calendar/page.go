package calendar

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/signet-id/signet/verify"
)

// The week as it is drawn: half-hour rows from firstHour to lastHour, Monday to Friday.
const (
	firstHour = 8
	lastHour  = 18
	weekDays  = 5
)

type view struct {
	Notice  *notice // instead of a week
	Name    string
	Range   string
	Hours   []string
	Days    []day
	Claims  *verify.Claims
	Left    string // until the token ends by itself
	Status  status
	Seen    int // changes shown by this page
	Account string
}

type day struct {
	Weekday, Date, ID string
	Today             bool
	Entries           []entry
}

type entry struct {
	Title, Time, App string
	Row, Rows        int
}

// notice is a page of a few words.
type notice struct {
	Title, Text, Button string
	Sample              bool // shows what apps see of a day
}

var (
	welcome     = notice{Title: "Your week, and nobody else’s business", Text: "See your days at a glance. Apps that you allow in can find a free hour, and never read what the other hours are for.", Button: "Sign in", Sample: true}
	signedOut   = notice{Title: "You have been signed out", Text: "Your login at signet is over, so your week is closed here as well.", Button: "Sign in again"}
	notSignedIn = notice{Title: "You are not signed in", Text: "You went back before the end. Nothing was shared and nothing was changed.", Button: "Sign in"}
	notYours    = notice{Title: "This answer belongs to another visit", Text: "It was asked for elsewhere or too long ago. Start again from here.", Button: "Sign in"}
	failed      = notice{Title: "Signing in did not work", Text: "The answer could not be checked, so nobody was signed in. Please try again.", Button: "Sign in"}
	unavailable = notice{Title: "Back in a moment", Text: "Your login cannot be checked right now, and unchecked nobody gets in.", Button: "Try again"}
)

// week shows the person's week, after checking their token like anybody else's.
func (a *App) week(w http.ResponseWriter, r *http.Request) {
	s := a.sessions.find(r)
	if s == nil || s.subject == "" {
		a.notice(w, http.StatusOK, welcome)
		return
	}
	claims, err := a.current(r.Context(), s)
	switch {
	case errors.Is(err, verify.ErrRevoked), errors.Is(err, errGrantOver):
		a.sessions.end(w, r)
		a.notice(w, http.StatusOK, explain(err))
	case err != nil:
		a.cfg.Log.Warn("token", "error", err)
		a.notice(w, http.StatusServiceUnavailable, unavailable)
	default:
		v := a.draw(s.subject)
		v.Name, v.Claims, v.Status, v.Account = s.name, claims, a.status(), a.cfg.Issuer+"/account/apps"
		left := max(0, claims.ExpiresAt.Sub(a.cfg.Now()).Round(time.Second))
		v.Left = fmt.Sprintf("%d min %d s", left/time.Minute, left%time.Minute/time.Second)
		a.show(w, http.StatusOK, v)
	}
}

// explain says how soon we knew, when a revocation told us.
func explain(err error) notice {
	n := signedOut
	if revoked, ok := errors.AsType[*verify.RevokedError](err); ok {
		n.Text += fmt.Sprintf(" This calendar knew %d ms later.", revoked.HeardAt.Sub(revoked.At).Milliseconds())
	}
	return n
}

// live holds a request until the page that asks is out of date: an app changed the
// week, or the person was signed out. It looks at memory only; checking dials nobody.
func (a *App) live(w http.ResponseWriter, r *http.Request) {
	s := a.sessions.find(r)
	seen, err := strconv.Atoi(r.URL.Query().Get("seen"))
	if s == nil || err != nil {
		w.WriteHeader(http.StatusNoContent) // the browser stops asking
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(w).Flush()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := a.verifier.Verify(r.Context(), s.access()); err != nil || a.agenda.changed(s.subject) != seen {
			fmt.Fprint(w, "data: changed\n\n")
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-a.stopped:
			return
		case <-tick.C:
		}
	}
}

// draw lays out the work week: on Fridays and at weekends, the next one.
func (a *App) draw(subject string) view {
	now := a.cfg.Now()
	monday := mondayOf(now.AddDate(0, 0, 3))
	v := view{
		Range: monday.Format("2 January") + " – " + monday.AddDate(0, 0, weekDays-1).Format("2 January 2006"),
		Seen:  a.agenda.changed(subject),
	}
	for hour := firstHour; hour < lastHour; hour++ {
		v.Hours = append(v.Hours, fmt.Sprintf("%02d:00", hour))
	}
	for i := range weekDays {
		date := monday.AddDate(0, 0, i)
		d := day{Weekday: date.Format("Monday"), Date: date.Format("2 Jan"), ID: "d" + strconv.Itoa(i), Today: date.Format(time.DateOnly) == now.Format(time.DateOnly)}
		for _, m := range a.agenda.between(subject, date, date.AddDate(0, 0, 1)) {
			d.Entries = append(d.Entries, place(m, date))
		}
		v.Days = append(v.Days, d)
	}
	return v
}

func place(m meeting, date time.Time) entry {
	start, end := m.Start.In(date.Location()), m.End.In(date.Location())
	row := func(t time.Time) int {
		halves := int(t.Sub(date.Add(firstHour*time.Hour)) / (30 * time.Minute))
		return min(max(halves, 0), 2*(lastHour-firstHour))
	}
	first := min(row(start), 2*(lastHour-firstHour)-1)
	return entry{
		Title: m.Title, Time: start.Format("15:04") + "–" + end.Format("15:04"), App: appName(m.CreatedBy),
		Row: first + 1, Rows: max(row(end.Add(29*time.Minute))-first, 1),
	}
}

// appName makes "Friendly Scheduler" of the client friendly-scheduler.
func appName(clientID string) string {
	words := strings.FieldsFunc(clientID, func(r rune) bool { return r == '-' || r == '_' })
	for i, word := range words {
		words[i] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, " ")
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
