// Package metrics counts and measures what signet does, in Prometheus' form. Each metric is
// declared once, in the function that makes it, with what it means and when to worry;
// docs/reference/metrics.md is made from these declarations.
//
// Labels have few values, all of them ours: routes are patterns, results and verbs are words
// of the program. It deliberately has no label for a person, a client, an address or a
// token, and nothing that a stranger chooses, so no flood makes a new series.
package metrics

import (
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics is all of them. It may be used by many goroutines.
type Metrics struct {
	registry *prometheus.Registry
	about    []About

	requests   *prometheus.HistogramVec
	limited    *prometheus.CounterVec
	logins     *prometheus.CounterVec
	hashing    prometheus.Observer
	tokens     *prometheus.CounterVec
	replays    *prometheus.CounterVec
	pushes     prometheus.Observer
	verbs      *prometheus.HistogramVec
	verbErrors *prometheus.CounterVec
	commits    prometheus.Observer
	committed  prometheus.Observer
	swept      prometheus.Counter
	mails      *prometheus.CounterVec
	notices    *prometheus.CounterVec
	calls      *prometheus.HistogramVec
	work       *prometheus.CounterVec
	lines      *prometheus.CounterVec
	spans      *prometheus.CounterVec
	feedRoute  string
}

// About is what the reference says of a metric.
type About struct {
	Name, Kind string
	Labels     []string
	Help       string // what it means
	Worry      string // when to look
}

// Build is what this program is.
type Build struct{ Version, Revision, Go string }

// Buckets, in seconds.
var (
	requestBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	hashBuckets    = []float64{.025, .05, .075, .1, .15, .25, .5, 1, 2.5, 5}
	pushBuckets    = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15, 60}
	verbBuckets    = []float64{.0005, .001, .0025, .005, .01, .05, .25, 1, 5}
)

// New returns metrics of which src gives what is read only when somebody looks. feedRoute
// is the route of the revocation feed, whose answers take hours.
func New(build Build, src Sources, feedRoute string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), feedRoute: feedRoute}
	m.ofRequests()
	m.ofLogins(src)
	m.ofTokens()
	m.ofRevocations(src)
	m.ofKeys(src)
	m.ofDatabase(src)
	m.ofMessages()
	m.ofServer(build, src)
	m.begin()
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *Metrics) ofRequests() {
	m.requests = m.histograms(requestBuckets, About{
		Name: "signet_http_request_duration_seconds",
		Help: "Requests by the pattern that they matched (`unmatched`: none) and the status of the answer, the administration's included. The feed is counted " +
			"only where it is refused: its answers take hours.",
		Worry: "the 99th percentile of `POST /token` rises above 250 ms, or more than one answer in a hundred is 5xx",
	}, "route", "code")
	m.limited = m.counters(About{
		Name:  "signet_http_requests_limited_total",
		Help:  "Requests that were refused because a limit was reached. Logins have their own.",
		Worry: "it rises: a client repeats itself, or somebody floods",
	}, "route")
}

func (m *Metrics) ofLogins(src Sources) {
	m.logins = m.counters(About{
		Name:  "signet_logins_total",
		Help:  "Logins by `method` (`password`) and `result`: `ok`, `denied` (unknown, wrong or disabled: it does not say which), `limited`, `unavailable`, `canceled`, `error`.",
		Worry: "`denied` or `limited` is a multiple of what is usual: somebody guesses. `unavailable`: see the queue of hashes",
	}, "method", "result")
	m.hashing = m.histograms(hashBuckets, About{
		Name:  "signet_password_hash_duration_seconds",
		Help:  "A password hash, from its turn on.",
		Worry: "the median is far from 0.1: the machine is slower than when hashing was fitted to it, or shared",
	}).WithLabelValues()
	m.gauge(About{
		Name:  "signet_password_hash_waiting",
		Help:  "Logins that wait for their turn to be hashed.",
		Worry: "it stays above 0: more cores, or a flood of logins",
	}, func() float64 { return float64(src.HashesWaiting()) })
	m.total(About{
		Name:  "signet_password_hash_refused_total",
		Help:  "Logins that were told to come back because too many waited.",
		Worry: "it rises at all",
	}, func() float64 { return float64(src.HashesRefused()) })
}

