package verify_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/signet-id/signet/verify"
)

const goodBatch = `{"iss":"i","aud":"i/revocations","iat":1000,"now":1000000,"epoch":"e1","from":3,"to":9,"head":12,"rules":[` + goodRules + `]}`

const goodRules = `{"seq":4,"kind":"grant","id":"g","at":999000,"until":2000},` +
	`{"seq":6,"kind":"all","id":"","before":990,"at":999000,"until":2000},` +
	`{"seq":9,"kind":"client","id":"c","before":990,"at":999000,"until":2000}`

// TOK-13: the forms of messages that are refused as a whole.
func TestParseBatch(t *testing.T) {
	t.Parallel()
	from, to, head, rules, err := verify.ParseBatch([]byte(goodBatch))
	if err != nil || from != 3 || to != 9 || head != 12 || len(rules) != 3 {
		t.Fatal(from, to, head, rules, err)
	}
	if r := rules[2]; r.Kind != verify.RuleClient || r.ID != "c" || r.Before.Unix() != 990 || r.At.UnixMilli() != 999000 || r.Until.Unix() != 2000 {
		t.Errorf("got %+v", r)
	}
	for name, swap := range map[string][2]string{
		"no iss":            {`"iss":"i",`, ``},
		"no aud":            {`"aud":"i/revocations",`, ``},
		"aud list":          {`"aud":"i/revocations"`, `"aud":["i/revocations"]`},
		"no iat":            {`"iat":1000,`, ``},
		"iat float":         {`"iat":1000`, `"iat":1000.0`},
		"no now":            {`"now":1000000,`, ``},
		"now negative":      {`"now":1000000`, `"now":-1`},
		"no epoch":          {`"epoch":"e1",`, ``},
		"epoch with dot":    {`"e1"`, `"e.1"`},
		"epoch line break":  {`"e1"`, `"e\n1"`},
		"epoch long":        {`"e1"`, `"` + strings.Repeat("e", 65) + `"`},
		"no from":           {`"from":3,`, ``},
		"from negative":     {`"from":3`, `"from":-1`},
		"to before from":    {`"to":9`, `"to":2`},
		"head before to":    {`"head":12`, `"head":8`},
		"from twice":        {`"from":3`, `"from":3,"from":3`},
		"huge head":         {`"head":12`, `"head":9223372036854775808`},
		"no rules":          {`,"rules":[` + goodRules + `]`, ``},
		"rules null":        {`[` + goodRules + `]`, `null`},
		"rules object":      {`[` + goodRules + `]`, `{}`},
		"seq of from":       {`"seq":4`, `"seq":3`},
		"seq after to":      {`"seq":9`, `"seq":10`},
		"seq twice":         {`"seq":6`, `"seq":4`},
		"seq back":          {`"seq":6`, `"seq":9`},
		"seq text":          {`"seq":4`, `"seq":"4"`},
		"no seq":            {`"seq":4,`, ``},
		"unknown kind":      {`"grant"`, `"user"`},
		"kind in capitals":  {`"grant"`, `"Grant"`},
		"no kind":           {`"kind":"grant",`, ``},
		"no id":             {`"id":"g",`, ``},
		"id empty":          {`"id":"g"`, `"id":""`},
		"id number":         {`"id":"g"`, `"id":1`},
		"all with id":       {`"id":""`, `"id":"x"`},
		"all, no before":    {`"id":"","before":990`, `"id":""`},
		"client, no before": {`"id":"c","before":990`, `"id":"c"`},
		"grant with before": {`"id":"g"`, `"id":"g","before":990`},
		"no at":             {`"at":999000,"until":2000},{"seq":6`, `"until":2000},{"seq":6`},
		"no until":          {`,"until":2000},{"seq":6`, `},{"seq":6`},
		"until float":       {`"until":2000},{"seq":6`, `"until":2e3},{"seq":6`},
		"kind twice":        {`"kind":"grant"`, `"kind":"grant","kind":"jti"`},
		"trailing":          {`]}`, `]}{}`},
	} {
		doc := strings.Replace(goodBatch, swap[0], swap[1], 1)
		if doc == goodBatch {
			t.Fatalf("%s: nothing changed", name)
		}
		if _, _, _, _, err := verify.ParseBatch([]byte(doc)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// WHATWG HTML §9.2.6, and bounds on what is kept.
func TestEventReader(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		stream string
		want   []string
	}{
		"empty":            {"", nil},
		"one":              {"event: batch\ndata: a\n\n", []string{"batch:a"}},
		"no blank":         {"event:batch\ndata:a\n\n", []string{"batch:a"}},
		"two blanks":       {"data:  a\n\n", []string{": a"}},
		"CR LF":            {"event: batch\r\ndata: a\r\n\r\nevent: x\r\ndata: b\r\n\r\n", []string{"batch:a", "x:b"}},
		"CR":               {"event: batch\rdata: a\r\rdata: b\r\r", []string{"batch:a", ":b"}},
		"several lines":    {"data: a\ndata: b\ndata\n\n", []string{":a\nb\n"}},
		"comments":         {": hello\n\n:\ndata: a\n: x\n\n", []string{":a"}},
		"other fields":     {"id: 1\nretry: 5\nfoo: bar\ndata: a\n\n", []string{":a"}},
		"no data":          {"event: batch\n\ndata: a\n\n", []string{":a"}},
		"cut off":          {"data: a\n\ndata: b\n", []string{":a"}},
		"cut in the line":  {"data: a\n\ndata: b", []string{":a"}},
		"BOM":              {"\ufeffdata: a\n\n", []string{":a"}},
		"BOM later":        {"data: a\n\n\ufeffdata: b\n\n", []string{":a"}},
		"longest line":     {"data: " + strings.Repeat("a", 1<<20-6) + "\n\n", []string{":" + strings.Repeat("a", 1<<20-6)}},
		"capitals differ":  {"Data: a\ndata: b\n\n", []string{":b"}},
		"last event wins":  {"event: a\nevent: b\ndata: c\n\n", []string{"b:c"}},
		"blank lines only": {"\n\n\r\n\r\r", nil},
	} {
		for _, r := range []io.Reader{strings.NewReader(tc.stream), iotest.HalfReader(strings.NewReader(tc.stream))} {
			if got, err := verify.ReadEvents(r); !errors.Is(err, io.EOF) || !slices.Equal(got, tc.want) {
				t.Errorf("%s: %.80q, %v", name, got, err)
			}
		}
	}
	for name, stream := range map[string]string{
		"long line":   "data: " + strings.Repeat("a", 1<<20) + "\n\n",
		"no line end": strings.Repeat("a", 1<<21),
		"many lines":  strings.Repeat("data: "+strings.Repeat("a", 1<<16)+"\n", 20) + "\n",
	} {
		if got, err := verify.ReadEvents(strings.NewReader(stream)); err == nil || errors.Is(err, io.EOF) || got != nil {
			t.Errorf("%s: %d events, %v", name, len(got), err)
		}
	}
}

// JOS-20: whatever comes over the line, nothing panics and nothing grows without bound.
func FuzzFeed(f *testing.F) {
	f.Add([]byte("event: batch\ndata: "+goodBatch+"\n\n"), []byte(goodBatch))
	f.Add([]byte("\ufeff: x\r\rdata\rdata:\n\r\n"), []byte(`{"rules":[{}]}`))
	f.Add([]byte("id: e.1\nevent: batch\ndata: a.b.c\n\n"), []byte(strings.Replace(goodBatch, `"grant"`, `"user"`, 1)))
	f.Fuzz(func(t *testing.T, stream, payload []byte) {
		events, err := verify.ReadEvents(strings.NewReader(string(stream)))
		if err == nil {
			t.Error("a stream without an end")
		}
		for _, e := range events {
			if len(e) > len(stream) {
				t.Errorf("event %q is longer than the stream", e)
			}
		}
		from, to, head, rules, err := verify.ParseBatch(payload)
		if err != nil {
			return
		}
		if from < 0 || to < from || head < to || int64(len(rules)) > to-from {
			t.Errorf("%q: from %d to %d head %d, %d rules", payload, from, to, head, len(rules))
		}
	})
}
