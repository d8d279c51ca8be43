package scheduler

import (
	"fmt"
	"slices"
	"time"
)

// The week as it is drawn, Monday to Friday; every free hour can be had.
const (
	firstHour = 9
	lastHour  = 18
	weekDays  = 5
	length    = time.Hour
)

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

// draw cuts each day into what is busy, what we booked, and the free hours to come.
func draw(lang string, monday, now time.Time, busy []interval, booked []meeting) view {
	v := view{Connected: true, Range: date(lang, monday, "2 January") + " – " + date(lang, monday.AddDate(0, 0, weekDays-1), "2 January 2006")}
	for hour := firstHour; hour < lastHour; hour++ {
		v.Hours = append(v.Hours, fmt.Sprintf("%02d:00", hour))
	}
	for i := range weekDays {
		begin := monday.AddDate(0, 0, i)
		open, end := begin.Add(firstHour*time.Hour), begin.Add(lastHour*time.Hour)
		d := day{Weekday: date(lang, begin, "Monday"), Date: date(lang, begin, "2 Jan"), ID: fmt.Sprint("d", i)}
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
		v.Booked = append(v.Booked, booking{m.ID, m.Title, when(lang, m.Start.In(now.Location()))})
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

func when(lang string, t time.Time) string {
	return say(lang, "%s to %s", date(lang, t, "Monday, 2 January, 15:04"), date(lang, t.Add(length), "15:04"))
}
