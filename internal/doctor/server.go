package doctor

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
	"syscall"

	"github.com/signet-id/signet/internal/admin"
)

// server: does it run, and is it well? If it does not, could it listen?
func (x *examination) server(ctx context.Context) {
	err := x.ask(ctx, http.MethodGet, "/probes/none", nil)
	switch {
	case err == nil || errors.Is(err, errRefused):
		x.running = true
	case errors.Is(err, fs.ErrPermission):
		x.warn("server", "run signet doctor as the server's user, or as root", "a server seems to run, but %s belongs to another user", x.cfg.AdminSocket())
		return
	default:
		x.listener()
		return
	}
	x.parts, err = Ready(ctx, x.cfg)
	if err != nil {
		x.problem("server", "look for the cause in its log; with log.level: debug it names each part", "the server runs, but %v", err)
		return
	}
	x.ok("server", "it runs and is ready at %s", x.cfg.Listen)
}

// listener: can the address be listened at?
func (x *examination) listener() {
	ln, err := net.Listen("tcp", x.cfg.Listen)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		x.problem("server", "stop that program, or choose another address with \"listen\" (if it is systemd's signet.socket, all is well: start signet.service)",
			"the server does not run, and another program listens at %s", x.cfg.Listen)
	case errors.Is(err, fs.ErrPermission):
		x.problem("server", "use a port above 1023, or deploy/signet.socket, or give the capability CAP_NET_BIND_SERVICE", "this user may not listen at %s", x.cfg.Listen)
	case err != nil:
		x.problem("server", "name an address of this machine in \"listen\", or none, like :8080", "nobody can listen at %s: %v", x.cfg.Listen, err)
	default:
		_ = ln.Close()
		x.ok("server", "it does not run; %s is free for it", x.cfg.Listen)
	}
}

// errRefused: a server answered, and did not do what it was asked.
var errRefused = errors.New("refused")

// ask talks to the running server through its administration socket.
func (x *examination) ask(ctx context.Context, method, path string, out any) error {
	client := &http.Client{Timeout: patience, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", x.cfg.AdminSocket())
		},
	}}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+admin.Host+path, bytes.NewReader(nil))
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("%w: %d", errRefused, res.StatusCode)
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(io.LimitReader(res.Body, 64<<10)).Decode(out)
}
