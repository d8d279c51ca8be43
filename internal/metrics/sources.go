package metrics

import (
	"maps"
	"slices"
	"time"
)

// Sources are asked when somebody reads the metrics.
type Sources struct {
	Now           func() time.Time
	Ready         func() map[string]bool // by part
	Keys          func() []Key
	Pools         func() []Pool // of the database
	Followers     func() (following, refused int)
	RevocationLog func() (epoch string, position int64, confirmed time.Time)
	HashesWaiting func() int
	HashesRefused func() int64
	Connections   func() Connections
}

// Key is a signing key that is published.
type Key struct {
	Alg, State string
	Since      time.Time // that it is in this state
}

// Pool is connections to the database.
type Pool struct {
	Name                string
	Size, Busy, Waiting int
}

// Connections are those of the public listener.
type Connections struct {
	Open               int
	Displaced, Refused int64
}

// oldestKeys returns one key for each algorithm and state.
func (s Sources) oldestKeys() []Key {
	type place struct{ alg, state string }
	oldest := map[place]Key{}
	for _, k := range s.Keys() {
		at := place{k.Alg, k.State}
		if old, there := oldest[at]; !there || k.Since.Before(old.Since) {
			oldest[at] = k
		}
	}
	return slices.Collect(maps.Values(oldest))
}
