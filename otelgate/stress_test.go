package otelgate_test

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	nolog "go.opentelemetry.io/otel/log/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/exemplar"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/holdfast-go/holdfast/otelgate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// TestExactlyOnce is of a thousand tasks that crash at the same instants: the
// crashes that the tasks count, the spans, the records and the metric are as many,
// and each chain of links is whole.
func TestExactlyOnce(t *testing.T) {
	const tasks, crashes = 1000, 5
	synctest.Test(t, func(t *testing.T) {
		tel := newTelemetry()
		s := supervise.New("s", quiet, supervise.WithObserver(tel.observer()),
			supervise.WithPolicy(policy.Compose(policy.Exponential(time.Second, 2, time.Minute), policy.CrashLoop(4, time.Hour, time.Hour))))
		var counted atomic.Int64
		for i := range tasks {
			s.Add(fmt.Sprint(i), func(ctx context.Context) error {
				if info, _ := supervise.FromContext(ctx); info.Run > crashes {
					return nil
				}
				counted.Add(1)
				return errBoom
			})
		}
		_ = s.Run(until(t, 3*time.Hour))
		if n := counted.Load(); n != tasks*crashes {
			t.Fatalf("the tasks count %d crashes", n)
		}
		check(t, "dropped", tel.series(t, "holdfast.observer.dropped_events"))
		for name, want := range map[string]int{"restart ": 5, "crash looping": 1, "backing off": 4, "crash": 6} {
			if n := len(tel.ended(t, name)); n != want*tasks {
				t.Errorf("%d spans %q", n, name)
			}
		}
		if n := len(tel.logs.records); n != tasks*crashes {
			t.Errorf("%d records", n)
		}
		roots, linked := map[string]int{}, map[string]int{}
		for _, r := range tel.ended(t, "restart ") {
			roots[r.Name()]++
			if n := fmt.Sprint(roots[r.Name()]); attr(r, "holdfast.run.number") != n {
				t.Errorf("%s: run %s is told as the %sth crash", r.Name(), attr(r, "holdfast.run.number"), n)
			}
			linked[r.Name()] += len(r.Links())
		}
		for name, n := range linked {
			if n != crashes-1 {
				t.Errorf("%s has %d links", name, n)
			}
		}
		total := sum(tel, t, "holdfast.task.crashes")
		if total != tasks*crashes {
			t.Errorf("the metric counts %d crashes", total)
		}
		check(t, "tasks", tel.series(t, "holdfast.task.count"), "0")
	})
}

var manyTasks = flag.Int("tasks", 200, "how many tasks TestManyTasks has; -v shows what they take")

// TestManyTasks is of tasks that crash-loop for minutes, with the batching of the
// SDK: nothing is lost that its queue has room for, memory does not grow with the
// crashes, and nothing is kept of the tasks in the end.
//
// What is compared is some 32 crashes apart, since so many contexts of runs are made
// at once, and kept with what each was given.
func TestManyTasks(t *testing.T) {
	tasks := *manyTasks
	synctest.Test(t, func(t *testing.T) {
		spans := &counter{}
		tracers := sdktrace.NewTracerProvider(sdktrace.WithBatcher(spans, sdktrace.WithMaxQueueSize(16*tasks)))
		reader := sdkmetric.NewManualReader()
		o := otelgate.New(otelgate.WithTracerProvider(tracers), otelgate.WithLoggerProvider(nolog.NewLoggerProvider()),
			otelgate.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader), sdkmetric.WithCardinalityLimit(0), sdkmetric.WithExemplarFilter(exemplar.AlwaysOffFilter))))
		var crashes atomic.Int64
		s := supervise.New("s", quiet, supervise.WithObserver(o), supervise.Unordered(), supervise.WithPolicy(policy.Compose(
			policy.Exponential(500*time.Millisecond, 2, time.Minute), policy.CrashLoop(5, time.Minute, 11*time.Second))))
		for i := range tasks {
			s.Add(fmt.Sprint(i), func(context.Context) error { crashes.Add(1); return errBoom })
		}
		before := heap()
		var early, late atomic.Int64
		time.AfterFunc(142*time.Second, func() { early.Store(heap()) }) // in the 8th hold of the crash loop
		time.AfterFunc(272*time.Second, func() { late.Store(heap()) })  // in the 15th
		_ = s.Run(until(t, 277*time.Second))
		_ = tracers.ForceFlush(context.Background())
		tel := &telemetry{reader: reader}
		check(t, "dropped", tel.series(t, "holdfast.observer.dropped_events"))
		check(t, "tasks", tel.series(t, "holdfast.task.count"), "0")
		if n := crashes.Load(); spans.roots.Load() != n || n != int64(75*tasks) {
			t.Errorf("%d crashes, %d root spans", n, spans.roots.Load())
		}
		perTask := func(h int64) int64 { return (h - before) / int64(tasks) }
		if more := perTask(late.Load()) - perTask(early.Load()); more > 4096 {
			t.Errorf("each task takes %d bytes more after 35 more crashes", more)
		}
		t.Logf("%d crashes, %d spans; for each task %d bytes of heap more after 40 crashes, %d after 75, %d in the end",
			crashes.Load(), spans.all.Load(), perTask(early.Load()), perTask(late.Load()), perTask(heap()))
		_ = tracers.Shutdown(context.Background())
	})
}

// counter is an exporter that counts.
type counter struct{ roots, all atomic.Int64 }

func (c *counter) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	for _, s := range spans {
		c.all.Add(1)
		if !s.Parent().IsValid() {
			c.roots.Add(1)
		}
	}
	return nil
}

func (*counter) Shutdown(context.Context) error { return nil }

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
