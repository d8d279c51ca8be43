package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/signet-id/signet/verify/internal/strictjson"
)

// Limits on answers that are read as a whole.
const (
	maxDocument  = 256 << 10
	fetchTimeout = 10 * time.Second
)

// ownClient copies a client without what does not fit: redirects, cookies, and a time
// limit that would end the feed.
func ownClient(c *http.Client) *http.Client {
	if c == nil {
		c = &http.Client{}
	}
	return &http.Client{
		Transport:     c.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// get asks at an address and returns the answer if it is 200 and of one of the types.
func (v *Verifier) get(ctx context.Context, address, lastEventID string, types ...string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header["Accept"] = types
	req.Header.Set("Accept-Encoding", "identity") // no answer that grows while it is read
	if lastEventID != "" {
		req.Header.Set("Last-Event-ID", lastEventID)
	}
	resp, err := v.client.Do(req)
	if err != nil {
		return nil, err
	}
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch {
	case resp.StatusCode != http.StatusOK:
		err = fmt.Errorf("status %d", resp.StatusCode)
	case err != nil || !slices.Contains(types, kind):
		err = errors.New("wrong content type")
	default:
		return resp, nil
	}
	resp.Body.Close()
	return nil, err
}

// fetch returns a document of limited size.
func (v *Verifier) fetch(ctx context.Context, address string, types ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	resp, err := v.get(ctx, address, "", types...)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	doc, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument+1))
	switch {
	case err != nil:
		return nil, err
	case len(doc) > maxDocument:
		return nil, errors.New("document too long")
	}
	return doc, nil
}

// discover returns the address of the issuer's keys (OpenID Connect Discovery §4). The
// document must be the issuer's own: §4.3, compared byte for byte.
func (v *Verifier) discover(ctx context.Context) (string, error) {
	doc, err := v.fetch(ctx, v.issuer+"/.well-known/openid-configuration", "application/json")
	if err != nil {
		return "", err
	}
	var issuer, keys string
	err = strictjson.Object(doc, func(name, value []byte) (err error) {
		switch string(name) {
		case "issuer":
			issuer, err = strictjson.String(value)
		case "jwks_uri":
			keys, err = strictjson.String(value)
		}
		return named(name, err)
	})
	if err != nil {
		return "", err
	}
	if issuer != v.issuer {
		// A document may say anything, at any length.
		return "", fmt.Errorf("the document is of another issuer: it is of %.200q, and verify.New was given %q: both must be spelled alike", issuer, v.issuer)
	}
	if v.keySetURL != "" {
		return v.keySetURL, nil
	}
	if err := checkURL(keys); err != nil {
		return "", fmt.Errorf("jwks_uri: %w", err)
	}
	// An issuer elsewhere has nothing to name on this machine: its document must not make
	// this program call there, nor take keys from whoever listens.
	if overTLS(v.issuer) && !overTLS(keys) {
		return "", errors.New("jwks_uri: must be https, as the issuer is")
	}
	return keys, nil
}

func overTLS(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https"
}
