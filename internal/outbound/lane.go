package outbound

import (
	"context"
	"errors"
	"strings"
	"sync"
)

// How many calls run at the same time, by what they are for: strangers who name many slow
// addresses, under as many names as they like, use up the places of strangers (NET-01).
const (
	maxReads     = 32 // what clients of operators publish
	maxStrangers = 16 // what others publish
	maxPosts     = 32 // notices
	maxPerHost   = 4  // of each, to one host
)

var errBusy = errors.New("too many calls at the same time")

// lane is the places of one kind of call.
type lane struct {
	all chan struct{}

	mu    sync.Mutex // guards hosts and what is in them
	hosts map[string]*places
}

// places are those of one host.
type places struct {
	taken chan struct{}
	users int // who has one, or waits for one
}

func newLane(most int) *lane {
	return &lane{all: make(chan struct{}, most), hosts: map[string]*places{}}
}

// enter waits for a place. Who waits for a host that has all of its own takes none of the
// others'.
func (l *lane) enter(ctx context.Context, host string) (leave func(), err error) {
	host = strings.ToLower(host)
	p := l.join(host)
	select {
	case p.taken <- struct{}{}:
	case <-ctx.Done():
		l.part(host, p)
		return nil, errBusy
	}
	select {
	case l.all <- struct{}{}:
	case <-ctx.Done():
		<-p.taken
		l.part(host, p)
		return nil, errBusy
	}
	return func() {
		<-l.all
		<-p.taken
		l.part(host, p)
	}, nil
}

func (l *lane) join(host string) *places {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.hosts[host]
	if p == nil {
		p = &places{taken: make(chan struct{}, maxPerHost)}
		l.hosts[host] = p
	}
	p.users++
	return p
}

func (l *lane) part(host string, p *places) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.users--; p.users == 0 {
		delete(l.hosts, host)
	}
}
