package server

import "net"

// listenPrivate opens a socket in the data directory, whose permissions it inherits.
func listenPrivate(path string) (net.Listener, error) { return net.Listen("unix", path) }
