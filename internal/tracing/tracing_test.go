package tracing_test

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/signet-id/signet/internal/tracing"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collector takes spans as an OpenTelemetry collector does (OTLP/HTTP, binary).
type collector struct {
	*httptest.Server
	mu    sync.Mutex
	spans []*tracepb.Span
	bad   []string
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

func (c *collector) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	var data tracepb.TracesData
	if err = errors.Join(err, proto.Unmarshal(body, &data)); err != nil || r.Method != "POST" || r.URL.Path != "/v1/traces" ||
		r.Header.Get("Content-Type") != "application/x-protobuf" {
		c.bad = append(c.bad, r.Method+" "+r.URL.Path)
	}
	for _, resource := range data.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			c.spans = append(c.spans, scope.Spans...)
		}
	}
}

func (c *collector) byName(name string) *tracepb.Span {
	for _, s := range c.spans {
		if s.Name == name {
			return s
		}
	}
	return nil
}

func newTracer(t *testing.T, endpoint string, percent int) (*tracing.Tracer, *[]error) {
	t.Helper()
	var exported []error // by one goroutine, which Close waits for
	tr, err := tracing.New(tracing.Config{
		URL: endpoint + "/v1/traces", Percent: percent, Version: "v1", Log: slog.New(slog.DiscardHandler),
		Exported: func(_ int, err error) { exported = append(exported, err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return tr, &exported
}

const (
	parentTrace = "0af7651916cd43dd8448eb211c80319c"
	parentSpan  = "b7ad6b7169203331"
)

// request plays a request with one piece of work and one call below it.
func request(tr *tracing.Tracer, method, traceparent string, believed bool) (sent http.Header) {
	r := httptest.NewRequest(method, "/token?code=canary", nil)
	r.Header.Set("traceparent", traceparent)
	r.Header.Set("tracestate", "x=canary")
	ctx, over := tr.Request(r.Context(), r, believed)
	work, worked := tr.Begin(ctx, "database: ", "redeem code")
	sent = http.Header{}
	tr.Annotate(work, sent)
	worked("consumed")
	over(tracing.Answer{Route: "POST /token", Status: 500, RequestID: "request-1", Outcome: "error"})
	return sent
}

// A span for the request by its route, one for the work below it, and the trace goes out
// with calls (W3C Trace Context §2.2).
func TestTracer_Spans(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	tr, _ := newTracer(t, c.URL, 100)
	sent := request(tr, "POST", "", false)
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	whole, work := c.byName("POST /token"), c.byName("database: redeem code")
	if whole == nil || work == nil || len(c.spans) != 2 || len(c.bad) > 0 {
		t.Fatalf("spans %v, other requests %q", c.spans, c.bad)
	}
	if string(work.ParentSpanId) != string(whole.SpanId) || string(work.TraceId) != string(whole.TraceId) || len(whole.ParentSpanId) != 0 {
		t.Errorf("they do not hang together: %v, %v", whole, work)
	}
	text := whole.String()
	for _, want := range []string{"http.route", "POST /token", "http.response.status_code", "request-1", "STATUS_CODE_ERROR"} {
		if !strings.Contains(text, want) {
			t.Errorf("the span lacks %s: %s", want, text)
		}
	}
	if got := sent.Get("traceparent"); !strings.HasPrefix(got, "00-") || !strings.HasSuffix(got, "-01") {
		t.Errorf("what goes out says %q", got)
	}
}

// OPS-01: whoever is not believed chooses neither the trace nor whether there is one.
func TestTracer_OPS01_StrangersChooseNothing(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		believed bool
		percent  int
		flags    string
		spans    int
	}{
		"believed, traced":              {true, 0, "01", 2},
		"believed, not traced":          {true, 100, "00", 0},
		"a stranger who wants traces":   {false, 0, "01", 0},
		"a stranger who wants none":     {false, 100, "00", 2},
		"a stranger's trace is not his": {false, 100, "01", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCollector(t)
			tr, _ := newTracer(t, c.URL, tt.percent)
			request(tr, "POST", "00-"+parentTrace+"-"+parentSpan+"-"+tt.flags, tt.believed)
			if err := tr.Close(); err != nil {
				t.Fatal(err)
			}
			if len(c.spans) != tt.spans {
				t.Fatalf("%d spans; want %d", len(c.spans), tt.spans)
			}
			for _, s := range c.spans {
				if ours := hex.EncodeToString(s.TraceId) != parentTrace; ours == tt.believed || strings.Contains(s.String(), "canary") != tt.believed {
					t.Errorf("span %v", s)
				}
			}
		})
	}
}

// A method that nobody knows is text of a stranger.
func TestTracer_UnknownMethod(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	tr, _ := newTracer(t, c.URL, 100)
	request(tr, "CANARY", "", false)
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	if len(c.spans) != 2 || strings.Contains(c.byName("POST /token").String(), "CANARY") {
		t.Errorf("spans %v", c.spans)
	}
}

// A collector that refuses, hangs or is not there costs nobody anything but its traces.
func TestTracer_CollectorFails(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	release := make(chan struct{})
	hangs := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(hangs.Close)
	t.Cleanup(func() { close(release) })
	refuses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	t.Cleanup(refuses.Close)
	for name, endpoint := range map[string]string{"gone": gone.URL, "hangs": hangs.URL, "refuses": refuses.URL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr, exported := newTracer(t, endpoint, 100)
			for range 5000 { // more than it keeps
				request(tr, "POST", "", false)
			}
			if err := tr.Close(); err != nil {
				t.Error(err)
			}
			if len(*exported) == 0 {
				t.Fatal("nothing was tried")
			}
			for _, err := range *exported {
				if err == nil {
					t.Error("taken, it says")
				}
			}
		})
	}
}

// Without an endpoint there is no tracer, and nothing asks whether there is one.
func TestTracer_None(t *testing.T) {
	t.Parallel()
	tr, err := tracing.New(tracing.Config{})
	if tr != nil || err != nil {
		t.Fatal(tr, err)
	}
	if sent := request(tr, "POST", "00-"+parentTrace+"-"+parentSpan+"-01", true); len(sent) > 0 {
		t.Errorf("something goes out: %v", sent)
	}
	if err := tr.Close(); err != nil {
		t.Error(err)
	}
}

// Lines that are written while a request is traced name the trace.
func TestHandler(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	tr, _ := newTracer(t, c.URL, 100)
	var out strings.Builder
	log := slog.New(tracing.Handler(slog.NewTextHandler(&out, nil)))
	ctx, over := tr.Request(t.Context(), httptest.NewRequest("GET", "/", nil), false)
	log.With("a", 1).InfoContext(ctx, "within")
	log.InfoContext(context.Background(), "outside")
	over(tracing.Answer{Route: "GET /", Status: 200, Outcome: "ok"})
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	within, outside, _ := strings.Cut(out.String(), "\n")
	if id := hex.EncodeToString(c.spans[0].TraceId); !strings.Contains(within, "trace_id="+id) || strings.Contains(outside, "trace_id") {
		t.Errorf("want %s in the first line only:\n%s", id, out.String())
	}
}
