package otelgate_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/otelgate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// complaints keeps what is told to otel.Handle in a test.
func complaints(t *testing.T) func() []string {
	var mu sync.Mutex
	var lines []string
	before := otel.GetErrorHandler()
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, err.Error())
	}))
	t.Cleanup(func() { otel.SetErrorHandler(before) })
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), lines...)
	}
}

// bad are providers that panic, or give what is nil: the provider at once, or what
// it gives at each call.
type (
	badTracers struct {
		trace.TracerProvider
		tracer trace.Tracer
		panics bool
	}
	badTracer struct {
		trace.Tracer
		start func() trace.Span
	}
	badMeters struct {
		metric.MeterProvider
		meter  metric.Meter
		panics bool
	}
	badMeter struct {
		metric.Meter
		panics bool
		err    error
	}
	badCounter struct{ metric.Int64Counter }
	badLoggers struct {
		log.LoggerProvider
		logger log.Logger
		panics bool
	}
	badLogger struct {
		log.Logger
		enabled bool
	}
)

func (p badTracers) Tracer(string, ...trace.TracerOption) trace.Tracer {
	if p.panics {
		panic("tracer")
	}
	return p.tracer
}

func (b badTracer) Start(ctx context.Context, _ string, _ ...trace.SpanStartOption) (context.Context, trace.Span) {
	return ctx, b.start()
}

func (p badMeters) Meter(string, ...metric.MeterOption) metric.Meter {
	if p.panics {
		panic("meter")
	}
	return p.meter
}

func (b badMeter) Int64Counter(string, ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	if b.panics {
		return badCounter{}, nil
	}
	return nil, b.err
}

func (badMeter) Int64UpDownCounter(string, ...metric.Int64UpDownCounterOption) (metric.Int64UpDownCounter, error) {
	return nil, nil
}

func (badMeter) Float64Histogram(string, ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	return nil, nil
}

func (badCounter) Enabled(context.Context) bool                    { return true }
func (badCounter) Add(context.Context, int64, ...metric.AddOption) { panic("add") }
func (badLogger) Emit(context.Context, log.Record)                 { panic("emit") }
func (b badLogger) Enabled(context.Context, log.EnabledParameters) bool {
	if b.enabled {
		return true
	}
	panic("enabled")
}

func (p badLoggers) Logger(string, ...log.LoggerOption) log.Logger {
	if p.panics {
		panic("logger")
	}
	return p.logger
}

// lyingSpan is sampled, and panics at all that is done to it.
type lyingSpan struct{ trace.Span }

func (lyingSpan) SpanContext() trace.SpanContext {
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}, TraceFlags: trace.FlagsSampled})
}

// TestBadProviders tells that whatever providers do, the task and the other
// signals go on, and that it is told once.
func TestBadProviders(t *testing.T) {
	errMeter := errors.New("no such instrument")
	for name, test := range map[string]struct {
		opt   otelgate.Option
		told  string // what is complained of; nothing if it is empty
		spans int
		logs  int
		count int
	}{
		"tracer provider panics": {otelgate.WithTracerProvider(badTracers{panics: true}), "tracer", 0, 3, 1},
		"tracer is nil":          {otelgate.WithTracerProvider(badTracers{}), "", 0, 3, 1},
		"tracer panics":          {otelgate.WithTracerProvider(badTracers{tracer: badTracer{start: func() trace.Span { panic("start") }}}), "start", 0, 3, 1},
		"span is nil":            {otelgate.WithTracerProvider(badTracers{tracer: badTracer{start: func() trace.Span { return nil }}}), "", 0, 3, 1},
		"span panics":            {otelgate.WithTracerProvider(badTracers{tracer: badTracer{start: func() trace.Span { return lyingSpan{} }}}), "nil pointer", 0, 3, 1},
		"meter provider panics":  {otelgate.WithMeterProvider(badMeters{panics: true}), "meter", 9, 3, 0},
		"meter is nil":           {otelgate.WithMeterProvider(badMeters{}), "", 9, 3, 0},
		"instruments are nil":    {otelgate.WithMeterProvider(badMeters{meter: badMeter{err: errMeter}}), errMeter.Error(), 9, 3, 0},
		"instruments panic":      {otelgate.WithMeterProvider(badMeters{meter: badMeter{panics: true}}), "add", 9, 3, 0},
		"logger provider panics": {otelgate.WithLoggerProvider(badLoggers{panics: true}), "logger", 9, 0, 1},
		"logger is nil":          {otelgate.WithLoggerProvider(badLoggers{}), "", 9, 0, 1},
		"logger panics":          {otelgate.WithLoggerProvider(badLoggers{logger: badLogger{enabled: true}}), "emit", 9, 0, 1},
		"enabled panics":         {otelgate.WithLoggerProvider(badLoggers{logger: badLogger{}}), "enabled", 9, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			told, tel := complaints(t), newTelemetry()
			err := supervise.Run(t.Context(), times(3, errBoom), supervise.WithPolicy(policy.Constant(time.Nanosecond)), supervise.WithObserver(tel.observer(test.opt)), quiet)
			if err != nil {
				t.Error(err)
			}
			if n := len(tel.ended(t, "")); n != test.spans {
				t.Errorf("%d spans", n)
			}
			if n := len(tel.logs.bodies()); n != test.logs {
				t.Errorf("%d records", n)
			}
			if n := len(tel.series(t, "holdfast.task.crashes")); n != test.count {
				t.Errorf("%d series", n)
			}
			if lines := told(); test.told == "" && len(lines) > 0 || test.told != "" && (len(lines) != 1 || !strings.Contains(lines[0], test.told)) {
				t.Errorf("complaints: %q", lines)
			}
		})
	}
}

