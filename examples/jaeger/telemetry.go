package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/holdfast-go/holdfast/supervise"
)

// telemetry is the usual set-up of OpenTelemetry's SDK: the variables
// OTEL_EXPORTER_OTLP_*, OTEL_SERVICE_NAME and the like have their usual meaning.
type telemetry struct {
	provider *sdktrace.TracerProvider
	service  string
	failure  atomic.Pointer[error] // to send traces; the last
	spans    spanCounter
}

// spanCounter counts the spans that are to be sent.
type spanCounter struct{ ended atomic.Int64 }

func (*spanCounter) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (c *spanCounter) OnEnd(sdktrace.ReadOnlySpan)                   { c.ended.Add(1) }
func (*spanCounter) Shutdown(context.Context) error                  { return nil }
func (*spanCounter) ForceFlush(context.Context) error                { return nil }

func newTelemetry(ctx context.Context, service string) (*telemetry, error) {
	if name := os.Getenv("OTEL_SERVICE_NAME"); name != "" {
		service = name
	}
	exporter, err := newExporter(ctx)
	if err != nil {
		return nil, err
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithFromEnv(), resource.WithAttributes(semconv.ServiceName(service)))
	if err != nil {
		return nil, err
	}
	t := &telemetry{service: service}
	t.provider = sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithSpanProcessor(&t.spans), sdktrace.WithResource(about))
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { t.failure.Store(&err) }))
	return t, nil
}

// newExporter speaks gRPC to port 4317 of this machine, in the clear, unless the
// environment has it otherwise.
func newExporter(ctx context.Context) (*otlptrace.Exporter, error) {
	if strings.HasPrefix(setting("PROTOCOL"), "http") {
		return otlptracehttp.New(ctx)
	}
	var opts []otlptracegrpc.Option
	if setting("ENDPOINT") == "" {
		opts = append(opts, otlptracegrpc.WithInsecure())
	}
	return otlptracegrpc.New(ctx, opts...)
}

// setting is what the environment has for traces, or for all signals.
func setting(name string) string {
	if v := os.Getenv("OTEL_EXPORTER_OTLP_TRACES_" + name); v != "" {
		return v
	}
	return os.Getenv("OTEL_EXPORTER_OTLP_" + name)
}

// shutdown sends what has not been sent yet, and returns why some was not.
func (t *telemetry) shutdown() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := t.provider.Shutdown(ctx)
	if failure := t.failure.Load(); err == nil && failure != nil {
		err = *failure
	}
	return err
}

// crashLog is an observer that keeps where the trace of each crash is. Safe for
// concurrent use.
type crashLog struct {
	out io.Writer

	mu      sync.Mutex
	crashes []supervise.Event
}

// Observe keeps a crash.
func (l *crashLog) Observe(e supervise.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.Kind == supervise.KindCrash {
		l.crashes = append(l.crashes, e)
		fmt.Fprintf(l.out, "%-18s run %d: %v; %v\n", e.Task, e.Run, e.Err, e.State.Phase())
	}
}

func (l *crashLog) print(jaeger string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintln(l.out, "\nthe traces:")
	for _, e := range l.crashes {
		fmt.Fprintf(l.out, "%-18s run %d: %s/trace/%s\n", e.Task, e.Run, jaeger, trace.SpanContextFromContext(e.Context()).TraceID())
	}
}
