// Package outbound is the one way in which signet calls addresses that others chose:
// key sets and metadata of clients, their logout addresses. Whoever names an address makes
// this server connect to it from where it stands, so the address is the attack (NET-01).
//
// It speaks https (HTTP/1.1) to port 443 of public addresses, and asks at the moment of
// connecting which address that is: a name that was public when it was looked at may
// be anything now. No redirect is followed, no proxy is used, no cookie kept, no
// connection used twice. An answer has three seconds and 256 KiB.
//
// It deliberately tells its caller nothing about networks: whatever keeps it from an
// address is ErrUnreachable. The cause is for our log.
package outbound

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

const (
	// Timeout bounds a call, from looking the name up to the last byte of the answer.
	Timeout = 3 * time.Second
	// MaxBody bounds an answer, in bytes.
	MaxBody = 256 << 10

	maxHeader = 16 << 10
	maxURL    = 2048
)

// What can go wrong. None says more than the caller could find out without us.
var (
	ErrAddress     = errors.New("not an address that may be called")     // seen without asking anybody
	ErrUnreachable = errors.New("the address cannot be reached")         // for any reason
	ErrAnswer      = errors.New("the address gave no acceptable answer") // it is public, and there is one
)

// Config says what else than public addresses may be called.
type Config struct {
	// Allow are networks of one's own: https is required there too, but any port will do.
	Allow []netip.Prefix
	// Loopback is for development: this machine may be called at any port, also by http.
	Loopback bool
	Now      func() time.Time
	Log      *slog.Logger   // hears why a call failed; nil: nobody does
	Resolver *net.Resolver  // nil: the system's
	RootCAs  *x509.CertPool // nil: the system's
	// Observe is told of each call, and Annotate adds what ties a request to its cause to
	// the header of one that does not go to strangers; nil: nobody does.
	Observe  idp.Observer
	Annotate func(ctx context.Context, header http.Header)
}

// Client calls addresses.
type Client struct {
	guard  guard
	now    func() time.Time
	log    *slog.Logger
	secure *http.Client
	plain  *http.Client // connects to loopback only
	reads  *lane        // of Get
	posts  *lane        // of Post

	observe  idp.Observer
	annotate func(context.Context, http.Header)

	strangers *Client
}

// New returns a client; one serves all of a server.
func New(c Config) *Client {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Annotate == nil {
		c.Annotate = func(context.Context, http.Header) {}
	}
	client := &Client{
		guard: guard{allow: c.Allow, loopback: c.Loopback, port: 443}, now: c.Now, log: c.Log,
		reads: newLane(maxReads), posts: newLane(maxPosts), observe: c.Observe, annotate: c.Annotate,
	}
	client.secure = client.over(c, client.guardSecure)
	client.plain = client.over(c, client.guardPlain)
	strangers := *client
	strangers.reads = newLane(maxStrangers)
	strangers.annotate = func(context.Context, http.Header) {}
	client.strangers = &strangers
	return client
}

// Strangers is the same client for addresses that no operator has looked at: what it reads
// has places of its own, so that slow addresses of theirs keep nobody else from being read.
func (c *Client) Strangers() *Client {
	if c == nil || c.strangers == nil {
		return c
	}
	return c.strangers
}

// over returns an HTTP client whose connections are asked about.
func (c *Client) over(cfg Config, permit func(netip.AddrPort) error) *http.Client {
	dialer := &net.Dialer{Timeout: Timeout, Resolver: cfg.Resolver, ControlContext: control(permit)}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  nil, // not the environment's: it would connect for us, unasked
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{RootCAs: cfg.RootCAs, MinVersion: tls.VersionTLS12, Time: cfg.Now},
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: maxHeader,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Document is what an address answered.
type Document struct {
	Body      []byte
	MediaType string    // in lower case, without parameters; empty if none was sent
	At        time.Time // when it was asked for
	caching   caching
}

// Expires returns until when the document may be used without asking again: as long as
// its Cache-Control says, within least and most; most, if it says nothing (RFC 9111 §5.2.2).
func (d Document) Expires(least, most time.Duration) time.Time {
	return d.At.Add(d.caching.lifetime(least, most))
}

// Get fetches a document. accept is the media type that is asked for.
func (c *Client) Get(ctx context.Context, address, accept string) (Document, error) {
	doc := Document{At: c.now()}
	err := c.call(ctx, c.reads, http.MethodGet, address, http.Header{"Accept": {accept}}, nil, func(r *http.Response) (err error) {
		if r.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", r.StatusCode)
		}
		if encoding := r.Header.Get("Content-Encoding"); encoding != "" {
			return errors.New("an encoding that was not asked for")
		}
		if doc.Body, err = io.ReadAll(io.LimitReader(r.Body, MaxBody+1)); err != nil {
			return err
		}
		if len(doc.Body) > MaxBody {
			return fmt.Errorf("more than %d bytes", MaxBody)
		}
		if doc.MediaType, _, err = mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil {
			doc.MediaType = ""
		}
		doc.caching = parseCaching(r.Header)
		return nil
	})
	if err != nil {
		return Document{}, err
	}
	return doc, nil
}

