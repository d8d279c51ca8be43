package server_test

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/signet-id/signet/internal/config"
	"github.com/signet-id/signet/internal/metrics"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
)

// collector takes spans as an OpenTelemetry collector does (OTLP/HTTP, binary).
type collector struct {
	*httptest.Server
	mu    sync.Mutex
	data  tracepb.TracesData
	texts strings.Builder
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		c.mu.Lock()
		defer c.mu.Unlock()
		var batch tracepb.TracesData
		if err := errors.Join(err, proto.Unmarshal(body, &batch)); err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		c.data.ResourceSpans = append(c.data.ResourceSpans, batch.ResourceSpans...)
		c.texts.WriteString(prototext.Format(&batch))
	}))
	t.Cleanup(c.Close)
	return c
}

// text is all that came, for people.
func (c *collector) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.texts.String()
}

func (c *collector) spans() (all []*tracepb.Span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.data.ResourceSpans {
		for _, s := range r.ScopeSpans {
			all = append(all, s.Spans...)
		}
	}
	return all
}

// observed switches on what there is to observe.
func observed(endpoint string) func(*config.Config) {
	return func(c *config.Config) {
		c.MetricsListen, c.TracesEndpoint, c.TracesPercent = "127.0.0.1:0", endpoint, 100
	}
}

var metricsAddress = regexp.MustCompile(`msg="serving metrics" listen=(\S+)`)

// scrape reads the metrics as Prometheus does.
func (r *running) scrape(t *testing.T) string {
	t.Helper()
	var at []string
	until(t, "metrics are served", func() bool {
		at = metricsAddress.FindStringSubmatch(r.log.String())
		return at != nil
	})
	answer, err := http.Get("http://" + at[1] + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatal(answer.Status, err)
	}
	return string(body)
}

// ask shows tokens to every endpoint that takes one, and to some that do not, in places
// where they belong and where they do not.
func (r *running) ask(t *testing.T, clientSecret string, tokens map[string]string, code string) {
	t.Helper()
	send := func(method, path, bearer string, form url.Values) {
		req, err := http.NewRequest(method, r.url+path, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		if form != nil {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			req.SetBasicAuth("app", clientSecret)
		}
		if bearer != "" {
			req.Header.Set("Authorization", "Bearer "+bearer)
		}
		req.Header.Set("User-Agent", tokens["access_token"])
		req.Header.Set("X-Request-Id", tokens["refresh_token"])
		req.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
		req.Header.Set("Tracestate", "s="+code)
		answer, err := noRedirects.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
	}
	access, refresh := tokens["access_token"], tokens["refresh_token"]
	send("GET", "/userinfo", access, nil)
	send("GET", "/userinfo", access[:len(access)-3], nil)
	send("GET", "/userinfo?access_token="+access, "", nil)
	send("POST", "/introspect", "", url.Values{"token": {access}})
	send("POST", "/introspect?token="+access, "", url.Values{"token": {refresh}})
	send("POST", "/token?client_secret="+clientSecret, "", url.Values{"grant_type": {clientSecret}, "code": {code}})
	send("POST", "/token", "", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}, "scope": {refresh}})
	send("GET", "/authorize?client_id=app&code="+code+"&redirect_uri="+code, "", nil)
	send("GET", "/logout?id_token_hint="+tokens["id_token"]+"x", "", nil)
	send("GET", "/"+code, "", nil)
	send("BREW", "/"+access, "", nil)
	send("POST", "/revoke", "", url.Values{"token": {refresh}})
}