func (m *Metrics) ofTokens() {
	m.tokens = m.counters(About{
		Name:  "signet_tokens_issued_total",
		Help:  "Tokens that were given out, by grant type and `type`: `access`, `id`, `refresh`.",
		Worry: "it stops while requests go on",
	}, "grant", "type")
	m.replays = m.counters(About{
		Name:  "signet_token_replays_total",
		Help:  "Codes and refresh tokens (`type`) that were used again after their time: what was issued from them has been revoked.",
		Worry: "any: a client keeps copies, or a token was stolen. The audit log says whose (`refresh.reuse`, `code.replay`)",
	}, "type")
}

func (m *Metrics) ofRevocations(src Sources) {
	m.pushes = m.histograms(pushBuckets, About{
		Name:  "signet_revocation_push_latency_seconds",
		Help:  "From the change that revoked something to the moment at which a connected verifier was sent the rule; once for each verifier.",
		Worry: "the 99th percentile is above 1",
	}).WithLabelValues()
	m.gauge(About{
		Name:  "signet_revocation_followers",
		Help:  "Verifiers that are connected to the feed of this node.",
		Worry: "it falls to less than the services that you run: those that are not connected refuse all tokens soon",
	}, func() float64 { following, _ := src.Followers(); return float64(following) })
	m.total(About{
		Name:  "signet_revocation_followers_refused_total",
		Help:  "Verifiers that found no place at the feed.",
		Worry: "any: name your networks in `verifier_networks`, or raise `limits.max_connections`",
	}, func() float64 { _, refused := src.Followers(); return float64(refused) })
	m.gauge(About{
		Name:  "signet_revocation_log_position",
		Help:  "Where the log of revocations ends, as far as this node knows.",
		Worry: "nodes differ for more than seconds",
	}, func() float64 { _, position, _ := src.RevocationLog(); return float64(position) })
	m.gauges(About{
		Name:  "signet_revocation_log_info",
		Help:  "1, with the epoch of the log. A restore begins another one.",
		Worry: "nodes differ, or it changed and nobody restored anything",
	}, func(emit emitter) {
		if epoch, _, _ := src.RevocationLog(); epoch != "" {
			emit(1, epoch)
		}
	}, "epoch")
	m.gauges(About{
		Name:  "signet_revocation_confirmed_age_seconds",
		Help:  "How long ago the log was last read to its end. Missing until it was.",
		Worry: "above 5: verifiers are told nothing any more and will refuse all tokens",
	}, func(emit emitter) {
		if _, _, confirmed := src.RevocationLog(); !confirmed.IsZero() {
			emit(src.Now().Sub(confirmed).Seconds())
		}
	})
}

func (m *Metrics) ofKeys(src Sources) {
	m.gauges(About{
		Name:  "signet_key_age_seconds",
		Help:  "Age of the oldest signing key by algorithm and `state`: `staged`, `active` (since it signs), `retiring` (since it does not).",
		Worry: "an `active` one is older than 35 days: keys do not rotate",
	}, func(emit emitter) {
		for _, k := range src.oldestKeys() {
			emit(src.Now().Sub(k.Since).Seconds(), k.Alg, k.State)
		}
	}, "alg", "state")
}

func (m *Metrics) ofDatabase(src Sources) {
	m.verbs = m.histograms(verbBuckets, About{
		Name:  "signet_database_duration_seconds",
		Help:  "Verbs and queries of the database by name, waiting included.",
		Worry: "all of them become slower: the disk, or the database's machine",
	}, "verb")
	m.verbErrors = m.counters(About{
		Name:  "signet_database_errors_total",
		Help:  "Verbs that failed because the database did not answer, or not in time.",
		Worry: "it rises",
	}, "verb")
	m.commits = m.histograms(verbBuckets, About{
		Name:  "signet_database_commit_duration_seconds",
		Help:  "SQLite: a commit with its sync of the disk.",
		Worry: "above 0.05: the disk is slow or shared",
	}).WithLabelValues()
	m.committed = m.histograms([]float64{1, 2, 4, 8, 16, 32, 64, 128, 256}, About{
		Name:  "signet_database_commit_verbs",
		Help:  "SQLite: verbs that shared a commit.",
		Worry: "most are near 256: the disk is the bottleneck; think of PostgreSQL",
	}).WithLabelValues()
	pool := func(name, help, worry string, value func(Pool) int) {
		m.gauges(About{Name: name, Help: help, Worry: worry}, func(emit emitter) {
			for _, p := range src.Pools() {
				emit(float64(value(p)), p.Name)
			}
		}, "pool")
	}
	pool("signet_database_connections", "Connections for `pool`: `read` or `write`.", "never; it is the bound of the next", func(p Pool) int { return p.Size })
	pool("signet_database_connections_busy", "Those that are in use.", "all of them, for long: `pool_max_conns`", func(p Pool) int { return p.Busy })
	pool("signet_database_waiting", "Requests that wait for one.", "above 100", func(p Pool) int { return p.Waiting })
	m.swept = m.counter(About{
		Name:  "signet_swept_rows_total",
		Help:  "Rows that were deleted because their time was over. One node sweeps for all.",
		Worry: "it stops on all nodes for an hour while logins go on",
	})
}

