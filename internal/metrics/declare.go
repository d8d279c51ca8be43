package metrics

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// declared notes a metric for the reference. The help that Prometheus shows has no markup.
func (m *Metrics) declared(a About, kind string, labels []string) (name, help string) {
	a.Kind, a.Labels = kind, labels
	m.about = append(m.about, a)
	return a.Name, strings.ReplaceAll(a.Help, "`", "")
}

func (m *Metrics) histograms(buckets []float64, a About, labels ...string) *prometheus.HistogramVec {
	name, help := m.declared(a, "histogram", labels)
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	m.registry.MustRegister(v)
	return v
}

func (m *Metrics) counters(a About, labels ...string) *prometheus.CounterVec {
	name, help := m.declared(a, "counter", labels)
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	m.registry.MustRegister(v)
	return v
}

func (m *Metrics) counter(a About) prometheus.Counter { return m.counters(a).WithLabelValues() }

// emitter takes a value and those of its labels.
type emitter func(value float64, labels ...string)

// gauges are read when somebody looks.
func (m *Metrics) gauges(a About, read func(emitter), labels ...string) {
	m.looked(a, "gauge", prometheus.GaugeValue, read, labels)
}

func (m *Metrics) gauge(a About, read func() float64) {
	m.gauges(a, func(emit emitter) { emit(read()) })
}

// total is a counter that somebody else keeps.
func (m *Metrics) total(a About, read func() float64) {
	m.looked(a, "counter", prometheus.CounterValue, func(emit emitter) { emit(read()) }, nil)
}

func (m *Metrics) looked(a About, kind string, value prometheus.ValueType, read func(emitter), labels []string) {
	name, help := m.declared(a, kind, labels)
	m.registry.MustRegister(look{prometheus.NewDesc(name, help, labels, nil), value, read})
}

// look is a metric that is read when somebody looks.
type look struct {
	desc  *prometheus.Desc
	value prometheus.ValueType
	read  func(emitter)
}

func (l look) Describe(ch chan<- *prometheus.Desc) { ch <- l.desc }

func (l look) Collect(ch chan<- prometheus.Metric) {
	l.read(func(value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(l.desc, l.value, value, labels...)
	})
}
