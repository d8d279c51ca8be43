package store

// Pool is connections that callers share.
type Pool struct {
	Name    string // "write", "read"
	Size    int
	Busy    int
	Waiting int // callers
}

// Pools says how much of the database's connections is in use, for metrics.
func (db *DB) Pools() []Pool { return db.engine.pools() }

// pools: one connection writes, for all who wait at that moment.
func (s *sqliteDB) pools() []Pool {
	write := Pool{Name: "write", Size: 1, Waiting: len(s.queue)}
	if s.working.Load() {
		write.Busy = 1
	}
	return []Pool{write, {Name: "read", Size: cap(s.readers), Busy: cap(s.readers) - len(s.readers), Waiting: int(s.waiting.Load())}}
}

func (p *postgresDB) pools() []Pool {
	return []Pool{p.writers.stats("write"), p.readers.stats("read")}
}

func (s *slots) stats(name string) Pool {
	return Pool{Name: name, Size: cap(s.free), Busy: cap(s.free) - len(s.free), Waiting: int(s.waiting.Load())}
}
