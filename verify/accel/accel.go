package accel

import (
	"crypto/fips140"
	"log/slog"
	"os"
	"slices"
	"sync"

	"github.com/signet-id/signet/verify/accel/internal/edwards"
	"github.com/signet-id/signet/verify/accel/internal/p256"
	"github.com/signet-id/signet/verify/jose"
)

// When a key gets tables, and how many keys may have them.
const (
	usesBeforeTable = 50 // building costs about as much as so many verifications save
	maxTables       = 8
)

// Accelerator verifies with tables of the keys that are in use. It serves one key set at a
// time: give each verifier its own. Its methods may be called by many goroutines at once.
type Accelerator struct {
	off string // why it does nothing; "": it works
	log *slog.Logger

	mu     sync.Mutex
	keys   map[string]*key // in use, by what they are
	tables int             // of these keys, finished or being built

	building sync.Mutex // held while a table is built: one at a time
}

// Option changes how an Accelerator works.
type Option func(*Accelerator)

// Off leaves everything to the standard library.
func Off() Option { return func(a *Accelerator) { a.off = "switched off by the program" } }

// Logger sets where it reports why it does nothing, and which keys got tables. The default
// is nowhere.
func Logger(l *slog.Logger) Option {
	return func(a *Accelerator) {
		if l != nil {
			a.log = l
		}
	}
}

// New makes an accelerator and tests it. It does nothing, and Status says why, if Off is
// given, if SIGNET_ACCEL in the environment is off or anything but on, in FIPS 140 mode, whose module must do
// all cryptography, and if the test fails.
func New(opts ...Option) *Accelerator {
	a := &Accelerator{log: slog.New(slog.DiscardHandler), keys: map[string]*key{}}
	for _, opt := range opts {
		opt(a)
	}
	if a.off == "" {
		a.off = reasonToBeOff()
	}
	if a.off != "" {
		a.log.Warn("accel: signatures are left to the standard library", "reason", a.off)
	}
	return a
}

func reasonToBeOff() string {
	switch {
	case !slices.Contains([]string{"", "on"}, os.Getenv("SIGNET_ACCEL")): // a switch must not fail by its spelling
		return "SIGNET_ACCEL=" + os.Getenv("SIGNET_ACCEL")
	case fips140.Enabled():
		return "FIPS 140 mode"
	}
	if err := selfTest(); err != nil {
		return "self-test: " + err.Error()
	}
	return ""
}

// Use implements jose.Accelerator. Keys that are not named again lose their tables at
// once; those that are keep them. Keys of other algorithms get no Check.
func (a *Accelerator) Use(keys []*jose.Key) []jose.Check {
	checks := make([]jose.Check, len(keys))
	if a.off != "" {
		return checks
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	used := map[string]*key{}
	for i, k := range keys {
		name, kind := identify(k)
		if kind == none {
			continue
		}
		if used[name] == nil {
			if used[name] = a.keys[name]; used[name] == nil {
				used[name] = &key{kind: kind, name: name, accelerator: a}
			}
		}
		checks[i] = used[name].check()
	}
	for name, k := range a.keys {
		if used[name] == nil {
			a.drop(k)
		}
	}
	a.keys = used
	a.buildWaiting()
	return checks
}

// Status is what an Accelerator is doing.
type Status struct {
	Off    string // why it does nothing; "": it works
	Keys   int    // keys in use that may get tables
	Tables int    // keys that have tables
	Bytes  int    // of memory for these tables, and for those that all keys share
}

// Status returns what the accelerator is doing, for health pages and gauges.
func (a *Accelerator) Status() Status {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := Status{Off: a.off, Keys: len(a.keys)}
	if a.off == "" {
		s.Bytes = edwards.SharedBytes() + p256.SharedBytes() // made by the self-test
	}
	for _, k := range a.keys {
		if n := k.bytes(); n > 0 {
			s.Tables++
			s.Bytes += n
		}
	}
	return s
}
