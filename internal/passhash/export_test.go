package passhash

// Call is one argon2id computation.
type Call struct {
	Password  string
	Params    Params
	TagLength uint32
}

// Parse reads a PHC string and returns its costs.
func Parse(phc string) (Params, error) {
	s, err := parse(phc)
	return s.params, err
}

// Observe calls f before each computation.
func (h *Hasher) Observe(f func(Call)) {
	next := h.argon2
	h.argon2 = func(password, salt []byte, time, memory uint32, threads uint8, keyLen uint32) []byte {
		f(Call{string(password), Params{Memory: memory, Time: time, Threads: threads}, keyLen})
		return next(password, salt, time, memory, threads, keyLen)
	}
}

// Pretend replaces the computation by f.
func (h *Hasher) Pretend(f func(Params)) {
	h.argon2 = func(_, _ []byte, time, memory uint32, threads uint8, keyLen uint32) []byte {
		f(Params{Memory: memory, Time: time, Threads: threads})
		return make([]byte, keyLen)
	}
}

// Workers is how many hashes are computed at the same time.
func (h *Hasher) Workers() int { return cap(h.slots) }

// Rewrite reads a PHC string and writes it again.
func Rewrite(phc string) string {
	s, _ := parse(phc)
	return format(s.params, s.salt, s.tag)
}
