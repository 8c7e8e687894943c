package otelgate

import (
	"context"
	"errors"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/holdfast-go/holdfast/gate"
)

// The bounds of the histograms' buckets, in seconds: a run may last for weeks, a
// hold for hours.
var (
	runBuckets  = []float64{0.001, 0.01, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14400, 86400, 604800}
	holdBuckets = []float64{0.01, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 900, 3600, 14400}
)

// instruments are all there is to measure with. The zero value is not ready.
type instruments struct {
	tasks     metric.Int64UpDownCounter
	phases    metric.Int64UpDownCounter
	crashes   metric.Int64Counter
	restarts  metric.Int64Counter
	holds     metric.Int64Counter
	giveUps   metric.Int64Counter
	abandoned metric.Int64Counter
	dropped   metric.Int64Counter
	stores    metric.Int64Counter
	runs      metric.Float64Histogram
	held      metric.Float64Histogram
}

// newInstruments returns the instruments; for those that cannot be made, ones that
// do nothing, and why.
func newInstruments(m metric.Meter) (in instruments, err error) {
	counter := func(name, unit, text string) metric.Int64Counter {
		c, e := m.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(text))
		if err = errors.Join(err, e); c == nil {
			return noop.Int64Counter{}
		}
		return c
	}
	upDown := func(name, unit, text string) metric.Int64UpDownCounter {
		c, e := m.Int64UpDownCounter(name, metric.WithUnit(unit), metric.WithDescription(text))
		if err = errors.Join(err, e); c == nil {
			return noop.Int64UpDownCounter{}
		}
		return c
	}
	histogram := func(name, text string, bounds []float64) metric.Float64Histogram {
		h, e := m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(text), metric.WithExplicitBucketBoundaries(bounds...))
		if err = errors.Join(err, e); h == nil {
			return noop.Float64Histogram{}
		}
		return h
	}
	in.tasks = upDown("holdfast.task.count", "{task}", "Tasks that are supervised, or gates that are watched.")
	in.phases = upDown("holdfast.task.phase", "{task}", "Tasks whose gate is in the phase.")
	in.crashes = counter("holdfast.task.crashes", "{crash}", "Runs that ended with an error, a panic or runtime.Goexit.")
	in.restarts = counter("holdfast.task.restarts", "{restart}", "Starts of a task after its first.")
	in.holds = counter("holdfast.task.holds", "{hold}", "Holds that began.")
	in.giveUps = counter("holdfast.task.give_ups", "{task}", "Tasks that the policy gave up on.")
	in.abandoned = counter("holdfast.task.abandoned_runs", "{run}", "Runs that were asked to end and did not in time.")
	in.dropped = counter("holdfast.observer.dropped_events", "{event}", "Events that were not observed, as there were too many.")
	in.stores = counter("holdfast.store.failures", "{failure}", "Times that the store of gates began to fail, or another process had saved one.")
	in.runs = histogram("holdfast.run.duration", "How long runs lasted.", runBuckets)
	in.held = histogram("holdfast.hold.duration", "How long holds lasted.", holdBuckets)
	return in, err
}

// noInstruments measure nothing.
func noInstruments() instruments {
	in, _ := newInstruments(noop.Meter{})
	return in
}

// enabled reports whether any of them records anything.
func (in *instruments) enabled(ctx context.Context) bool {
	return in.crashes.Enabled(ctx) || in.tasks.Enabled(ctx) || in.phases.Enabled(ctx) || in.restarts.Enabled(ctx) ||
		in.holds.Enabled(ctx) || in.giveUps.Enabled(ctx) || in.abandoned.Enabled(ctx) || in.dropped.Enabled(ctx) ||
		in.stores.Enabled(ctx) || in.runs.Enabled(ctx) || in.held.Enabled(ctx)
}

// phaseNames are the values of holdfast.gate.phase.
var phaseNames = func() (names [gate.Paused + 1]string) {
	for p := range names {
		names[p] = strings.ReplaceAll(gate.Phase(p).String(), " ", "_")
	}
	return names
}()

// series are the attributes with which one task is measured, each set made once.
type series struct {
	attrs   []attribute.KeyValue
	plain   metric.MeasurementOption
	phases  [gate.Paused + 1]metric.MeasurementOption
	errors  map[string]metric.MeasurementOption
	endings map[ending]metric.MeasurementOption
}

// ending is how a hold in a phase ended.
type ending struct {
	phase   gate.Phase
	outcome outcome
}

func newSeries(attrs []attribute.KeyValue) series { return series{attrs: attrs} }

// with returns the set of the task's attributes and these.
func (s *series) with(attrs ...attribute.KeyValue) metric.MeasurementOption {
	all := append(append(make([]attribute.KeyValue, 0, len(s.attrs)+len(attrs)), s.attrs...), attrs...)
	return metric.WithAttributeSet(attribute.NewSet(all...))
}

func (s *series) task() metric.MeasurementOption {
	if s.plain == nil {
		s.plain = s.with()
	}
	return s.plain
}

func (s *series) phase(p gate.Phase) metric.MeasurementOption {
	if s.phases[p] == nil {
		s.phases[p] = s.with(phaseKey.String(phaseNames[p]))
	}
	return s.phases[p]
}

func (s *series) error(kind string) metric.MeasurementOption {
	o, ok := s.errors[kind]
	if !ok {
		if s.errors == nil {
			s.errors = map[string]metric.MeasurementOption{}
		}
		o = s.with(semconv.ErrorTypeKey.String(kind))
		s.errors[kind] = o
	}
	return o
}

func (s *series) ending(e ending) metric.MeasurementOption {
	o, ok := s.endings[e]
	if !ok {
		if s.endings == nil {
			s.endings = map[ending]metric.MeasurementOption{}
		}
		o = s.with(phaseKey.String(phaseNames[e.phase]), holdOutcomeKey.String(string(e.outcome)))
		s.endings[e] = o
	}
	return o
}

// seconds is what durations are measured in.
func seconds(d time.Duration) float64 { return max(d, 0).Seconds() }
