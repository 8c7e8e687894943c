package otelgate_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/otelgate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// nowhere exports nothing.
type nowhere struct{ sdklog.Exporter }

func (nowhere) Export(context.Context, []sdklog.Record) error { return nil }
func (nowhere) Shutdown(context.Context) error                { return nil }
func (nowhere) ForceFlush(context.Context) error              { return nil }

// sdk is a whole SDK that exports in batches, to nowhere.
func sdk(b *testing.B) []otelgate.Option {
	tracers := sdktrace.NewTracerProvider(sdktrace.WithBatcher(tracetest.NewNoopExporter()))
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
	loggers := sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewBatchProcessor(nowhere{})))
	b.Cleanup(func() {
		_ = tracers.Shutdown(context.Background())
		_ = loggers.Shutdown(context.Background())
	})
	return []otelgate.Option{otelgate.WithTracerProvider(tracers), otelgate.WithMeterProvider(meters), otelgate.WithLoggerProvider(loggers)}
}

func restarts(b *testing.B, opts ...supervise.RunOption) {
	b.ReportAllocs()
	err := supervise.Run(b.Context(), func(context.Context) error {
		if !b.Loop() {
			return nil
		}
		return errBoom
	}, append(opts, atOnce, quiet)...)
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkRestart measures from the end of a run to the start of the next. With
// an SDK the task's own part is that: what is told on another goroutine is in
// BenchmarkCrash.
func BenchmarkRestart(b *testing.B) {
	b.Run("observer=none", func(b *testing.B) { restarts(b) })
	b.Run("observer=otelgate/provider=none", func(b *testing.B) { restarts(b, supervise.WithObserver(otelgate.New())) })
	b.Run("observer=otelgate/provider=sdk", func(b *testing.B) { restarts(b, supervise.WithObserver(otelgate.New(sdk(b)...))) })
}

// BenchmarkHealthy measures a run that ends at once, and well.
func BenchmarkHealthy(b *testing.B) {
	run := func(b *testing.B, opts ...supervise.RunOption) {
		b.ReportAllocs()
		for b.Loop() {
			if err := supervise.Run(b.Context(), func(context.Context) error { return nil }, append(opts, quiet)...); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("observer=none", func(b *testing.B) { run(b) })
	b.Run("observer=otelgate/provider=none", func(b *testing.B) { run(b, supervise.WithObserver(otelgate.New())) })
}

// BenchmarkCrash measures all that is told of one crash with a hold: the trace of
// three spans, the metrics and the record.
func BenchmarkCrash(b *testing.B) {
	now := time.Now()
	cycle := func(b *testing.B, opts ...otelgate.Option) {
		g := gate.New(policy.Constant(time.Second))
		stop := otelgate.New(opts...).Watch(g, "x")
		defer stop()
		b.ReportAllocs()
		for b.Loop() {
			now = now.Add(time.Minute)
			g.ObserveCrash(now, errBoom)
			g.ObserveStart(now.Add(time.Second))
		}
	}
	b.Run("provider=none", func(b *testing.B) { cycle(b) })
	all := []string{"traces", "metrics", "logs"}
	for i, name := range all {
		b.Run(fmt.Sprint("provider=sdk/signal=", name), func(b *testing.B) {
			opts := append([]otelgate.Option(nil), noop...)
			cycle(b, append(opts, sdk(b)[i])...)
		})
	}
	b.Run("provider=sdk/signal=all", func(b *testing.B) { cycle(b, sdk(b)...) })
}
