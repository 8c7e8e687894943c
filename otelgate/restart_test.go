package otelgate_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/holdfast-go/holdfast/otelgate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// TestRestartSpanContext tells that a run knows the trace of the restart that
// began it, and has no current span of it.
func TestRestartSpanContext(t *testing.T) {
	tel := newTelemetry()
	var seen []trace.SpanContext
	other := tel.observer() // a second one, of which the first must not take the traces for its own
	err := supervise.Run(t.Context(), func(ctx context.Context) error {
		seen = append(seen, otelgate.RestartSpanContext(ctx))
		if trace.SpanContextFromContext(ctx).IsValid() {
			t.Error("the run has a current span")
		}
		if len(seen) == 3 {
			return nil
		}
		return errBoom
	}, atOnce, supervise.WithObserver(tel.observer()), supervise.WithObserver(other), quiet)
	roots := tel.ended(t, "restart")
	if err != nil || len(roots) != 4 || len(tel.ended(t, "crash")) != 4 {
		t.Fatalf("%v; %d roots", err, len(roots))
	}
	known := map[trace.SpanID]bool{}
	for _, root := range roots {
		known[root.SpanContext().SpanID()] = true
	}
	if seen[0].IsValid() || !known[seen[1].SpanID()] || !known[seen[2].SpanID()] || seen[1].Equal(seen[2]) {
		t.Errorf("the runs see %v", seen)
	}
	if otelgate.RestartSpanContext(t.Context()).IsValid() {
		t.Error("it is valid outside a run")
	}
}

// TestRestartSpanContextOfAnother tells that a run which no crash of its task began has
// none, though there was a crash before.
func TestRestartSpanContextOfAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tel, zero := newTelemetry(), time.Now()
		s := supervise.New("s", quiet, second, supervise.WithStrategy(supervise.OneForAll), supervise.WithObserver(tel.observer()))
		var mu sync.Mutex
		var valid []string
		run := func(name string, crashes map[uint64]bool) func(context.Context) error {
			return func(ctx context.Context) error {
				info, _ := supervise.FromContext(ctx)
				if otelgate.RestartSpanContext(ctx).IsValid() {
					mu.Lock()
					valid = append(valid, fmt.Sprint(name, info.Run))
					mu.Unlock()
				}
				if crashes[info.Run] {
					time.Sleep(time.Second)
					return errBoom
				}
				return waits(ctx)
			}
		}
		s.Add("a", run("a", map[uint64]bool{1: true}))
		s.Add("b", run("b", map[uint64]bool{2: true, 3: true}))
		_ = s.Run(until(t, 5500*time.Millisecond))
		// a crashes at 1 s, b at 3 and 5 s.
		check(t, "runs after a crash of their own", valid, "a2", "b3")
		check(t, "traces", tel.picture(t, zero),
			"restart s/a 1s–2s restarted", "  crash 1s Error: boom", "  backing off 1s–2s elapsed",
			"restart s/b 3s–4s restarted", "  crash 3s Error: boom", "  backing off 3s–4s elapsed",
			"restart s/b 5s–5.5s shutdown", "  crash 5s Error: boom", "  backing off 5s–5.5s shutdown")
		check(t, "restarts", tel.series(t, "holdfast.task.restarts"), "2", "2")
		check(t, "tasks", tel.series(t, "holdfast.task.count"), "0")
	})
}

// idHandler writes the trace of each record, as slog bridges find it.
type idHandler struct {
	slog.Handler
	mu    sync.Mutex
	lines []string
}

func (*idHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h *idHandler) Handle(ctx context.Context, r slog.Record) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, fmt.Sprint(r.Message, " ", trace.SpanContextFromContext(ctx).SpanID()))
	return nil
}

// TestSlog tells that what supervise logs of a crash is in its trace.
func TestSlog(t *testing.T) {
	tel, h := newTelemetry(), &idHandler{}
	_ = supervise.Run(t.Context(), times(1, errBoom), atOnce, supervise.WithObserver(tel.observer()), supervise.WithLogger(slog.New(h)))
	root, none := tel.ended(t, "restart")[0].SpanContext().SpanID(), trace.SpanID{}
	check(t, "records", h.lines, fmt.Sprint("task started ", none), fmt.Sprint("task crashed ", root),
		fmt.Sprint("task started ", none), fmt.Sprint("task ended ", none))
}

