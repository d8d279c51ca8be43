//go:build unix

package server

import (
	"net"
	"os"
)

// listenPrivate opens a socket that only this user may connect to. The mode is set
// before anybody can: the directory is this user's alone.
func listenPrivate(path string) (net.Listener, error) {
	ln, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		_ = ln.Close()
		return nil, err
	}
	return ln, nil
}