// TestMetrics: what people do at a server is what its metrics say; each metric of the
// reference is there, and nothing else.
func TestMetrics(t *testing.T) {
	t.Parallel()
	s := start(t, true, observed(newCollector(t).URL))
	clientSecret := s.seed(t).Reveal()
	b := &browser{t: t, s: s, cookies: map[string]string{}}
	follow(t, s.url)
	b.login("wrong")
	b.login(password)
	code := b.authorize()
	redeem := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirect}}
	tokens := b.token(clientSecret, redeem)
	b.token(clientSecret, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens["refresh_token"]}})
	b.token(clientSecret, redeem) // replay: revoked, and pushed to who follows
	s.get(t, "/nowhere")
	s.get(t, "/elsewhere")
	until(t, "a rule reached its follower", func() bool {
		return strings.Contains(s.scrape(t), "signet_revocation_push_latency_seconds_count 1\n")
	})
	got := s.scrape(t)
	for _, want := range []string{
		`signet_logins_total{method="password",result="denied"} 1`,
		`signet_logins_total{method="password",result="ok"} 1`,
		`signet_tokens_issued_total{grant="authorization_code",type="access"} 1`,
		`signet_tokens_issued_total{grant="authorization_code",type="id"} 1`,
		`signet_tokens_issued_total{grant="refresh_token",type="refresh"} 1`,
		`signet_token_replays_total{type="code"} 1`,
		`signet_http_request_duration_seconds_count{code="200",route="POST /token"} 2`,
		`signet_http_request_duration_seconds_count{code="400",route="POST /token"} 1`,
		`signet_http_request_duration_seconds_count{code="404",route="unmatched"} 2`,
		`signet_revocation_followers 1`,
		`signet_revocation_log_position 1`,
		`signet_key_age_seconds{alg="EdDSA",state="active"}`,
		`signet_database_duration_seconds_count{verb="redeem code"} 2`,
		`signet_database_connections{pool="read"} 4`,
		`signet_ready{part="database"} 1`,
		`signet_ready{part="revocations"} 1`,
		`signet_log_records_total{level="info"}`,
		`signet_build_info{`,
		`go_goroutines`,
	} {
		if !strings.Contains(got, "\n"+want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	checkDeclared(t, got)
	if t.Failed() {
		t.Log(got)
	}
}

// follow follows the feed until the test ends, and returns when the first event came.
func follow(t *testing.T, issuer string) {
	t.Helper()
	answer, err := http.Get(issuer + "/revocations")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	if _, err := bufio.NewReader(answer.Body).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
}

var typeLine = regexp.MustCompile(`(?m)^# TYPE (signet_\S+) (\S+)$`)

// checkDeclared: what is read is in the reference, of the type that it says.
func checkDeclared(t *testing.T, got string) {
	t.Helper()
	kinds := map[string]string{}
	for _, m := range metrics.New(metrics.Build{}, metrics.Sources{}, "").List() {
		kinds[m.Name] = m.Kind
	}
	for _, line := range typeLine.FindAllStringSubmatch(got, -1) {
		if kinds[line[1]] != line[2] {
			t.Errorf("%s is a %s; the reference says %q", line[1], line[2], kinds[line[1]])
		}
		delete(kinds, line[1])
	}
	for name := range kinds {
		switch name {
		case "signet_http_requests_limited_total", "signet_database_errors_total", "signet_outbound_call_duration_seconds",
			"signet_trace_spans_total": // nothing of it has happened
		default:
			t.Errorf("%s is in the reference and was not read", name)
		}
	}
}

// OPS-03: metrics are nowhere unless the operator says where, and never where the public is.
func TestMetrics_OPS03_OwnListener(t *testing.T) {
	t.Parallel()
	s := start(t, true, observed(""))
	s.scrape(t)
	if code, body := s.get(t, "/metrics"); code != http.StatusNotFound || strings.Contains(body, "signet_") {
		t.Errorf("the public listener answers %d", code)
	}
	quiet := start(t, true, nil)
	if code, _ := quiet.get(t, "/metrics"); code != http.StatusNotFound || strings.Contains(quiet.log.String(), "serving metrics") {
		t.Errorf("without a word of the operator: %d", code)
	}
}

// DOS-03: whatever strangers send, there are no more series.
func TestMetrics_DOS03_BoundedSeries(t *testing.T) {
	t.Parallel()
	s := start(t, true, observed(""))
	ask := func(n string) {
		for _, method := range []string{"GET", "M" + n} {
			r, err := http.NewRequest(method, s.url+"/p"+n+"?q="+n, strings.NewReader("grant_type="+n))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("X-Request-Id", "request-"+n)
			answer, err := noRedirects.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
		}
		(&browser{t: t, s: s}).token("wrong", url.Values{"grant_type": {n}})
	}
	ask("0")
	before := series(s.scrape(t))
	for _, n := range []string{"1", "2", "3", "4", "5"} {
		ask(n)
	}
	if after := series(s.scrape(t)); after != before {
		t.Errorf("%d series of requests; there were %d", after, before)
	}
}

func series(text string) int { return strings.Count(text, "\nsignet_http_") }

// TestTraces: a request and what it did hang together, the log names the trace, and the
// last spans are handed over when the server stops.
func TestTraces(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	s := start(t, true, observed(c.URL))
	clientSecret := s.seed(t).Reveal()
	b := &browser{t: t, s: s, cookies: map[string]string{}}
	b.login(password)
	code := b.authorize()
	b.token(clientSecret, url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirect}})
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	parents := map[string]string{} // name of a span by its id
	for _, span := range c.spans() {
		parents[string(span.SpanId)] = span.Name
	}
	below := map[string]bool{}
	for _, span := range c.spans() {
		below[parents[string(span.ParentSpanId)]+" > "+span.Name] = true
	}
	for _, want := range []string{
		" > POST /login", "POST /login > hash password", "POST /login > database: find user", " > POST /token",
		"POST /token > database: read code", "POST /token > sign tokens", "POST /token > database: redeem code",
	} {
		if !below[want] {
			t.Errorf("there is no span %q; there are %v", want, below)
		}
	}
	if !regexp.MustCompile(`msg=request method=POST route="POST /token" .*trace_id=[0-9a-f]{32}`).MatchString(s.log.String()) {
		t.Error("the access log names no trace")
	}
}

// OpenTelemetry's own variables are enough, and name the service.
func TestTraces_OTel(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	told, err := config.Read("", []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + c.URL, "OTEL_SERVICE_NAME=accounts"})
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, true, func(cfg *config.Config) { cfg.OTel, cfg.TracesPercent = told.OTel, 100 })
	s.get(t, "/login")
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if text := c.text(); !strings.Contains(text, `"accounts"`) || !strings.Contains(text, "GET /login") {
		t.Errorf("%s", text)
	}
}

// OPS-01: a stranger cannot write into a trace of ours, nor choose what is traced.
func TestTraces_OPS01_OnlyNamedSources(t *testing.T) {
	t.Parallel()
	const trace = "0af7651916cd43dd8448eb211c80319c"
	for name, tt := range map[string]struct {
		sources []string
		want    bool
	}{
		"nobody is named": {nil, false},
		"another network": {[]string{"192.0.2.0/24"}, false},
		"this machine":    {[]string{"127.0.0.0/8", "::1"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCollector(t)
			s := start(t, true, func(cfg *config.Config) { observed(c.URL)(cfg); cfg.TracesSources = tt.sources })
			r, err := http.NewRequest("GET", s.url+"/livez", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Traceparent", "00-"+trace+"-b7ad6b7169203331-01")
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if err := s.stop(); err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(s.log.String(), "trace_id="+trace); got != tt.want {
				t.Errorf("the request went on with the trace: %v", got)
			}
		})
	}
}
