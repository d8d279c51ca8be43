package server_test

import (
	"testing"
	"time"

	"github.com/signet-id/signet/internal/server"
)

func TestNextSweep(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		rows, failures int
		want           time.Duration
	}{
		{0, 0, time.Minute},
		{1, 0, 50 * time.Millisecond},
		{5000, 0, 50 * time.Millisecond},
		{0, 1, time.Second},
		{500, 2, 2 * time.Second},
		{0, 7, 64 * time.Second},
		{0, 1_000_000, 64 * time.Second},
	} {
		if got := server.NextSweep(tt.rows, tt.failures); got != tt.want {
			t.Errorf("%d rows, %d failures: %v, want %v", tt.rows, tt.failures, got, tt.want)
		}
	}
}
