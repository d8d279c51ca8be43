package doctor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/signet-id/signet/internal/config"
)

// Ready asks the listener of the configuration, on this machine, for its parts (/readyz).
// The error names those that are not ready; without parts nobody has answered.
func Ready(ctx context.Context, cfg config.Config) (parts map[string]bool, err error) {
	address, err := LocalURL(cfg)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/readyz?verbose", nil)
	if err != nil {
		return nil, err
	}
	// The certificate is the public name's, and this is the machine itself: nothing secret is
	// sent, and nothing but a yes or no is believed.
	client := &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("no server answers at %s: %w", cfg.Listen, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 4096))
	if err != nil {
		return nil, err
	}
	parts = map[string]bool{}
	var not []string
	for line := range strings.Lines(string(body)) {
		if name, state, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			parts[name] = state == "ok"
			if state != "ok" {
				not = append(not, name)
			}
		}
	}
	switch {
	case res.StatusCode == http.StatusOK && len(parts) > 0:
		return parts, nil
	case res.StatusCode == http.StatusServiceUnavailable && len(not) > 0:
		return parts, errors.New("not ready: " + strings.Join(not, ", "))
	}
	return nil, fmt.Errorf("%s answers %d, and not as signet does: another program listens there", cfg.Listen, res.StatusCode)
}

// LocalURL is where the listener of the configuration is reached from this machine.
func LocalURL(cfg config.Config) (string, error) {
	host, port, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		return "", fmt.Errorf("listen: %w", err)
	}
	switch ip := net.ParseIP(host); {
	case host == "" || ip != nil && ip.IsUnspecified() && ip.To4() != nil:
		host = "127.0.0.1"
	case ip != nil && ip.IsUnspecified():
		host = "::1"
	}
	scheme := "http"
	if cfg.TLSCert != "" {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(host, port), nil
}
