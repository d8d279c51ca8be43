package accel

import (
	"github.com/signet-id/signet/verify/accel/internal/edwards"
	"github.com/signet-id/signet/verify/accel/internal/p256"
)

// buildFor makes the table of a key that was used often enough, if it is still in use and
// there is room.
func (a *Accelerator) buildFor(k *key) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reserve(k)
}

// reserve starts the building of a table. The mutex is held.
func (a *Accelerator) reserve(k *key) {
	if a.keys[k.name] != k || k.counted || k.failed || a.tables >= maxTables {
		return
	}
	k.counted = true
	a.tables++
	go a.build(k)
}

// buildWaiting makes tables for keys that were used often enough when there was no room.
// The mutex is held.
func (a *Accelerator) buildWaiting() {
	for _, k := range a.keys {
		if k.uses.Load() >= usesBeforeTable {
			a.reserve(k)
		}
	}
}

// drop takes a key out of use. Whoever still holds its Check is referred to the standard
// library. The mutex is held.
func (a *Accelerator) drop(k *key) {
	k.edwards.Store(nil)
	k.p256.Store(nil)
	if k.counted {
		k.counted = false
		a.tables--
	}
}

// build takes one to three milliseconds of one processor.
func (a *Accelerator) build(k *key) {
	a.building.Lock()
	defer a.building.Unlock()
	var (
		ed *edwards.Table
		ec *p256.Table
		ok bool
	)
	if k.kind == ed25519Kind {
		ed, ok = edwards.NewTable(k.encoded())
	} else {
		ec, ok = p256.NewTable(k.encoded())
	}
	if a.finish(k, ed, ec, ok) {
		// No lock is held that Use waits for: a log may be slow, or ask for the Status.
		s := a.Status()
		a.log.Info("accel: a key has a table", "keys", s.Keys, "tables", s.Tables, "bytes", s.Bytes)
	}
}

// finish gives a key its table, and reports whether it did.
func (a *Accelerator) finish(k *key, ed *edwards.Table, ec *p256.Table, ok bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case !k.counted: // dropped meanwhile
		return false
	case !ok: // an Ed25519 key that is no point: it verifies nothing, and has no table
		k.failed = true
		a.drop(k)
		return false
	}
	k.edwards.Store(ed)
	k.p256.Store(ec)
	return true
}
