package otelgate

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	nolog "go.opentelemetry.io/otel/log/noop"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	notrace "go.opentelemetry.io/otel/trace/noop"

	"github.com/holdfast-go/holdfast/supervise"
)

// ScopeName is the name of the instrumentation scope of all that is told.
const ScopeName = "github.com/holdfast-go/holdfast/otelgate"

// Version is the version of the instrumentation scope.
const Version = "0.1.0"

// Observer tells OpenTelemetry what happens to tasks and gates. It is a
// [supervise.Observer], for any number of tasks; [Observer.Watch] is for a gate
// without supervise. It must be made with [New]. Safe for concurrent use.
type Observer struct {
	attributes []attribute.KeyValue
	tracer     trace.Tracer
	logger     log.Logger
	metrics    instruments
	everyone   metric.MeasurementOption // for what is measured of all tasks together
	kinds      kinds

	silent silence
	open   atomic.Int64 // restarts that have not ended

	traceFault, metricFault, logFault sync.Once // told of

	mu    sync.Mutex
	tasks map[any]*task // by Event.Key; those that are counted, or have a restart open
}

// New returns an observer. It never fails: a provider that panics, or gives nil or
// an error, is told to [otel.Handle] once, and goes unused as far as need be.
func New(opts ...Option) *Observer {
	c := newConfig(opts)
	o := &Observer{
		attributes: c.attributes,
		tracer:     notrace.Tracer{},
		logger:     nolog.Logger{},
		metrics:    noInstruments(),
		everyone:   metric.WithAttributeSet(attribute.NewSet(c.attributes...)),
		tasks:      map[any]*task{},
	}
	o.silent.end()
	o.guard(&o.traceFault, func() {
		if t := c.tracers.Tracer(ScopeName, trace.WithInstrumentationVersion(Version), trace.WithSchemaURL(semconv.SchemaURL)); t != nil {
			o.tracer = t
		}
	})
	o.guard(&o.logFault, func() {
		if l := c.loggers.Logger(ScopeName, log.WithInstrumentationVersion(Version), log.WithSchemaURL(semconv.SchemaURL)); l != nil {
			o.logger = l
		}
	})
	o.guard(&o.metricFault, func() {
		m := c.meters.Meter(ScopeName, metric.WithInstrumentationVersion(Version), metric.WithSchemaURL(semconv.SchemaURL))
		if m == nil {
			return
		}
		in, err := newInstruments(m)
		o.metrics = in
		if err != nil {
			o.metricFault.Do(func() { complain(err) })
		}
	})
	return o
}

// guard calls f, which uses a provider, and contains what it panics with.
func (o *Observer) guard(told *sync.Once, f func()) {
	defer o.contain(told)
	f()
}

// contain is to be deferred around a call of a provider. It tells of the first
// panic.
func (o *Observer) contain(told *sync.Once) {
	if v := recover(); v != nil {
		told.Do(func() { complain(fmt.Errorf("otelgate: a provider panicked; it stays, this is reported once: %v", v)) })
	}
}

func (o *Observer) traces(f func()) { o.guard(&o.traceFault, f) }

// complain tells the user's error handler, and puts up with one that panics.
func complain(err error) {
	defer func() { _ = recover() }()
	otel.Handle(err)
}

// Enabled reports whether there is anyone to tell of events of a kind. It is for
// package supervise, as are the methods below.
func (o *Observer) Enabled(k supervise.Kind) bool {
	switch k {
	case supervise.KindCrash, supervise.KindGiveUp, supervise.KindAbandon:
		return o.traced() || o.measured() || o.logged(context.Background(), &crashLooping)
	case supervise.KindStart:
		o.silent.glance()
	case supervise.KindRelease:
		o.silent.listen()
	case supervise.KindStore:
		return o.measured()
	case supervise.KindReturn, supervise.KindFault, supervise.KindWait:
		return false
	}
	return o.open.Load() > 0 || o.measured()
}

// Annotate begins the trace of a crash.
func (o *Observer) Annotate(ctx context.Context, e supervise.Event) context.Context {
	begun, r := o.begin(ctx, clip(e.Task, MaxName), &crash{
		at: e.At, run: e.Run, streak: e.Streak, before: o.restartOf(e.Context()),
	})
	if r == nil {
		return nil
	}
	return begun
}

// Observe tells of an event.
func (o *Observer) Observe(e supervise.Event) {
	if e.Dropped > 0 {
		o.guard(&o.metricFault, func() { o.metrics.dropped.Add(context.Background(), int64(e.Dropped)) })
	}
	if e.Kind == supervise.KindStore {
		o.storeFails(e.Err)
	}
	if e.Kind < supervise.KindStart || e.Kind > supervise.KindAbandon {
		return
	}
	t := o.task(e)
	defer t.mu.Unlock()
	t.observe(e)
	if t.gone || t.restart == nil && !t.counted {
		t.leave(e.At)
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.tasks[e.Key()] == t {
			delete(o.tasks, e.Key())
		}
	}
}

// storeFails measures that a store does, or with nil that it does not any more.
func (o *Observer) storeFails(err error) {
	if err == nil || !o.measured() {
		return
	}
	f := failureOf(err)
	attrs := append([]attribute.KeyValue{semconv.ErrorTypeKey.String(o.kinds.admit(f.kind))}, o.attributes...)
	o.guard(&o.metricFault, func() { o.metrics.stores.Add(context.Background(), 1, metric.WithAttributes(attrs...)) })
}

// task returns that of an event, which may be new, locked.
func (o *Observer) task(e supervise.Event) *task {
	for {
		o.mu.Lock()
		t := o.tasks[e.Key()]
		if t == nil {
			t = o.newTask(e.Task)
			o.tasks[e.Key()] = t
		}
		o.mu.Unlock()
		if t.mu.Lock(); !t.left {
			return t
		}
		t.mu.Unlock() // another event has ended it just now
	}
}
