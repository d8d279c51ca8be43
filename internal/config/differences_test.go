package config_test

import (
	"slices"
	"testing"

	"github.com/signet-id/signet/internal/config"
)

// Differences names keys as the file does, each once, and nothing that is alike.
func TestConfig_Differences(t *testing.T) {
	t.Parallel()
	a := config.Config{PublicURL: "https://id.example.com", TrustedProxies: []string{"127.0.0.1"}}.WithDefaults()
	b := a
	b.File, b.TrustedProxies = "elsewhere", []string{"127.0.0.1"}
	if got := a.Differences(b); len(got) != 0 {
		t.Errorf("alike: %v", got)
	}
	b.TrustedProxies, b.SMTP.Host, b.Limits.DrainDelay = []string{"10.0.0.2"}, "smtp.example.com", 1
	if got, want := a.Differences(b), []string{"trusted_proxies", "smtp.host", "limits.drain_delay"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
