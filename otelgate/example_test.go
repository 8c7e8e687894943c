package otelgate_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/otelgate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// What one crash looks like. A program would use an exporter, and, if the
// providers are set as the global ones, no options.
func Example() {
	spans := tracetest.NewSpanRecorder()
	obs := otelgate.New(otelgate.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))))

	broken := true
	err := supervise.Run(context.Background(), func(context.Context) error {
		if broken {
			broken = false
			return errors.New("connection refused")
		}
		return nil
	},
		supervise.WithName("poller"),
		supervise.WithPolicy(policy.Constant(time.Millisecond)),
		supervise.WithLogger(slog.New(slog.DiscardHandler)),
		supervise.WithObserver(obs))

	fmt.Println("Run returns", err)
	for _, s := range spans.Ended() {
		fmt.Printf("%s: %s\n", s.Name(), s.Status().Code)
	}
	// Output:
	// Run returns <nil>
	// crash: Error
	// backing off: Unset
	// restart poller: Unset
}

// A function links its own spans to the restart that began its run.
func ExampleRestartSpanContext() {
	spans := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	tracer := provider.Tracer("example")

	_ = supervise.Run(context.Background(), func(ctx context.Context) error {
		restart := otelgate.RestartSpanContext(ctx)
		if !restart.IsValid() {
			return errors.New("the first run fails")
		}
		_, span := tracer.Start(ctx, "warm up", trace.WithLinks(trace.Link{SpanContext: restart}))
		span.End()
		return nil
	},
		supervise.WithName("cache"),
		supervise.WithPolicy(policy.Constant(0)),
		supervise.WithLogger(slog.New(slog.DiscardHandler)),
		supervise.WithObserver(otelgate.New(otelgate.WithTracerProvider(provider))))

	var root, warmUp sdktrace.ReadOnlySpan
	for _, s := range spans.Ended() {
		switch s.Name() {
		case "restart cache":
			root = s
		case "warm up":
			warmUp = s
		}
	}
	fmt.Println(warmUp.Links()[0].SpanContext.Equal(root.SpanContext()))
	// Output: true
}

// A reconcile loop that starts something else, and holds it by a gate.
func ExampleObserver_Watch() {
	spans := tracetest.NewSpanRecorder()
	obs := otelgate.New(otelgate.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))))

	g := gate.New(policy.Constant(time.Minute))
	stop := obs.Watch(g, "web-7")
	now := time.Now()
	g.ObserveStart(now)
	g.ObserveCrash(now.Add(time.Second), errors.New("exit status 1"))
	g.MaybeRelease(now.Add(61 * time.Second))
	stop()

	for _, s := range spans.Ended() {
		fmt.Println(s.Name(), s.EndTime().Sub(s.StartTime()).Round(time.Second))
	}
	// Output:
	// crash 0s
	// backing off 1m0s
	// restart web-7 1m0s
}
