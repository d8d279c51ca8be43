package doctor

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"time"
)

// answer is what came back from the public URL.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// get asks the public URL as anybody would, but looks past its certificate, of which
// another check has spoken. Nothing secret is sent.
func (x *examination) get(ctx context.Context, path string, header http.Header) (answer, error) {
	client := &http.Client{
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:       (&net.Dialer{Resolver: x.Resolver, Timeout: patience}).DialContext,
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
			DisableKeepAlives: true,
		},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, x.cfg.PublicURL+path, nil)
	if err != nil {
		return answer{}, err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	res, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 256<<10))
	return answer{res.StatusCode, res.Header, body}, err
}

// publicURL: whoever follows it meets this issuer, whose clock is right.
func (x *examination) publicURL(ctx context.Context) {
	const check = "public url"
	a, err := x.get(ctx, "/.well-known/openid-configuration", nil)
	if !x.running && (err != nil || a.status != http.StatusOK) {
		x.skip(check, "the server does not run here, and nobody else answers at %s", x.cfg.PublicURL)
		return
	}
	pass := "let the reverse proxy pass everything under " + x.cfg.PublicURL + " on to http://" + x.cfg.Listen
	if len(x.cfg.TrustedProxies) == 0 {
		pass = "let public_url name the address that this server listens at, and the firewall let people through"
	}
	switch {
	case err != nil:
		x.problem(check, pass, "the server runs, but %s does not answer: %v", x.cfg.PublicURL, err)
		return
	case a.status != http.StatusOK:
		x.problem(check, pass, "the server runs, but %s/.well-known/openid-configuration answers %d", x.cfg.PublicURL, a.status)
		return
	}
	var d struct {
		Issuer string `json:"issuer"`
	}
	if err := json.Unmarshal(a.body, &d); err != nil || d.Issuer != x.cfg.PublicURL {
		x.problem(check, "correct public_url, or "+pass, "another issuer answers there: %.200q", d.Issuer)
		return
	}
	x.ok(check, "%s is this issuer", x.cfg.PublicURL)
	x.date(a.header)
}

// maxDateSkew is what verifiers forgive.
const maxDateSkew = time.Minute

// date compares our clock with that of whoever answers under the public URL.
func (x *examination) date(h http.Header) {
	then, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		x.skip("clock", "the answer of %s has no Date", x.cfg.PublicURL)
		return
	}
	switch skew := x.Now().Sub(then).Round(time.Second); {
	case skew.Abs() > maxDateSkew:
		x.problem("clock", "run a time service on both machines: timedatectl set-ntp true", "this machine's clock is %v off that of %s; services refuse tokens from another time", skew, x.cfg.PublicURL)
	case skew.Abs() > 5*time.Second:
		x.warn("clock", "run a time service on both machines: timedatectl set-ntp true", "this machine's clock is %v off that of %s", skew, x.cfg.PublicURL)
	default:
		x.ok("clock", "the same as that of %s", x.cfg.PublicURL)
	}
}
