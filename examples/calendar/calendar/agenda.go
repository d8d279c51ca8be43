package calendar

import (
	"errors"
	"hash/fnv"
	"slices"
	"sync"
	"time"
)

// meeting is an entry of somebody's week. CreatedBy is the client that added it;
// the person's own entries have none.
type meeting struct {
	ID        string    `json:"id,omitempty"`
	Title     string    `json:"title"`
	Start     time.Time `json:"start"`
	End       time.Time `json:"end"`
	CreatedBy string    `json:"created_by,omitempty"`
}

// private is the week that everybody is born with: nobody else's business.
var private = []struct {
	day, hour, minute, minutes int
	title                      string
}{
	{0, 9, 0, 60, "Doctor"}, {0, 11, 0, 90, "Budget review"}, {0, 15, 30, 60, "Marriage counselling"},
	{1, 10, 0, 90, "Job interview"}, {1, 14, 0, 60, "Call the bank: the loan"},
	{2, 9, 30, 60, "Therapy"}, {2, 12, 0, 60, "Lunch with Mum"}, {2, 16, 0, 60, "Piano lesson"},
	{3, 11, 0, 60, "Lawyer"}, {3, 13, 30, 90, "Team planning"},
	{4, 9, 0, 60, "Dentist"}, {4, 14, 0, 60, "School: Mia’s teacher"},
}

// maxMeetings is how many entries apps may add to one person's calendar.
const maxMeetings = 200

var (
	errBusy     = errors.New("that time is taken")
	errFull     = errors.New("no more room")
	errNotFound = errors.New("no such meeting")
	errNotYours = errors.New("another app added it")
)

// agenda holds everybody's entries by subject.
type agenda struct {
	zone    *time.Location
	mu      sync.Mutex
	added   map[string][]meeting
	changes map[string]int // counts what apps did, for open pages
}

// between returns the subject's entries that touch the time from–to, in order.
func (g *agenda) between(subject string, from, to time.Time) []meeting {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.entries(subject, from, to)
}

func (g *agenda) add(subject string, m meeting) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.entries(subject, m.Start, m.End)) > 0 {
		return errBusy
	}
	if len(g.added[subject]) >= maxMeetings {
		return errFull
	}
	g.added[subject] = append(g.added[subject], m)
	g.changes[subject]++
	return nil
}

// remove takes out an entry of the subject, for the app that added it.
func (g *agenda) remove(subject, id, clientID string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.IndexFunc(g.added[subject], func(m meeting) bool { return m.ID == id })
	if i < 0 {
		return errNotFound
	}
	if g.added[subject][i].CreatedBy != clientID {
		return errNotYours
	}
	g.added[subject] = slices.Delete(g.added[subject], i, i+1)
	g.changes[subject]++
	return nil
}

// clear takes out what apps have added, for everybody.
func (g *agenda) clear() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for subject := range g.added {
		g.changes[subject]++
	}
	clear(g.added)
}

func (g *agenda) changed(subject string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.changes[subject]
}

// entries is called with mu held.
func (g *agenda) entries(subject string, from, to time.Time) []meeting {
	shift := fnv.New32a() // people's weeks differ by the day on which they begin
	shift.Write([]byte(subject))
	all := slices.Clone(g.added[subject])
	for monday := mondayOf(from.In(g.zone)); monday.Before(to); monday = monday.AddDate(0, 0, 7) {
		for _, p := range private {
			start := monday.AddDate(0, 0, (p.day+int(shift.Sum32()%5))%5).
				Add(time.Duration(p.hour)*time.Hour + time.Duration(p.minute)*time.Minute)
			all = append(all, meeting{Title: p.title, Start: start, End: start.Add(time.Duration(p.minutes) * time.Minute)})
		}
	}
	all = slices.DeleteFunc(all, func(m meeting) bool { return !m.Start.Before(to) || !m.End.After(from) })
	slices.SortFunc(all, func(a, b meeting) int { return a.Start.Compare(b.Start) })
	return all
}

// mondayOf returns the first moment of t's week, in t's zone.
func mondayOf(t time.Time) time.Time {
	day := (int(t.Weekday()) + 6) % 7
	return time.Date(t.Year(), t.Month(), t.Day()-day, 0, 0, 0, 0, t.Location())
}