// TestBadErrorHandler is of a user's handler that panics, too.
func TestBadErrorHandler(t *testing.T) {
	before := otel.GetErrorHandler()
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) { panic("handler") }))
	defer otel.SetErrorHandler(before)
	otelgate.New(otelgate.WithTracerProvider(badTracers{panics: true}))
}

// evil is an error all of whose methods panic.
type evil struct{}

func (evil) Error() string     { panic("error") }
func (evil) Is(error) bool     { panic("is") }
func (evil) Unwrap() error     { panic("unwrap") }
func (evil) ErrorType() string { panic("type") }

// verbose has a type and a text that are too long, and not UTF-8.
type verbose struct{}

func (verbose) Error() string     { return strings.Repeat("ä\xff", otelgate.MaxMessage) }
func (verbose) ErrorType() string { return strings.Repeat("€\xff", otelgate.MaxName) }

// TestBadText tells that texts arrive as valid UTF-8 of a bounded length, whatever
// they are.
func TestBadText(t *testing.T) {
	name := "\xff/\x00\n\"{}" + strings.Repeat("€", otelgate.MaxName)
	odd := []attribute.KeyValue{
		attribute.String("odd", strings.Repeat("\xff", 2*otelgate.MaxName)),
		attribute.StringSlice("odd slice", []string{"\xff", name}),
		attribute.String("", "without a key"),
		{Key: "without a value"},
		attribute.Int("whole", 1),
	}
	for _, err := range []error{evil{}, verbose{}, fmt.Errorf("%w", evil{})} {
		tel := newTelemetry()
		_ = supervise.Run(t.Context(), times(1, err), supervise.WithPolicy(policy.Constant(time.Nanosecond)), supervise.WithName(name),
			supervise.WithObserver(tel.observer(otelgate.WithAttributes(odd...))), quiet)
		spans := tel.ended(t, "")
		if len(spans) != 3 || len(tel.logs.records) != 1 || len(tel.series(t, "holdfast.task.crashes")) != 1 {
			t.Fatalf("%T: %d spans, %d records", err, len(spans), len(tel.logs.records))
		}
		for _, s := range spans {
			text(t, s.Name(), otelgate.MaxName+len("restart "))
			text(t, s.Status().Description, otelgate.MaxMessage)
			for _, kv := range s.Attributes() {
				limit := otelgate.MaxName
				if kv.Key == "exception.message" {
					limit = otelgate.MaxMessage
				}
				text(t, kv.Value.AsString(), limit)
				if kv.Key == "" || !kv.Valid() {
					t.Errorf("there is %v", kv)
				}
			}
			if attr(s, "odd") == "" || attr(s, "odd slice") == "" || attr(s, "whole") != "1" {
				t.Errorf("there is only %v", s.Attributes())
			}
		}
		for _, line := range tel.series(t, "holdfast.task.crashes") {
			text(t, line, 6*otelgate.MaxName)
		}
	}
}

// text checks one text.
func text(t *testing.T, s string, limit int) {
	t.Helper()
	if !utf8.ValidString(s) || len(s) > limit {
		t.Errorf("%d bytes, the limit is %d: %q", len(s), limit, s)
	}
}

// TestDeepStack tells that a stack is cut.
func TestDeepStack(t *testing.T) {
	tel := newTelemetry()
	var deep func(n int) error
	deep = func(n int) error {
		if n == 0 {
			panic("deep")
		}
		return deep(n - 1)
	}
	_ = supervise.Run(t.Context(), func(context.Context) error { return deep(200) }, supervise.WithRestart(supervise.Never), supervise.WithObserver(tel.observer()), quiet)
	stack := attr(tel.ended(t, "crash")[0], "exception.stacktrace")
	text(t, stack, otelgate.MaxStack)
	if len(stack) < 1000 {
		t.Errorf("stack: %s", stack)
	}
}

// TestKinds tells that the types of errors are bounded in metrics, and not in
// traces.
func TestKinds(t *testing.T) {
	tel := newTelemetry()
	n := 0
	_ = supervise.Run(t.Context(), func(context.Context) error {
		if n++; n > 100 {
			return nil
		}
		return numbered(n)
	}, atOnce, supervise.WithObserver(tel.observer()), quiet)
	lines := tel.series(t, "holdfast.task.crashes")
	if len(lines) != 65 || lines[0] != "error.type=_OTHER 36" {
		t.Errorf("%d series: %q", len(lines), lines)
	}
	if last := tel.ended(t, "crash")[99]; attr(last, "error.type") != "type 100" {
		t.Errorf("the last crash has %v", last.Attributes())
	}
}

type numbered int

func (numbered) Error() string       { return "numbered" }
func (n numbered) ErrorType() string { return fmt.Sprint("type ", int(n)) }

// TestForgedEvents is of events that supervise does not send.
func TestForgedEvents(t *testing.T) {
	tel := newTelemetry()
	o := tel.observer()
	o.Observe(supervise.Event{})
	o.Observe(supervise.Event{Kind: 200})
	o.Observe(supervise.Event{Kind: supervise.KindFault})
	o.Observe(supervise.Event{Kind: supervise.KindCrash, Ran: -1, State: gate.Held(200, time.Now())})
	o.Observe(supervise.Event{Kind: supervise.KindStop})
	if o.Annotate(t.Context(), supervise.Event{}) == nil {
		t.Error("the crash is not traced")
	}
	check(t, "tasks", tel.series(t, "holdfast.task.count"), "0")
	otelgate.New(nil, otelgate.WithTracerProvider(nil), otelgate.WithMeterProvider(nil), otelgate.WithLoggerProvider(nil))
}
