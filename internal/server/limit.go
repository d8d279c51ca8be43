package server

import (
	"container/list"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"sync"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/metrics"
)

// One network may have a 16th of all connections, a site (IPv6) a quarter: with the
// default of 10,000, 625 people of one company who log in within the same two minutes.
// More than that only costs the network its own idle connections.
const (
	networkShare = 16
	leastNetwork = 8 // a browser opens six
)

// limit bounds the connections that are open at the same time (DOS-01): each costs memory
// and a file, and strangers open them. Peers that named reports are those of the
// operator, like proxies: they share only the bound of all.
func limit(ln net.Listener, most int, named func(netip.Addr) bool) *limitListener {
	l := &limitListener{
		Listener: ln, named: named, perNetwork: max(most/networkShare, leastNetwork),
		all: &pool{max: most}, pools: map[string]*pool{},
	}
	l.changed.L = &l.mu
	return l
}

// isNamed: the operator's own peers.
func (s *Server) isNamed(addr netip.Addr) bool {
	return s.proxies.Contains(addr) || s.services.Contains(addr)
}

// limitListener gives up the connection that has been idle longest when a newcomer needs
// its place. Only if none is idle, newcomers wait: one of a crowded network in vain.
type limitListener struct {
	net.Listener
	named      func(netip.Addr) bool
	perNetwork int

	mu      sync.Mutex // guards all below, and the states of connections
	changed sync.Cond  // a connection became idle or ended, or the listener closed
	closed  bool
	all     *pool
	pools   map[string]*pool // by network and site; only those with connections

	displaced, refused int64 // connections, since the start
}

// pool is connections that share a bound.
type pool struct {
	name string // empty for all
	max  int
	open int
	idle list.List // of *limitedConn, the one that has been idle longest first
}

// Accept returns connections that found a place.
func (l *limitListener) Accept() (net.Conn, error) {
	for {
		raw, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &limitedConn{Conn: raw, listener: l}
		admitted, err := l.admit(c)
		if admitted {
			return c, nil
		}
		_ = raw.Close()
		if err != nil {
			return nil, err
		}
	}
}

// admit finds a place for a connection. It begins idle: nothing was heard of it yet.
func (l *limitListener) admit(c *limitedConn) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	crowd := l.crowd(c.RemoteAddr())
	for _, p := range crowd {
		if p.open >= p.max && !p.giveUp() {
			l.refused++
			l.forget(crowd...)
			return false, nil
		}
	}
	for l.all.open >= l.all.max && !l.all.giveUp() {
		if l.closed {
			return false, net.ErrClosed
		}
		l.changed.Wait()
	}
	// Only now: giving up may have emptied a pool, which is forgotten then.
	c.pools = append(l.crowd(c.RemoteAddr()), l.all)
	c.places = make([]*list.Element, len(c.pools))
	for _, p := range c.pools {
		p.open++
	}
	c.setIdle(true)
	return true, nil
}

// crowd is the pools of a peer's network and site.
func (l *limitListener) crowd(peer net.Addr) []*pool {
	addr, ok := peer.(*net.TCPAddr)
	if !ok || l.named(addr.AddrPort().Addr().Unmap()) {
		return nil
	}
	network := idp.Network(addr.AddrPort().Addr())
	pools := []*pool{l.pool(network, l.perNetwork)}
	if site := idp.Site(network); site != "" {
		pools = append(pools, l.pool(site, idp.SiteFactor*l.perNetwork))
	}
	return pools
}

func (l *limitListener) pool(name string, most int) *pool {
	p := l.pools[name]
	if p == nil {
		p = &pool{name: name, max: most}
		l.pools[name] = p
	}
	return p
}

// forget drops pools without connections.
func (l *limitListener) forget(pools ...*pool) {
	for _, p := range pools {
		if p.open == 0 && p.name != "" {
			delete(l.pools, p.name)
		}
	}
}

// giveUp closes the connection that has been idle longest, if one is.
func (p *pool) giveUp() bool {
	front := p.idle.Front()
	if front == nil {
		return false
	}
	c := front.Value.(*limitedConn)
	c.listener.displaced++
	c.release()
	_ = c.Conn.Close()
	return true
}

// connState hears from the server what a connection does.
func (l *limitListener) connState(conn net.Conn, state http.ConnState) {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	c, ok := conn.(*limitedConn)
	if !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch state {
	case http.StateActive, http.StateHijacked:
		c.setIdle(false)
	case http.StateIdle:
		c.setIdle(true)
	}
}

// stats counts connections; without a listener there are none.
func (l *limitListener) stats() metrics.Connections {
	if l == nil {
		return metrics.Connections{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return metrics.Connections{Open: l.all.open, Displaced: l.displaced, Refused: l.refused}
}

func (l *limitListener) Close() error {
	l.mu.Lock()
	l.closed = true
	l.changed.Broadcast()
	l.mu.Unlock()
	return l.Listener.Close()
}

// limitedConn is a connection with a place. Its listener's mu guards its fields.
type limitedConn struct {
	net.Conn
	listener *limitListener
	pools    []*pool         // nil when it has given back its place
	places   []*list.Element // in the idle list of each pool; nil while it is busy
}

func (c *limitedConn) setIdle(idle bool) {
	for i, p := range c.pools {
		if c.places[i] != nil {
			p.idle.Remove(c.places[i])
			c.places[i] = nil
		}
		if idle {
			c.places[i] = p.idle.PushBack(c)
		}
	}
	if idle {
		c.listener.changed.Broadcast()
	}
}

// release gives the place back, once.
func (c *limitedConn) release() {
	c.setIdle(false)
	for _, p := range c.pools {
		p.open--
	}
	c.listener.forget(c.pools...)
	c.pools = nil
	c.listener.changed.Broadcast()
}

func (c *limitedConn) Close() error {
	c.listener.mu.Lock()
	c.release()
	c.listener.mu.Unlock()
	return c.Conn.Close()
}
