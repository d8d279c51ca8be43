package config_test

import (
	"strings"
	"testing"
)

// OpenTelemetry's variables are defaults; what does not fit of them is a warning without
// its value, and no traces.
func TestOTel(t *testing.T) {
	t.Parallel()
	const base, traces = "OTEL_EXPORTER_OTLP_ENDPOINT=http://10.0.0.5:4318", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=https://t.example/own/path"
	for _, tc := range []struct {
		name, text string
		env        []string
		url        string
		ignored    string // the beginning of the only warning
	}{
		{"nothing", "", nil, "", ""},
		{"empty", "", []string{"OTEL_EXPORTER_OTLP_ENDPOINT="}, "", ""},
		{"base", "", []string{base}, "http://10.0.0.5:4318/v1/traces", ""},
		{"base with a path", "", []string{base + "/otlp/"}, "http://10.0.0.5:4318/otlp/v1/traces", ""},
		{"as it is", "", []string{traces}, "https://t.example/own/path", ""},
		{"the one for traces wins", "", []string{base, traces}, "https://t.example/own/path", ""},
		{"the key wins", "traces_endpoint: http://127.0.0.1:4318", []string{base, traces}, "http://127.0.0.1:4318/v1/traces", ""},
		{"our variable wins", "", []string{base, "SIGNET_TRACES_ENDPOINT=http://127.0.0.1:4318/"}, "http://127.0.0.1:4318/v1/traces", ""},
		{"off", "traces_endpoint: http://127.0.0.1:4318", []string{base, "OTEL_SDK_DISABLED=True"}, "", ""},
		{"not off", "", []string{base, "OTEL_SDK_DISABLED=false"}, "http://10.0.0.5:4318/v1/traces", ""},
		{"neither", "", []string{base, "OTEL_SDK_DISABLED=1"}, "http://10.0.0.5:4318/v1/traces", "OTEL_SDK_DISABLED is neither"},
		{"no exporter", "", []string{base, "OTEL_TRACES_EXPORTER=none"}, "", ""},
		{"otlp", "", []string{base, "OTEL_TRACES_EXPORTER=otlp"}, "http://10.0.0.5:4318/v1/traces", ""},
		{"another exporter", "", []string{base, "OTEL_TRACES_EXPORTER=zipkin"}, "", "OTEL_TRACES_EXPORTER is not otlp"},
		{"gRPC", "", []string{base, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"}, "", "OTEL_EXPORTER_OTLP_ENDPOINT is for another protocol"},
		{"gRPC, but not for traces", "", []string{base, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf"}, "http://10.0.0.5:4318/v1/traces", ""},
		{"JSON", "", []string{traces, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/json"}, "", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is for another protocol"},
		{"gRPC, with the key", "traces_endpoint: http://127.0.0.1:4318", []string{"OTEL_EXPORTER_OTLP_PROTOCOL=grpc"}, "http://127.0.0.1:4318/v1/traces", ""},
		{"no scheme", "", []string{"OTEL_EXPORTER_OTLP_ENDPOINT=hunter2:4317"}, "", "OTEL_EXPORTER_OTLP_ENDPOINT is not an address"},
		{"a password", "", []string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://u:hunter2@h/"}, "", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT must not contain"},
		{"headers", "", []string{base, "OTEL_EXPORTER_OTLP_HEADERS=api-key=hunter2"}, "http://10.0.0.5:4318/v1/traces", "OTEL_EXPORTER_OTLP_HEADERS is not supported"},
	} {
		c, err := load(t, minimal+tc.text, tc.env...)
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		ignored := c.OTel.Ignored
		if c.TracesURL() != tc.url || len(ignored) > 1 || (len(ignored) == 1) != (tc.ignored != "") ||
			!strings.HasPrefix(strings.Join(ignored, ""), tc.ignored) || strings.Contains(strings.Join(ignored, ""), "hunter2") {
			t.Errorf("%s: %q %q", tc.name, c.TracesURL(), ignored)
		}
	}
	c, err := load(t, minimal, "OTEL_SERVICE_NAME=accounts")
	if err != nil || c.OTel.Service != "accounts" || c.TracesURL() != "" {
		t.Errorf("%+v %v", c.OTel, err)
	}
}
