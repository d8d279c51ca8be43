//go:build unix

package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
)

// proxy stands between servers and PostgreSQL, and loses answers to COMMIT.
type proxy struct {
	ln     net.Listener
	target string

	swallow atomic.Int64 // so many answers to COMMIT are lost from now on
	cut     atomic.Int64 // so many COMMITs are lost before they arrive
	lost    atomic.Int64 // so many were

	mu    sync.Mutex // guards open
	open  map[net.Conn]struct{}
	ended sync.WaitGroup
}

const socketName = ".s.PGSQL.5432"

// newProxy listens in a directory of its own for what goes to the socket in another.
func newProxy(dir, targetDir string) (*proxy, error) {
	ln, err := net.Listen("unix", filepath.Join(dir, socketName))
	if err != nil {
		return nil, err
	}
	p := &proxy{ln: ln, target: filepath.Join(targetDir, socketName), open: map[net.Conn]struct{}{}}
	p.ended.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			p.ended.Go(func() { p.serve(c) })
		}
	})
	return p, nil
}

func (p *proxy) close() error {
	err := p.ln.Close()
	p.mu.Lock()
	for c := range p.open {
		_ = c.Close()
	}
	p.mu.Unlock()
	p.ended.Wait()
	return err
}

func (p *proxy) enter(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[c] = struct{}{}
}

func (p *proxy) leave(c net.Conn) {
	_ = c.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, c)
}

// serve carries one connection until either side ends it.
func (p *proxy) serve(client net.Conn) {
	p.enter(client)
	defer p.leave(client)
	server, err := net.Dial("unix", p.target)
	if err != nil {
		return
	}
	p.enter(server)
	defer p.leave(server)
	var deaf atomic.Bool // the next that the server says is the answer to lose
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer client.Close()
		defer server.Close()
		p.answers(client, server, &deaf)
	}()
	_ = p.questions(client, server, &deaf) // how it ended is seen by both sides
	if !deaf.Load() {
		_ = server.Close()
	}
	<-done
}

// answers copies what the server says.
func (p *proxy) answers(client io.Writer, server io.Reader, deaf *atomic.Bool) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := server.Read(buffer)
		if deaf.Load() {
			if n > 0 {
				p.lost.Add(1)
			}
			return
		}
		if n > 0 {
			if _, err := client.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

var errCut = errors.New("cut")

// commitNames recognises COMMIT among the messages of a connection: a statement is prepared
// under a name and then bound by it (PostgreSQL's documentation, "Message Formats").
type commitNames map[string]bool

func (c commitNames) has(message []byte) bool {
	fields := bytes.SplitN(message[5:], []byte{0}, 3)
	if len(fields) < 2 {
		return false
	}
	switch message[0] {
	case 'P': // Parse: name of the statement, its text
		c[string(fields[0])] = string(fields[1]) == "COMMIT"
	case 'B': // Bind: name of the portal, name of the statement
		return c[string(fields[1])]
	}
	return false
}

// questions copies what the client says, message by message, and looks for COMMIT.
func (p *proxy) questions(client io.Reader, server io.Writer, deaf *atomic.Bool) error {
	in, out := bufio.NewReader(client), bufio.NewWriter(server)
	head := 4 // the first message has no type
	known, last := commitNames{}, false
	for {
		message := make([]byte, head)
		if _, err := io.ReadFull(in, message); err != nil {
			return err
		}
		length := binary.BigEndian.Uint32(message[head-4:])
		if length < 4 || length > 64<<20 {
			return errors.New("not a message")
		}
		message = append(message, make([]byte, length-4)...)
		if _, err := io.ReadFull(in, message[head:]); err != nil {
			return err
		}
		commit := head == 5 && known.has(message)
		if commit && take(&p.cut) {
			p.lost.Add(1)
			return errCut
		}
		if commit && take(&p.swallow) {
			deaf.Store(true)
			last = true
		}
		if _, err := out.Write(message); err != nil {
			return err
		}
		over := last && message[0] == 'S' // Sync: the server works, and answers
		if in.Buffered() == 0 || over {
			if err := out.Flush(); err != nil {
				return err
			}
		}
		if over {
			return nil
		}
		head = 5
	}
}

// take takes one of a number, if there is one left.
func take(n *atomic.Int64) bool {
	for {
		have := n.Load()
		if have <= 0 {
			return false
		}
		if n.CompareAndSwap(have, have-1) {
			return true
		}
	}
}

// socketDir makes a directory whose path is short enough for a socket.
func socketDir() (string, error) { return os.MkdirTemp("/tmp", "pgproxy") }