// Post sends a body and returns the status of the answer, whose body nobody reads.
func (c *Client) Post(ctx context.Context, address, contentType string, body []byte) (status int, err error) {
	err = c.call(ctx, c.posts, http.MethodPost, address, http.Header{"Content-Type": {contentType}}, body, func(r *http.Response) error {
		status = r.StatusCode
		return nil
	})
	return status, err
}

func (c *Client) call(ctx context.Context, places *lane, method, address string, header http.Header, body []byte, read func(*http.Response) error) error {
	ctx, over := c.observe.Begin(ctx, method)
	err := c.exchange(ctx, places, method, address, header, body, read)
	over(err)
	return err
}

// exchange does one request. What keeps it from an answer is logged here and nowhere else.
func (c *Client) exchange(ctx context.Context, places *lane, method, address string, header http.Header, body []byte, read func(*http.Response) error) error {
	u, err := c.Check(address)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	leave, err := places.enter(ctx, u.Host)
	if err != nil {
		return c.failed(ctx, u, ErrUnreachable, err)
	}
	defer leave()
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return ErrAddress
	}
	req.Header = header
	req.Header.Set("User-Agent", "signet")
	c.annotate(ctx, req.Header)
	client := c.secure
	if u.Scheme == "http" {
		client = c.plain
	}
	answer, err := client.Do(req)
	if err != nil {
		return c.failed(ctx, u, ErrUnreachable, err)
	}
	defer answer.Body.Close()
	err = read(answer)
	if err == nil {
		err = ctx.Err() // a server that is cut off may end its answer as if it were whole
	}
	if err != nil {
		return c.failed(ctx, u, ErrAnswer, err)
	}
	return nil
}

// failed writes the cause down, without the address's path and query.
func (c *Client) failed(ctx context.Context, u *url.URL, kind, cause error) error {
	var wrapped *url.Error
	if errors.As(cause, &wrapped) {
		cause = wrapped.Err // its text has the whole address
	}
	c.log.WarnContext(ctx, "a call to an address of a client failed", "host", u.Host, "kind", kind.Error(), "cause", cause.Error())
	return kind
}

// Check says whether an address can be called at all, as far as its text tells: https with
// a host, and nothing that only hides where it leads. It asks nobody.
func (c *Client) Check(address string) (*url.URL, error) {
	if len(address) > maxURL || strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' }) {
		return nil, ErrAddress
	}
	u, err := url.Parse(address)
	if err != nil || u.Opaque != "" || u.Hostname() == "" || u.User != nil || strings.Contains(address, "#") {
		return nil, ErrAddress
	}
	host := u.Hostname()
	literal, err := netip.ParseAddr(host)
	isLiteral := err == nil
	port, portOK := portOf(u.Port())
	switch {
	case !portOK || strings.ContainsAny(host, "%*") || strings.HasSuffix(u.Host, ":"):
		return nil, ErrAddress
	case isLiteral && literal.Is4In6():
		return nil, ErrAddress // another spelling, which nobody needs
	case !isLiteral && !hasLetter(host):
		return nil, ErrAddress // 127.1, 2130706433: some resolvers take these for addresses
	}
	switch u.Scheme {
	case "https":
	case "http":
		if !c.guard.loopback || !(host == "localhost" || isLiteral && literal.IsLoopback()) {
			return nil, ErrAddress
		}
	default:
		return nil, ErrAddress
	}
	if isLiteral && u.Scheme == "https" && c.guardSecure(netip.AddrPortFrom(literal, port)) != nil {
		return nil, ErrAddress
	}
	return u, nil
}

// hasLetter tells names from numbers: the last label of a name of the Internet is never
// a number, decimal, octal or 0x… (RFC 3696 §2, WHATWG URL "ends in a number").
func hasLetter(host string) bool {
	host = strings.TrimSuffix(host, ".")
	last := host[strings.LastIndexByte(host, '.')+1:]
	if strings.HasPrefix(last, "0x") || strings.HasPrefix(last, "0X") {
		return false
	}
	return strings.ContainsFunc(last, func(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' })
}
