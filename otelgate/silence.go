package otelgate

import (
	"context"
	"reflect"
	"sync/atomic"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// silence remembers of each signal that its provider gave nothing to record with,
// so that not every crash needs to ask it: that would cost more than the crash.
// What gave nothing may have been the placeholder of a global provider, which is
// alive once that is set; so at the end of each hold it is looked whether one was,
// and the silence is over then. At a start, which may follow a crash at once, it is
// looked for one of traces alone: that is most often set with the others, and to
// look for all would cost more than all else here. Safe for concurrent use.
type silence struct {
	globals                  atomic.Pointer[globals] // when it was last looked; nil if they cannot be compared
	traces, metrics, records atomic.Bool
}

// globals are the global providers.
type globals struct {
	traces  trace.TracerProvider
	metrics metric.MeterProvider
	logs    log.LoggerProvider
}

// listen ends the silence if a global provider was set since.
func (s *silence) listen() {
	if g := s.globals.Load(); g == nil ||
		g.traces != otel.GetTracerProvider() || g.metrics != otel.GetMeterProvider() || g.logs != otel.GetLoggerProvider() {
		s.end()
	}
}

// glance ends the silence if a global provider of traces was set since.
func (s *silence) glance() {
	if g := s.globals.Load(); g == nil || g.traces != otel.GetTracerProvider() {
		s.end()
	}
}

func (s *silence) end() {
	g := &globals{otel.GetTracerProvider(), otel.GetMeterProvider(), otel.GetLoggerProvider()}
	if !reflect.ValueOf(*g).Comparable() {
		g = nil
	}
	s.globals.Store(g)
	s.traces.Store(false)
	s.metrics.Store(false)
	s.records.Store(false)
}

// traced reports whether a crash may be traced. A tracer tells only by its spans:
// if one is none, that is the silence.
func (o *Observer) traced() bool { return !o.silent.traces.Load() }

// measured reports whether there is anything to measure with.
func (o *Observer) measured() bool { return !o.silent.metrics.Load() && o.measures() }

func (o *Observer) measures() (yes bool) {
	o.guard(&o.metricFault, func() { yes = o.metrics.enabled(context.Background()) })
	o.silent.metrics.Store(!yes)
	return yes
}

// logged reports whether a record would go anywhere.
func (o *Observer) logged(ctx context.Context, r *record) bool {
	return !o.silent.records.Load() && o.logs(ctx, r)
}

// logs asks the logger, which may change its mind at any time, unless it is one
// that never does anything.
func (o *Observer) logs(ctx context.Context, r *record) (yes bool) {
	o.guard(&o.logFault, func() {
		yes = o.logger.Enabled(ctx, log.EnabledParameters{Severity: r.severity, EventName: r.name})
	})
	o.silent.records.Store(!yes && idle(o.logger))
	return yes
}

// idle reports whether the logger is one of OpenTelemetry's API: the no-op, or the
// placeholder of the global one.
func idle(l log.Logger) bool {
	t := reflect.TypeOf(l)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.PkgPath() == "go.opentelemetry.io/otel/log/noop" || t.PkgPath() == "go.opentelemetry.io/otel/internal/global"
}
