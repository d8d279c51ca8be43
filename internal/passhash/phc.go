package passhash

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Params are the costs of argon2id (RFC 9106 §3.1).
type Params struct {
	Memory  uint32 `json:"memory_kib"` // KiB
	Time    uint32 `json:"time"`       // passes
	Threads uint8  `json:"threads"`    // lanes; we make 1 only
}

// Default is the least that is ever used: 19 MiB, 2 passes, 1 lane.
var Default = Params{Memory: 19 << 10, Time: 2, Threads: 1}

var cheap = Params{Memory: 8, Time: 1, Threads: 1}

// Caps on what a stored string may ask for: whoever can write one row must not be able to
// keep a core busy for minutes. The dearest possible takes about a second.
const (
	maxMemory  = 256 << 10 // KiB
	maxTime    = 16
	maxThreads = 4
	maxWork    = 1 << 20 // KiB × passes
	maxSalt    = 64
	minSalt    = 8
	maxTag     = 64
	minTag     = 16
	maxPHC     = 256 // bytes of the whole string
)

// ErrFormat says that a stored hash is not an argon2id PHC string, or one of forbidden cost.
var ErrFormat = errors.New("not an argon2id hash that can be checked")

// atLeast raises each cost to that of min, and cuts it to the caps.
func (p Params) atLeast(floor Params) Params {
	p.Memory = min(max(p.Memory, floor.Memory), maxMemory)
	p.Time = min(max(p.Time, floor.Time), maxTime, maxWork/p.Memory)
	p.Threads = 1
	return p
}

// work is what time is proportional to.
func (p Params) work() uint32 { return p.Memory * p.Time }

// minus returns parameters that do the work by which p exceeds q, if it does.
func (p Params) minus(q Params) (Params, bool) {
	if q.work() >= p.work() {
		return Params{}, false
	}
	rest := Params{Memory: (p.work() - q.work()) / p.Time, Time: p.Time, Threads: 1}
	return rest, rest.Memory >= 8
}

type stored struct {
	params    Params
	salt, tag []byte
}

// weakerThan reports whether a new hash with parameters p would be a better one. A hash
// that costs more altogether and no less memory stays.
func (s stored) weakerThan(p Params) bool {
	return s.params.work() < p.work() || s.params.Memory < p.Memory ||
		s.params.Threads != 1 || len(s.salt) < saltLen || len(s.tag) < tagLen
}

// format writes the PHC string.
func format(p Params, salt, tag []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", p.Memory, p.Time, p.Threads,
		b64.EncodeToString(salt), b64.EncodeToString(tag))
}

// parse reads exactly what format writes, with any salt, tag and cost within the caps.
func parse(phc string) (stored, error) {
	if len(phc) > maxPHC {
		return stored{}, ErrFormat
	}
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v=19" {
		return stored{}, ErrFormat
	}
	p, ok := parseParams(parts[3])
	if !ok {
		return stored{}, ErrFormat
	}
	salt, okSalt := decode(parts[4], minSalt, maxSalt)
	tag, okTag := decode(parts[5], minTag, maxTag)
	if !okSalt || !okTag {
		return stored{}, ErrFormat
	}
	return stored{params: p, salt: salt, tag: tag}, nil
}

func parseParams(s string) (Params, bool) {
	fields := strings.Split(s, ",")
	if len(fields) != 3 {
		return Params{}, false
	}
	m, okM := number(fields[0], "m=", maxMemory)
	t, okT := number(fields[1], "t=", maxTime)
	p, okP := number(fields[2], "p=", maxThreads)
	if !okM || !okT || !okP || m < 8*p || m*t > maxWork { // RFC 9106 §3.1: m ≥ 8p
		return Params{}, false
	}
	return Params{Memory: m, Time: t, Threads: uint8(p)}, true
}

// number reads prefix and a decimal number from 1 to limit, without sign or leading zero.
func number(s, prefix string, limit uint32) (uint32, bool) {
	digits, ok := strings.CutPrefix(s, prefix)
	if !ok || digits == "" || digits[0] < '1' || digits[0] > '9' {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 32)
	return uint32(n), err == nil && uint32(n) <= limit
}

// decode reads canonical base64 without padding.
func decode(s string, least, most int) ([]byte, bool) {
	b64 := base64.RawStdEncoding
	b, err := b64.DecodeString(s)
	return b, err == nil && len(b) >= least && len(b) <= most && b64.EncodeToString(b) == s
}
