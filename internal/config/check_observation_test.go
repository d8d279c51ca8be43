package config_test

import (
	"strings"
	"testing"
)

// OPS-03: metrics are not for the public, and an address of a collector holds no password.
func TestCheck_OPS03_Metrics(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"metrics_listen: 9464": `metrics_listen: "9464" is not host:port`,
		"listen: 127.0.0.1:8080\nmetrics_listen: 127.0.0.1:8080": `metrics_listen: is the address of "listen"`,
		"metrics_listen: id.example.com:9464":                    "metrics_listen: \"id.example.com\" is not an IP address",
		"traces_endpoint: collector:4318":                        "traces_endpoint: is not an address like",
		"traces_endpoint: grpc://127.0.0.1:4317":                 "traces_endpoint: is not an address like",
		"traces_endpoint: http://u:hunter2@127.0.0.1:4318":       "traces_endpoint: must not contain a user name or password",
		"traces_endpoint: 'http://127.0.0.1:4318?key=hunter2'":   "traces_endpoint: must end with its path",
		"traces_percent: 101":                                    "traces_percent: 101 is not between 1 and 100",
		"traces_percent: 0":                                      "traces_percent: \"0\" is not a whole number above 0",
		"traces_sources: [0.0.0.0/0]":                            "traces_sources: \"0.0.0.0/0\" contains everybody",
		"traces_sources: [collector]":                            "traces_sources: \"collector\" is neither an address nor a prefix",
	} {
		_, err := load(t, minimal+text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	for text, loose := range map[string]bool{
		"metrics_listen: 127.0.0.1:9464": false, "metrics_listen: '[::1]:9464'": false, "metrics_listen: localhost:9464": false,
		"metrics_listen: ':9464'": true, "metrics_listen: 10.0.0.2:9464": true,
		"traces_endpoint: https://collector.example.com/otlp": false, "": false,
	} {
		c, err := load(t, minimal+text)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if got := strings.Join(c.Loosened(), "\n"); strings.Contains(got, "metrics_listen") != loose {
			t.Errorf("%q: %q", text, got)
		}
	}
}
