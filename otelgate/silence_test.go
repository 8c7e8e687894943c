package otelgate_test

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	nolog "go.opentelemetry.io/otel/log/noop"
	nometric "go.opentelemetry.io/otel/metric/noop"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	notrace "go.opentelemetry.io/otel/trace/noop"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/holdfast-go/holdfast/otelgate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// noop are options without any provider that does something.
var noop = []otelgate.Option{
	otelgate.WithTracerProvider(notrace.NewTracerProvider()),
	otelgate.WithMeterProvider(nometric.NewMeterProvider()),
	otelgate.WithLoggerProvider(nolog.NewLoggerProvider()),
}

// mallocs returns how many allocations a restart takes, on average over many.
func mallocs(t *testing.T, opts ...supervise.RunOption) float64 {
	t.Helper()
	const warmUp, runs = 100, 10_000
	var before, after runtime.MemStats
	err := supervise.Run(t.Context(), func(ctx context.Context) error {
		switch info, _ := supervise.FromContext(ctx); info.Run {
		case warmUp:
			runtime.ReadMemStats(&before)
		case warmUp + runs:
			runtime.ReadMemStats(&after)
			return nil
		}
		return errBoom
	}, append(opts, atOnce, quiet)...)
	if err != nil {
		t.Fatal(err)
	}
	return float64(after.Mallocs-before.Mallocs) / runs
}

// TestAllocs holds that a crash allocates nothing for an observer without a
// provider.
func TestAllocs(t *testing.T) {
	for name, opts := range map[string][]otelgate.Option{"global": nil, "no-op": noop} {
		if n := mallocs(t, supervise.WithObserver(otelgate.New(opts...))); n > 0.05 {
			t.Errorf("%s: %.2f allocations a crash", name, n)
		}
	}
}

// TestSilent tells that an observer without a provider wants no events, once it
// has seen that there is none.
func TestSilent(t *testing.T) {
	o := otelgate.New()
	for _, k := range []supervise.Kind{supervise.KindStart, supervise.KindExit, supervise.KindStop, supervise.KindRelease, supervise.KindReturn} {
		if o.Enabled(k) {
			t.Errorf("it wants events of kind %v", k)
		}
	}
	if !o.Enabled(supervise.KindCrash) {
		t.Error("it does not want the first crash, at which it would see whether there is a provider")
	}
	if ctx := o.Annotate(t.Context(), supervise.Event{Kind: supervise.KindCrash}); ctx != nil || o.Enabled(supervise.KindCrash) {
		t.Error("it wants crashes though there is no provider")
	}
}

// alone runs a test in a process of its own, in which it returns true: global
// providers can be set but once.
func alone(t *testing.T) bool {
	t.Helper()
	if os.Getenv("OTELGATE_TEST_ALONE") != "" {
		return true
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1")
	cmd.Env = append(os.Environ(), "OTELGATE_TEST_ALONE=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return false
}

// TestGlobalMeterProvider tells that a provider of metrics alone is used after it
// is set as the global one, from the end of the next hold on.
func TestGlobalMeterProvider(t *testing.T) {
	if !alone(t) {
		return
	}
	tel := &telemetry{reader: sdkmetric.NewManualReader()}
	n := 0
	_ = supervise.Run(t.Context(), func(context.Context) error {
		switch n++; n {
		case 3:
			otel.SetMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(tel.reader)))
		case 6:
			return nil
		}
		return errBoom
	}, supervise.WithPolicy(policy.Constant(time.Nanosecond)), quiet, supervise.WithObserver(otelgate.New()))
	check(t, "crashes", tel.series(t, "holdfast.task.crashes"), "error.type=*errors.errorString 2")
}

// TestGlobalProvider tells that providers are used which are set as the global
// ones after crashes without any, from the next start on.
func TestGlobalProvider(t *testing.T) {
	if !alone(t) {
		return
	}
	tel := &telemetry{spans: tracetest.NewSpanRecorder(), reader: sdkmetric.NewManualReader()}
	n := 0
	var last trace.SpanContext
	err := supervise.Run(t.Context(), func(ctx context.Context) error {
		last = otelgate.RestartSpanContext(ctx)
		switch n++; n {
		case 3:
			otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(tel.spans)))
			otel.SetMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(tel.reader)))
		case 6:
			return nil
		}
		return errBoom
	}, atOnce, quiet, supervise.WithObserver(otelgate.New()))
	roots := tel.ended(t, "restart")
	if err != nil || len(roots) != 2 || roots[1].SpanContext().SpanID() != last.SpanID() {
		t.Errorf("%v; %d roots", err, len(roots))
	}
	check(t, "crashes", tel.series(t, "holdfast.task.crashes"), "error.type=*errors.errorString 2")
	check(t, "tasks", tel.series(t, "holdfast.task.count"), "0")
}
