package passhash_test

import (
	"testing"
	"time"

	"github.com/signet-id/signet/internal/passhash"
)

// machine pretends to be a computer that does one KiB and pass in the given time.
func machine(cfg passhash.Config, perKiB time.Duration) *passhash.Hasher {
	now := time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	cfg.Now = func() time.Time { return now }
	h := passhash.New(cfg)
	h.Pretend(func(p passhash.Params) { now = now.Add(perKiB * time.Duration(p.Memory*p.Time)) })
	return h
}

// Calibration aims at 100 ms within the budget and never lowers anything.
func TestCalibrate(t *testing.T) {
	t.Parallel()
	raised := passhash.Params{Memory: 64 << 10, Time: 3, Threads: 1}
	for _, tt := range []struct {
		name   string
		cfg    passhash.Config
		perKiB time.Duration
		want   passhash.Params
	}{
		{"usual machine", passhash.Config{Workers: 1}, time.Microsecond, passhash.Params{Memory: 48 << 10, Time: 2, Threads: 1}},
		{"fast machine, little memory", passhash.Config{Workers: 4, MemoryBudget: 128 << 20}, 500 * time.Nanosecond, passhash.Params{Memory: 32 << 10, Time: 6, Threads: 1}},
		{"very fast machine", passhash.Config{Workers: 1}, time.Nanosecond, passhash.Params{Memory: 256 << 10, Time: 4, Threads: 1}},
		{"slow machine", passhash.Config{Workers: 1}, 20 * time.Microsecond, passhash.Default},
		{"just right", passhash.Config{Workers: 1}, 2300 * time.Nanosecond, passhash.Default},
		{"stopped clock", passhash.Config{Workers: 1}, 0, passhash.Default},
		{"raised before, slow today", passhash.Config{Workers: 1, Params: raised}, 20 * time.Microsecond, raised},
		{"raised before, smaller budget today", passhash.Config{Workers: 8, MemoryBudget: 32 << 20, Params: raised}, 100 * time.Nanosecond, passhash.Params{Memory: 64 << 10, Time: 15, Threads: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := machine(tt.cfg, tt.perKiB)
			got, err := h.Calibrate(t.Context())
			if err != nil || got != tt.want {
				t.Errorf("%+v, %v; want %+v", got, err, tt.want)
			}
			if h.Params() != got {
				t.Error("not used from then on")
			}
		})
	}
}

// On a real machine it must end and give what can be stored and read again.
func TestCalibrate_Real(t *testing.T) {
	t.Parallel()
	h := passhash.New(passhash.Config{Now: time.Now})
	p, err := h.Calibrate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if again := passhash.New(passhash.Config{Params: p}).Params(); again != p {
		t.Errorf("%+v stored, %+v read", p, again)
	}
}
