package cli

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
)

// firstInherited is the number of the first file that systemd hands over (sd_listen_fds(3)).
const firstInherited = 3

// inherited returns the listener that systemd opened for us (socket activation); nil if it
// opened none.
func (a *app) inherited() (net.Listener, error) {
	if a.getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return nil, nil
	}
	if n := a.getenv("LISTEN_FDS"); n != "1" {
		return nil, fmt.Errorf("systemd hands over %s sockets; leave one ListenStream in signet.socket", n)
	}
	f := os.NewFile(firstInherited, "systemd socket")
	ln, err := net.FileListener(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("socket of systemd: %w", err)
	}
	if _, ok := ln.(*net.TCPListener); !ok {
		return nil, errors.Join(errors.New("the socket of systemd is not a TCP socket; give ListenStream a port"), ln.Close())
	}
	return ln, nil
}

// tellSystemd says how we are, if systemd wants to know (sd_notify(3)).
func (a *app) tellSystemd(state string) error {
	name := a.getenv("NOTIFY_SOCKET")
	if name == "" {
		return nil
	}
	c, err := net.Dial("unixgram", name)
	if err != nil {
		return fmt.Errorf("tell systemd: %w", err)
	}
	_, err = c.Write([]byte(state))
	return errors.Join(err, c.Close())
}

func (a *app) getenv(name string) string {
	for _, kv := range a.env {
		if value, ok := strings.CutPrefix(kv, name+"="); ok {
			return value
		}
	}
	return ""
}
