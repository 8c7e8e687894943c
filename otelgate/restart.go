package otelgate

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/holdfast-go/holdfast/supervise"
)

// restart is the trace of a crash: its root span lasts from the crash to the next
// start. It is begun on the goroutine of the task, before the next run begins, and
// ended by whoever is told that it has; the context of the crash's events leads
// from the one to the other. Of a restart that has ended no more is kept than
// where its root is.
type restart struct {
	o     *Observer
	at    trace.SpanContext // of the root
	began time.Time
	run   uint64                     // that crashed; 0 if it has no number
	root  atomic.Pointer[trace.Span] // until it is ended
}

// restartKey is for the restart of a context, whoever has made it; observerKey is
// for that of one observer.
type (
	restartKey  struct{}
	observerKey struct{ o *Observer }
)

// restartContext has a restart, and its root as the current span.
type restartContext struct {
	context.Context
	restart *restart
}

// Value returns what the context has for the key.
func (c restartContext) Value(key any) any {
	switch k := key.(type) {
	case restartKey:
		return c.restart
	case observerKey:
		if k.o == c.restart.o {
			return c.restart
		}
	}
	return c.Context.Value(key)
}

// restartOf returns the observer's restart that a context has, or nil.
func (o *Observer) restartOf(ctx context.Context) *restart {
	r, _ := ctx.Value(observerKey{o}).(*restart)
	return r
}

// RestartSpanContext returns where the trace of the restart is that began the run
// which ctx belongs to, for the function to link its own spans to:
//
//	ctx, span := tracer.Start(ctx, "connect", trace.WithLinks(trace.Link{SpanContext: otelgate.RestartSpanContext(ctx)}))
//
// It is not valid in a run that does not follow a crash, such as the first, and
// where crashes are not traced. The root span of the trace may have ended, and
// spans of a run do not belong below it. Safe for concurrent use.
func RestartSpanContext(ctx context.Context) trace.SpanContext {
	info, ok := supervise.FromContext(ctx)
	if !ok {
		return trace.SpanContext{}
	}
	r, ok := info.Context().Value(restartKey{}).(*restart)
	if !ok || r.run+1 != info.Run {
		return trace.SpanContext{}
	}
	return r.at
}

// crash is what a trace begins with.
type crash struct {
	at     time.Time
	run    uint64
	streak int
	before *restart // that of the crash before; nil if there was none
}

// begin starts the root span of a crash. It returns nil if that is not traced.
func (o *Observer) begin(ctx context.Context, task string, c *crash) (context.Context, *restart) {
	if !o.traced() {
		return ctx, nil
	}
	attrs := append([]attribute.KeyValue{taskKey.String(task)}, o.attributes...)
	if c.run > 0 {
		attrs = append(attrs, runKey.Int64(int64(c.run)))
	}
	if c.streak > 0 {
		attrs = append(attrs, streakKey.Int(c.streak))
	}
	opts := []trace.SpanStartOption{trace.WithNewRoot(), trace.WithTimestamp(c.at), trace.WithAttributes(attrs...)}
	if c.before != nil && c.before.at.IsSampled() {
		opts = append(opts, trace.WithLinks(trace.Link{SpanContext: c.before.at}))
	}
	r := &restart{o: o, began: c.at, run: c.run}
	o.traces(func() {
		_, span := o.tracer.Start(ctx, "restart "+task, opts...)
		if span != nil {
			r.at = span.SpanContext()
			r.root.Store(&span)
		}
	})
	if !r.at.IsValid() {
		o.silent.traces.Store(true)
		return ctx, nil
	}
	o.open.Add(1)
	return restartContext{logContext(trace.ContextWithSpanContext(ctx, r.at), r.at), r}, r
}

// logContext has what is logged about the crash name its span, as OpenTelemetry has
// it for logs that are not its own.
func logContext(ctx context.Context, at trace.SpanContext) context.Context {
	return supervise.WithLogAttrs(ctx, slog.String("trace_id", at.TraceID().String()),
		slog.String("span_id", at.SpanID().String()), slog.String("trace_flags", at.TraceFlags().String()))
}

// over reports whether the root span has ended. There is none in a nil restart.
func (r *restart) over() bool { return r == nil || r.root.Load() == nil }

// end ends the root span, unless it has been already.
func (r *restart) end(at time.Time, how outcome) {
	if r == nil {
		return
	}
	root := r.root.Swap(nil)
	if root == nil {
		return
	}
	r.o.open.Add(-1)
	r.o.traces(func() {
		(*root).SetAttributes(restartOutcomeKey.String(string(how)))
		if how == gaveUp {
			(*root).SetStatus(codes.Error, "the policy gave up")
		}
		(*root).End(trace.WithTimestamp(endOf(r.began, at)))
	})
}

// instant is how long spans of an instant last: Jaeger takes one that ends when it
// began for that of a clock gone wrong, and says so in it.
const instant = time.Microsecond

// endOf is when a span ends that began at from, and whose end is said to be at to.
func endOf(from, to time.Time) time.Time {
	if least := from.Add(instant); to.Before(least) {
		return least
	}
	return to
}

// child starts a span below the root of the restart in ctx, or returns nil.
func (o *Observer) child(ctx context.Context, at time.Time, name string, attrs []attribute.KeyValue) (span trace.Span) {
	o.traces(func() {
		_, span = o.tracer.Start(ctx, name, trace.WithTimestamp(at), trace.WithAttributes(attrs...))
	})
	return span
}

// finish ends a span that began at from; a nil one is none.
func (o *Observer) finish(span trace.Span, from, to time.Time, attrs ...attribute.KeyValue) {
	if span == nil {
		return
	}
	o.traces(func() {
		span.SetAttributes(attrs...)
		span.End(trace.WithTimestamp(endOf(from, to)))
	})
}
