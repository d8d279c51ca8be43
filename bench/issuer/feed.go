package issuer

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/signet-id/signet/verify"
)

// heartbeat is how often the feed confirms itself; perMessage the rules in one message.
const (
	heartbeat  = 5 * time.Second
	perMessage = 4000
)

// transport answers a verifier from memory.
type transport struct {
	*Issuer
	rules int
}

// Verifier returns a verifier that is ready and knows so many revocation rules, none of
// which names a token of this issuer. stop ends its background work.
func (i *Issuer) Verifier(rules int, opts ...verify.Option) (v *verify.Verifier, stop func(), err error) {
	opts = append([]verify.Option{verify.HTTPClient(&http.Client{Transport: transport{i, rules}})}, opts...)
	if v, err = verify.New(URL, Audience, opts...); err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = v.Run(ctx) // says only that it was cancelled
	}()
	stop = func() { cancel(); <-done }
	select {
	case <-v.Ready():
		return v, stop, nil
	case <-time.After(time.Minute):
		stop()
		return nil, nil, fmt.Errorf("the verifier does not get ready: %s", v.Status().LastTrouble)
	}
}

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	kind := "application/json"
	var body io.ReadCloser
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		body = io.NopCloser(strings.NewReader(`{"issuer":"` + URL + `","jwks_uri":"` + URL + `/jwks.json"}`))
	case "/jwks.json":
		body = io.NopCloser(bytes.NewReader(t.published()))
	default:
		kind = "text/event-stream"
		in, out := io.Pipe()
		context.AfterFunc(r.Context(), func() { _ = out.CloseWithError(r.Context().Err()) })
		go t.serve(r, out)
		body = in
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {kind}}, Body: body, Request: r}, nil
}

// serve writes the rules and then heartbeats until the reader is gone.
func (t transport) serve(r *http.Request, out *io.PipeWriter) {
	at := 0
	if _, seq, ok := strings.Cut(r.Header.Get("Last-Event-ID"), "."); ok {
		at, _ = strconv.Atoi(seq) // the log never changes
	}
	for {
		to := min(t.rules, at+perMessage)
		message, err := t.feed.Sign("revocations+jwt", t.batch(at, to))
		if err != nil {
			_ = out.CloseWithError(err)
			return
		}
		if _, err := fmt.Fprintf(out, "event: batch\ndata: %s\n\n", message); err != nil {
			return
		}
		if at = to; at < t.rules {
			continue
		}
		select {
		case <-r.Context().Done():
			return
		case <-time.After(heartbeat):
		}
	}
}

// batch writes the rules (from, to] of all kinds that look at a token.
func (t transport) batch(from, to int) []byte {
	now := time.Now()
	b := fmt.Appendf(nil, `{"iss":"%s","aud":"%s/revocations","iat":%d,"now":%d,"epoch":"bench","from":%d,"to":%d,"head":%d,"rules":[`,
		URL, URL, now.Unix(), now.UnixMilli(), from, to, t.rules)
	for n := from + 1; n <= to; n++ {
		if n > from+1 {
			b = append(b, ',')
		}
		kind, before := "jti", ""
		switch n % 8 {
		case 1, 2:
			kind = "session"
		case 3, 4:
			kind = "grant"
		case 5:
			kind, before = "client", fmt.Sprintf(`"before":%d,`, now.Unix())
		}
		b = fmt.Appendf(b, `{"seq":%d,"kind":"%s","id":"%s",%s"at":%d,"until":%d}`,
			n, kind, base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "other-%d", n)), before, now.UnixMilli(), now.Add(time.Hour).Unix())
	}
	return append(b, "]}"...)
}
