package tracing

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

const (
	uploadTime = 10 * time.Second // for one batch
	maxAnswer  = 64 << 10         // that is read of a collector, so that the connection can be used again
)

// uploader posts batches to a collector (OTLP/HTTP, binary encoding). It is ours because
// OpenTelemetry's own brings gRPC along, reads a dozen variables of the environment, and
// sends again for a minute what is of no use by then.
type uploader struct {
	address  string
	client   *http.Client
	log      *slog.Logger
	exported func(spans int, err error)
	failing  atomic.Bool

	ctx    context.Context // of all uploads; ends when the server does not wait any longer
	giveUp context.CancelFunc
}

func newUploader(cfg Config) *uploader {
	u := &uploader{
		address: cfg.URL, log: cfg.Log, exported: cfg.Exported,
		client: &http.Client{
			Timeout:       uploadTime,
			Transport:     &http.Transport{MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	u.ctx, u.giveUp = context.WithCancel(context.Background())
	return u
}

func (u *uploader) Start(context.Context) error { return nil }

func (u *uploader) Stop(context.Context) error {
	u.giveUp()
	u.client.CloseIdleConnections()
	return nil
}

// UploadTraces never fails as far as its caller knows, who would write that past our log.
// What a collector does not take is lost.
func (u *uploader) UploadTraces(_ context.Context, spans []*tracepb.ResourceSpans) error {
	err := u.upload(spans)
	u.exported(count(spans), err)
	switch failed := u.failing.Swap(err != nil); {
	case err != nil && !failed:
		u.log.Warn("traces are not taken; they are lost", "cause", err)
	case err == nil && failed:
		u.log.Info("traces are taken again")
	}
	return nil
}

func (u *uploader) upload(spans []*tracepb.ResourceSpans) error {
	// TracesData has the same bytes as ExportTraceServiceRequest: both are the one list.
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil {
		return fmt.Errorf("encode spans: %w", err)
	}
	r, err := http.NewRequestWithContext(u.ctx, http.MethodPost, u.address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-protobuf")
	r.Header.Set("User-Agent", "signet")
	answer, err := u.client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, maxAnswer))
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the collector answered with status %d", answer.StatusCode)
	}
	return nil
}

func count(batches []*tracepb.ResourceSpans) (n int) {
	for _, b := range batches {
		for _, s := range b.ScopeSpans {
			n += len(s.Spans)
		}
	}
	return n
}