// TestSlogAttributes tells that a handler which knows nothing of traces writes the
// ids, too, of what is about a crash and of nothing else.
func TestSlogAttributes(t *testing.T) {
	tel := newTelemetry()
	var out strings.Builder
	h := slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})
	_ = supervise.Run(t.Context(), times(1, errBoom), supervise.WithPolicy(policy.Constant(time.Nanosecond)),
		supervise.WithObserver(tel.observer()), supervise.WithLogger(slog.New(h)))
	root := tel.ended(t, "restart")[0].SpanContext()
	var lines []string
	for line := range strings.Lines(out.String()) {
		var r struct {
			Msg     string
			TraceID string `json:"trace_id"`
			SpanID  string `json:"span_id"`
			Flags   string `json:"trace_flags"`
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprint(r.Msg, "; ", r.TraceID, " ", r.SpanID, " ", r.Flags))
	}
	ids := fmt.Sprint("; ", root.TraceID(), " ", root.SpanID(), " 01")
	check(t, "records", lines, "task started;   ", "task crashed"+ids, "hold ended"+ids, "task started;   ", "task ended;   ")
}

// TestSampling tells that what is not sampled has no spans, and that the run knows
// so.
func TestSampling(t *testing.T) {
	tel := newTelemetry()
	tel.opts = append(tel.opts, otelgate.WithTracerProvider(sdktrace.NewTracerProvider(
		sdktrace.WithSpanProcessor(tel.spans), sdktrace.WithSampler(sdktrace.NeverSample()))))
	var last trace.SpanContext
	_ = supervise.Run(t.Context(), func(ctx context.Context) error {
		if last = otelgate.RestartSpanContext(ctx); last.IsValid() {
			return nil
		}
		return errBoom
	}, atOnce, supervise.WithObserver(tel.observer()), quiet)
	if len(tel.spans.Started()) != 0 || !last.IsValid() || last.IsSampled() {
		t.Errorf("%d spans; the run sees %v", len(tel.spans.Started()), last)
	}
	if r := tel.logs.records; len(r) != 1 || r[0].TraceID() != last.TraceID() || r[0].TraceFlags().IsSampled() {
		t.Errorf("records: %v", r)
	}
}

// TestParentIsNone tells that a trace of a crash is its own, also below a span of the
// caller.
func TestParentIsNone(t *testing.T) {
	tel := newTelemetry()
	ctx, span := sdktrace.NewTracerProvider().Tracer("test").Start(t.Context(), "main")
	defer span.End()
	_ = supervise.Run(ctx, times(1, errBoom), atOnce, supervise.WithObserver(tel.observer()), quiet)
	root := tel.ended(t, "restart")[0]
	if root.Parent().IsValid() || root.SpanContext().TraceID() == span.SpanContext().TraceID() {
		t.Errorf("the trace is below %v", root.Parent())
	}
}

// TestAbandoned is of a run that does not end: of a task that stops, and of one
// that goes on without it.
func TestAbandoned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tel, zero := newTelemetry(), time.Now()
		obs := supervise.WithObserver(tel.observer())
		free := make(chan struct{})
		hangs := func(context.Context) error { <-free; return nil }
		_ = supervise.Run(until(t, time.Second), hangs, supervise.WithStopTimeout(time.Second), obs, quiet)
		check(t, "tasks", tel.series(t, "holdfast.task.count"), "0")
		s := supervise.New("s", quiet, second, obs)
		s.Add("x", hangs, supervise.WithWatchdog(time.Second), supervise.WithStopTimeout(time.Second))
		_ = s.Run(until(t, 4*time.Second))
		check(t, "abandoned", tel.series(t, "holdfast.task.abandoned_runs"), "1", "1")
		check(t, "tasks", tel.series(t, "holdfast.task.count"), "0")
		check(t, "traces", tel.picture(t, zero),
			"restart s/x 4s–6s shutdown", "  crash 4s Error: supervise: the watchdog saw no sign of life", "  backing off 4s–5s elapsed")
		check(t, "logs", tel.logs.bodies(), "ERROR holdfast.run.abandoned", "ERROR holdfast.run.abandoned", "WARN holdfast.task.crash watchdog")
		if stack := logAttr(tel.logs.records[0], "code.stacktrace"); !strings.Contains(stack, "TestAbandoned") {
			t.Errorf("stack: %q", stack)
		}
		close(free)
		synctest.Wait()
	})
}
