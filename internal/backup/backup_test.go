package backup_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-id/signet/internal/backup"
)

var header = backup.Header{Schema: 7, Time: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), Epoch: "e1"}

var people = backup.Table{Name: "people", Columns: []backup.Column{{Name: "id", Type: backup.Text}, {Name: "n", Type: backup.Int}, {Name: "key", Type: backup.Bytes}}}

var rows = [][]any{
	{"ann", int64(-1 << 63), []byte{0, 255}},
	{"", int64(1<<63 - 1), []byte{}},
	{"<b>\u2028\x00\n\"", int64(0), nil},
	{nil, nil, []byte("x")},
}

func write(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := backup.NewWriter(&out, header)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Table(people); err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if err := w.Row(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Table(backup.Table{Name: "none", Columns: people.Columns}), w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	r, err := backup.NewReader(bytes.NewReader(write(t)))
	if err != nil {
		t.Fatal(err)
	}
	if r.Header.Schema != 7 || !r.Header.Time.Equal(header.Time) || r.Header.Epoch != "e1" {
		t.Errorf("header: %+v", r.Header)
	}
	var tables []string
	var got [][]any
	counts, err := r.Each(func(table backup.Table) error {
		tables = append(tables, table.Name)
		return nil
	}, func(values []any) error {
		got = append(got, values)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(rows, got); d != "" {
		t.Errorf("rows (-want +got):\n%s", d)
	}
	if d := cmp.Diff(map[string]int64{"people": 4, "none": 0}, counts); d != "" || strings.Join(tables, " ") != "people none" {
		t.Errorf("tables %v, %s", tables, d)
	}
}

// What was cut anywhere, or changed anywhere, is refused.
func TestCheck_Damage(t *testing.T) {
	t.Parallel()
	good := write(t)
	if _, _, err := backup.Check(bytes.NewReader(good)); err != nil {
		t.Fatal(err)
	}
	for n := range good {
		if _, _, err := backup.Check(bytes.NewReader(good[:n])); !errors.Is(err, backup.ErrDamaged) && !errors.Is(err, backup.ErrFormat) {
			t.Fatalf("cut after %d of %d bytes: %v", n, len(good), err)
		}
	}
	if _, _, err := backup.Check(bytes.NewReader(append(bytes.Clone(good), 'x'))); !errors.Is(err, backup.ErrDamaged) {
		t.Errorf("something behind: %v", err)
	}
	if _, _, err := backup.Check(bytes.NewReader(append(bytes.Clone(good), good...))); !errors.Is(err, backup.ErrDamaged) {
		t.Errorf("twice: %v", err)
	}
}

// The checksum holds what gzip's own does not see: lines that were changed by somebody
// who packs them again.
func TestCheck_ChangedLines(t *testing.T) {
	t.Parallel()
	zip, err := gzip.NewReader(bytes.NewReader(write(t)))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(zip)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(strings.TrimSuffix(string(text), "\n"), "\n")
	last := len(lines) - 1
	join := func(l ...string) string { return strings.Join(l, "") }
	for name, tt := range map[string]struct {
		text string
		want error
	}{
		"as it was":        {string(text), nil},
		"a row changed":    {strings.Replace(string(text), `"ann"`, `"bob"`, 1), backup.ErrDamaged},
		"a row gone":       {join(lines[0], lines[1], join(lines[3:]...)) + "\n", backup.ErrDamaged},
		"no last line":     {join(lines[:last]...), backup.ErrDamaged},
		"another header":   {strings.Replace(string(text), `"schema":7`, `"schema":8`, 1), backup.ErrDamaged},
		"another count":    {strings.Replace(string(text), `"people":4`, `"people":3`, 1), backup.ErrDamaged},
		"empty line":       {join(lines[0], "\n", join(lines[1:]...)) + "\n", backup.ErrDamaged},
		"row too short":    {join(lines[0], lines[1], "[]\n", join(lines[2:]...)) + "\n", backup.ErrDamaged},
		"row of no table":  {join(lines[0], lines[2], join(lines[1:]...)) + "\n", backup.ErrDamaged},
		"table twice":      {join(lines[0], lines[1], lines[1], join(lines[2:]...)) + "\n", backup.ErrDamaged},
		"endless line":     {join(lines[0], lines[1], strings.Repeat("[", 17<<20)), backup.ErrDamaged},
		"another program":  {`{"format":"tar","version":1}` + "\n", backup.ErrFormat},
		"no JSON":          {"hello\n", backup.ErrFormat},
		"a later version":  {strings.Replace(string(text), `"version":1`, `"version":2`, 1), backup.ErrNewer},
		"no version":       {strings.Replace(string(text), `"version":1`, `"version":0`, 1), backup.ErrFormat},
		"text for a count": {strings.Replace(string(text), `-9223372036854775808`, `"1"`, 1), backup.ErrDamaged},
	} {
		var packed bytes.Buffer
		zip := gzip.NewWriter(&packed)
		if _, err := io.WriteString(zip, tt.text); err != nil {
			t.Fatal(err)
		}
		if err := zip.Close(); err != nil {
			t.Fatal(err)
		}
		if _, _, err := backup.Check(&packed); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}

func TestWriter_Refuses(t *testing.T) {
	t.Parallel()
	w, err := backup.NewWriter(io.Discard, header)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Table(people); err != nil {
		t.Fatal(err)
	}
	for _, values := range [][]any{{"ann"}, {int64(1), int64(1), nil}, {"a", "b", nil}, {"a", nil, "c"}, {"a", 1, nil}} {
		if err := w.Row(values); err == nil {
			t.Errorf("wrote %v", values)
		}
	}
	if err := w.Table(people); err == nil {
		t.Error("wrote a table twice")
	}
}

func FuzzCheck(f *testing.F) {
	f.Add(write(f))
	f.Fuzz(func(t *testing.T, data []byte) {
		var packed bytes.Buffer
		zip := gzip.NewWriter(&packed)
		_, _ = zip.Write(data)
		_ = zip.Close()
		_, _, _ = backup.Check(&packed)
		_, _, _ = backup.Check(bytes.NewReader(data))
	})
}