func (m *Metrics) ofMessages() {
	m.mails = m.counters(About{
		Name:  "signet_mails_total",
		Help:  "Mails by what became of them at the SMTP server: `ok`, `unavailable`, `invalid`, `error`.",
		Worry: "anything but `ok` rises",
	}, "result")
	m.notices = m.counters(About{
		Name:  "signet_logout_notices_total",
		Help:  "Attempts to tell an app that a login has ended: `told`, `again` (it is tried later) or `given_up`.",
		Worry: "`given_up` rises: the audit log says which app (`logout.notify`)",
	}, "result")
	m.calls = m.histograms(requestBuckets, About{
		Name:  "signet_outbound_call_duration_seconds",
		Help:  "Calls to addresses that clients named (key sets, metadata, logos, logout), by method and `result`: `ok`, or `failed`.",
		Worry: "`failed` is most of them: this server cannot reach out",
	}, "method", "result")
}

func (m *Metrics) ofServer(build Build, src Sources) {
	m.gauges(About{
		Name:  "signet_ready",
		Help:  "1 if the part is well, as `/readyz?verbose` says: `accepting requests`, `database`, `clock`, `keys`, `revocations`.",
		Worry: "0 for more than a minute",
	}, func(emit emitter) {
		for part, well := range src.Ready() {
			emit(truth(well), part)
		}
	}, "part")
	m.gauge(About{
		Name:  "signet_connections",
		Help:  "Connections to the public listener.",
		Worry: "it is near `limits.max_connections`",
	}, func() float64 { return float64(src.Connections().Open) })
	m.total(About{
		Name:  "signet_connections_displaced_total",
		Help:  "Idle connections that were closed because a new one needed the place.",
		Worry: "it rises quickly: too few places, or somebody takes them",
	}, func() float64 { return float64(src.Connections().Displaced) })
	m.total(About{
		Name:  "signet_connections_refused_total",
		Help:  "Connections that were closed at once because their network had its share.",
		Worry: "it rises and the network is one of yours: `trusted_proxies`, `verifier_networks`",
	}, func() float64 { return float64(src.Connections().Refused) })
	m.work = m.counters(About{
		Name:  "signet_background_errors_total",
		Help:  "Failures of work that no request asked for: `sweep`, `signing keys`; `ended`: something stopped for good.",
		Worry: "it rises: the log says why",
	}, "work")
	m.lines = m.counters(About{
		Name:  "signet_log_records_total",
		Help:  "Lines that were logged, by level.",
		Worry: "`error` rises: no stranger can cause one",
	}, "level")
	m.spans = m.counters(About{
		Name:  "signet_trace_spans_total",
		Help:  "Spans that a collector took (`ok`) or did not (`failed`).",
		Worry: "`failed` rises, if you need traces",
	}, "result")
	m.gauges(About{
		Name:  "signet_build_info",
		Help:  "1, with what this program is.",
		Worry: "nodes differ for longer than an upgrade takes",
	}, func(emit emitter) { emit(1, build.Version, build.Revision, build.Go) }, "version", "revision", "goversion")
}

// begin makes series that are rare, so that the first event is a change that an alert sees.
func (m *Metrics) begin() {
	for vec, values := range map[*prometheus.CounterVec][]string{
		m.logins:  {"ok", "denied", "limited", "unavailable", "canceled", "error"},
		m.replays: {"code", "refresh"},
		m.mails:   {"ok", "unavailable"},
		m.notices: {"told", "again", "given_up"},
		m.work:    {"sweep", "signing keys", "ended"},
		m.lines:   {"debug", "info", "warn", "error"},
	} {
		for _, v := range values {
			if vec == m.logins {
				vec.WithLabelValues("password", v)
			} else {
				vec.WithLabelValues(v)
			}
		}
	}
}

// Handler answers GET /metrics, and nothing else.
func (m *Metrics) Handler(log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelError), ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 4,
	}))
	return mux
}

// List returns what there is, in the order of the reference.
func (m *Metrics) List() []About { return m.about }

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
