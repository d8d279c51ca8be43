//go:build unix && !linux

package measure

import (
	"time"

	"golang.org/x/sys/unix"
)

// CPU returns the processor time that this process has used, in microseconds of
// resolution.
func CPU() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		panic(err) // RUSAGE_SELF is always there
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
