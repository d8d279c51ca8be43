package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/admin"
	"github.com/signet-id/signet/internal/config"
	"github.com/spf13/cobra"
)

const maxAnswer = 40 << 20 // a bundle has at most 32 MiB

// api talks to a running server through its administration socket.
type api struct {
	socket string
	http   *http.Client
}

// apiError is what the server said when it did not do what it was asked.
type apiError struct {
	status  int
	message string
}

func (e *apiError) Error() string { return e.message }

const socketUsage = "administration socket of the server (default: admin.sock in its data_dir, or in ./signet-dev)"

// administration adds the flags of commands that talk to a server.
func (a *app) administration(cmd *cobra.Command) *cobra.Command {
	cmd.PersistentFlags().StringVar(&a.socket, "socket", "", socketUsage)
	cmd.PersistentFlags().BoolVar(&a.json, "json", false, "write JSON")
	group(cmd)
	return cmd
}

func (a *app) api() (*api, error) {
	socket, err := a.findSocket()
	if err != nil {
		return nil, err
	}
	return newAPI(socket), nil
}

func newAPI(socket string) *api {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", socket)
	}
	return &api{socket: socket, http: &http.Client{
		Timeout:       30 * time.Second,
		Transport:     &http.Transport{DialContext: dial, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// findSocket: the flag, else the configuration's, else that of a development server that
// was started here.
func (a *app) findSocket() (string, error) {
	if a.socket != "" {
		return a.socket, nil
	}
	cfg, err := config.Read(a.config, a.env)
	if err != nil {
		return "", err
	}
	socket, dev := cfg.AdminSocket(), filepath.Join(devDirectory, "admin.sock")
	if cfg.File == "" && !exists(socket) && exists(dev) {
		return dev, nil
	}
	return socket, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// call sends in as JSON, if it is not nil, and decodes the answer into out, if it is not nil.
func (c *api) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+admin.Host+path, body)
	if err != nil {
		return err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(req)
	if err != nil {
		return c.explain(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return c.explain(err)
	}
	if res.StatusCode/100 != 2 {
		return asAPIError(res.StatusCode, data)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(data, out)
}

func asAPIError(status int, data []byte) error {
	var e admin.Error
	if err := json.Unmarshal(data, &e); err != nil || e.Message == "" {
		return &apiError{status, fmt.Sprintf("the server answered %d", status)}
	}
	return &apiError{status, e.Message}
}

// explain says what to do when nobody answers.
func (c *api) explain(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), "connection refused"):
		return fmt.Errorf("no server is running: nobody listens at %s; start it with \"signet serve\" or \"signet dev\", or name another socket with --socket (that of \"signet dev\" is %s in the directory where it was started)",
			c.socket, filepath.Join(devDirectory, "admin.sock"))
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s belongs to the server's user: run this command as that user: %w", c.socket, fs.ErrPermission)
	}
	return err
}

// at joins the parts of a path, each escaped.
func at(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString("/" + url.PathEscape(p))
	}
	return b.String()
}
