package config

import (
	"cmp"
	"fmt"
	"strings"
)

// OTel is what OpenTelemetry's own variables say. Platforms set them in every container, so
// a value that does not fit is a warning, and not a reason to let nobody sign in.
type OTel struct {
	TracesURL string // used as it is; empty: none
	Service   string // empty: none
	Disabled  bool
	Ignored   []string // variables that do not count, and why; no values
}

// The variables, as the OpenTelemetry specification names them (Environment Variable
// Specification; OTLP Exporter Configuration).
const (
	otelDisabled       = "OTEL_SDK_DISABLED"
	otelService        = "OTEL_SERVICE_NAME"
	otelExporter       = "OTEL_TRACES_EXPORTER"
	otelEndpoint       = "OTEL_EXPORTER_OTLP_ENDPOINT"
	otelTracesEndpoint = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	otelProtocol       = "OTEL_EXPORTER_OTLP_PROTOCOL"
	otelTracesProtocol = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
	otelHeaders        = "OTEL_EXPORTER_OTLP_HEADERS"
	otelTracesHeaders  = "OTEL_EXPORTER_OTLP_TRACES_HEADERS"
)

// readOTel reads the variables; those that are for traces alone win.
func readOTel(vars map[string]string) (o OTel) {
	o.Service = vars[otelService]
	switch disabled := strings.ToLower(vars[otelDisabled]); disabled {
	case "", "false", "true":
		o.Disabled = disabled == "true"
	default: // it MUST count as false, and SHOULD be warned of
		o.ignore(otelDisabled, "is neither true nor false")
	}
	name := otelEndpoint
	if vars[otelTracesEndpoint] != "" {
		name = otelTracesEndpoint
	}
	if vars[name] == "" || o.Disabled {
		return o
	}
	switch vars[otelExporter] {
	case "", "otlp":
	case "none":
		return o
	default:
		o.ignore(otelExporter, "is not otlp, the only exporter that there is; no traces are sent")
		return o
	}
	protocol := cmp.Or(vars[otelTracesProtocol], vars[otelProtocol], "http/protobuf")
	if protocol != "http/protobuf" {
		o.ignore(name, "is for another protocol than http/protobuf, the only one that there is; no traces are sent; say traces_endpoint: http://HOST:4318")
		return o
	}
	if err := checkTracesEndpoint(vars[name]); err != nil {
		o.ignore(name, err.Error()+"; no traces are sent")
		return o
	}
	for _, header := range []string{otelHeaders, otelTracesHeaders} {
		if vars[header] != "" {
			o.ignore(header, "is not supported: no headers are added to traces")
		}
	}
	if o.TracesURL = vars[name]; name == otelEndpoint {
		o.TracesURL = tracesBelow(vars[name])
	}
	return o
}

func (o *OTel) ignore(name, why string) {
	o.Ignored = append(o.Ignored, fmt.Sprintf("%s %s", name, why))
}

// TracesURL is where traces go; empty: nowhere.
func (c Config) TracesURL() string {
	switch {
	case c.OTel.Disabled:
		return ""
	case c.TracesEndpoint != "":
		return tracesBelow(c.TracesEndpoint)
	}
	return c.OTel.TracesURL
}

func tracesBelow(base string) string { return strings.TrimRight(base, "/") + "/v1/traces" }
