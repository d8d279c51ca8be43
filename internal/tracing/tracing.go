// Package tracing shows what a request did and how long that took, as OpenTelemetry
// traces: one span for the request and one for each piece of work below it. It takes a
// trace over from whom the operator named, and hands it on (W3C Trace Context).
//
// A span says the route, the method, the status, and words of the program. It deliberately
// has no address with its query, no header, no parameter, no name of a person, client or
// token: whoever reads traces needs none of them. Work that no request asked for has no spans.
package tracing

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// flushTime is how long the last spans may take when the server stops.
const flushTime = 3 * time.Second

// Config says where traces go, and how many.
type Config struct {
	URL     string // of an OTLP/HTTP collector, as it is posted to; empty: no traces
	Percent int    // of requests that nobody else has decided about
	Service string // what this program is called; empty: signet
	Version string // of this program
	Log     *slog.Logger
	// Exported is told of each attempt to hand spans over.
	Exported func(spans int, err error)
}

// Tracer makes traces; nil makes none.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	uploads  *uploader
}

// New returns a tracer, nil if there is no address. It does not connect yet.
func New(cfg Config) (*Tracer, error) {
	if cfg.URL == "" {
		return nil, nil
	}
	uploads := newUploader(cfg)
	exporter, err := otlptrace.New(context.Background(), uploads)
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	provider := sdk.NewTracerProvider(
		sdk.WithBatcher(exporter), // spans that it has no room for are lost; nobody waits
		sdk.WithSampler(sdk.ParentBased(sdk.TraceIDRatioBased(float64(cfg.Percent)/100))),
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", cmp.Or(cfg.Service, "signet")), attribute.String("service.version", cfg.Version))),
	)
	return &Tracer{provider: provider, tracer: provider.Tracer("signet"), uploads: uploads}, nil
}

// Close hands over what is left, for a short while.
func (t *Tracer) Close() error {
	if t == nil {
		return nil
	}
	late := time.AfterFunc(flushTime, t.uploads.giveUp)
	defer late.Stop()
	return t.provider.Shutdown(context.Background())
}

// Request begins the span of a request. believed says that the trace named in its header is
// that of somebody who may choose what is traced: else a stranger could have all of his
// requests traced, and write into the traces of others.
func (t *Tracer) Request(ctx context.Context, r *http.Request, believed bool) (context.Context, func(Answer)) {
	if t == nil {
		return ctx, func(Answer) {}
	}
	if believed {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(r.Header))
	}
	method := methodOf(r)
	ctx, span := t.tracer.Start(ctx, method, trace.WithSpanKind(trace.SpanKindServer))
	return ctx, func(a Answer) {
		if span.IsRecording() {
			span.SetName(a.Route)
			span.SetAttributes(attribute.String("http.request.method", method), attribute.String("http.route", a.Route),
				attribute.Int("http.response.status_code", a.Status), attribute.String("signet.request_id", a.RequestID))
			if a.Status >= http.StatusInternalServerError {
				span.SetStatus(codes.Error, "")
			}
			setOutcome(span, a.Outcome)
		}
		span.End()
	}
}

// Answer is how a request ended.
type Answer struct {
	Route     string // the pattern that it matched
	Status    int
	RequestID string // that was checked or made by us
	Outcome   string // a word of idp.Outcome
}

// methodOf is the method if it is a common one: others are text of strangers.
func methodOf(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return "_OTHER"
}

// Begin begins a span of work that a request asked for. What it returns ends it. A prefix
// says which other program is asked; empty: none.
func (t *Tracer) Begin(ctx context.Context, prefix, what string) (context.Context, func(outcome string)) {
	if t == nil || !trace.SpanFromContext(ctx).IsRecording() {
		return ctx, func(string) {}
	}
	kind := trace.SpanKindInternal
	if prefix != "" {
		kind = trace.SpanKindClient
	}
	ctx, span := t.tracer.Start(ctx, prefix+what, trace.WithSpanKind(kind))
	return ctx, func(outcome string) {
		setOutcome(span, outcome)
		span.End()
	}
}

// setOutcome says how it ended, in a word of idp.Outcome. A refusal is no failure of ours.
func setOutcome(span trace.Span, outcome string) {
	switch outcome {
	case "ok":
		return
	case "unavailable", "timeout", "error":
		span.SetStatus(codes.Error, "")
	}
	span.SetAttributes(attribute.String("error.type", outcome))
}

// Annotate puts the trace into the header of a request that we send.
func (t *Tracer) Annotate(ctx context.Context, header http.Header) {
	if t != nil {
		propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(header))
	}
}
