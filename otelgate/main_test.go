package otelgate_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/goleak"

	"github.com/holdfast-go/holdfast/otelgate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	errBoom = errors.New("boom")
	errStop = errors.New("the operator stops it")

	quiet      = supervise.WithLogger(slog.New(slog.DiscardHandler))
	atOnce     = supervise.WithPolicy(policy.Constant(0))
	nanosecond = policy.Constant(time.Nanosecond)
	second     = supervise.WithPolicy(policy.Constant(time.Second))
	failing    = func(context.Context) error { return errBoom }
)

// waits is a function that runs until it is stopped.
func waits(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// until returns a context that is cancelled after d with errStop.
func until(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithCancelCause(t.Context())
	timer := time.AfterFunc(d, func() { cancel(errStop) })
	t.Cleanup(func() {
		timer.Stop()
		cancel(nil)
	})
	return ctx
}

// times returns a function that fails the first n times and then succeeds.
func times(n int, err error) func(context.Context) error {
	return func(context.Context) error {
		if n--; n >= 0 {
			return err
		}
		return nil
	}
}

// telemetry is an SDK that keeps all it is told.
type telemetry struct {
	spans  *tracetest.SpanRecorder
	reader *sdkmetric.ManualReader
	logs   *logRecorder
	opts   []otelgate.Option
}

func newTelemetry() *telemetry {
	tel := &telemetry{tracetest.NewSpanRecorder(), sdkmetric.NewManualReader(), &logRecorder{}, nil}
	tel.opts = []otelgate.Option{
		otelgate.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(tel.spans))),
		otelgate.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(tel.reader))),
		otelgate.WithLoggerProvider(sdklog.NewLoggerProvider(sdklog.WithProcessor(tel.logs))),
	}
	return tel
}

func (tel *telemetry) observer(opts ...otelgate.Option) *otelgate.Observer {
	return otelgate.New(append(tel.opts, opts...)...)
}

// logRecorder keeps log records.
type logRecorder struct {
	mu      sync.Mutex
	records []sdklog.Record
}

func (l *logRecorder) OnEmit(_ context.Context, r *sdklog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.records = append(l.records, r.Clone())
	return nil
}

func (*logRecorder) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }
func (*logRecorder) Shutdown(context.Context) error                         { return nil }
func (*logRecorder) ForceFlush(context.Context) error                       { return nil }

// bodies tells severity, event and error type of each record.
func (l *logRecorder) bodies() (lines []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.records {
		lines = append(lines, strings.TrimSpace(fmt.Sprint(r.Severity(), " ", r.EventName(), " ", logAttr(r, "error.type"))))
	}
	return lines
}

func logAttr(r sdklog.Record, key string) (value string) {
	r.WalkAttributes(func(kv attribute.KeyValue) bool {
		if string(kv.Key) == key {
			value = kv.Value.String()
		}
		return true
	})
	return value
}

func attr(s sdktrace.ReadOnlySpan, key string) string {
	for _, kv := range s.Attributes() {
		if string(kv.Key) == key {
			return kv.Value.String()
		}
	}
	return ""
}

// ended returns the spans, by name and in the order in which they began. All that
// were started must have ended, once.
func (tel *telemetry) ended(t *testing.T, name string) (found []sdktrace.ReadOnlySpan) {
	t.Helper()
	all := tel.spans.Ended()
	if started := len(tel.spans.Started()); started != len(all) {
		t.Errorf("%d spans were started, %d ended", started, len(all))
	}
	for _, s := range all {
		if strings.HasPrefix(s.Name(), name) {
			found = append(found, s)
		}
	}
	slices.SortStableFunc(found, func(a, b sdktrace.ReadOnlySpan) int { return a.StartTime().Compare(b.StartTime()) })
	return found
}

// picture draws the traces as lines, in the order of their roots: name, from, to,
// how it ended, and status.
func (tel *telemetry) picture(t *testing.T, zero time.Time) (lines []string) {
	t.Helper()
	line := func(s sdktrace.ReadOnlySpan) string {
		text := fmt.Sprintf("%s %v", s.Name(), s.StartTime().Sub(zero))
		if s.EndTime().Sub(s.StartTime()) > time.Microsecond {
			text += fmt.Sprintf("–%v", s.EndTime().Sub(zero))
		}
		text += " " + attr(s, "holdfast.hold.outcome") + attr(s, "holdfast.restart.outcome")
		if s.Status().Description != "" {
			text += s.Status().Code.String() + ": " + s.Status().Description
		}
		return strings.TrimSpace(text)
	}
	for _, root := range tel.ended(t, "restart ") {
		lines = append(lines, line(root))
		for _, s := range tel.ended(t, "") {
			if s.Parent().SpanID() == root.SpanContext().SpanID() {
				lines = append(lines, "  "+line(s))
			}
		}
	}
	return lines
}

// series returns the points of a metric as lines of attributes and value, but for
// the name of the task, sorted.
func (tel *telemetry) series(t *testing.T, name string) (lines []string) {
	t.Helper()
	var data metricdata.ResourceMetrics
	if err := tel.reader.Collect(context.Background(), &data); err != nil {
		t.Fatal(err)
	}
	point := func(set attribute.Set, value any) {
		text := ""
		for _, kv := range set.ToSlice() {
			if kv.Key != "holdfast.task.name" {
				text += fmt.Sprintf("%s=%s ", kv.Key, kv.Value.String())
			}
		}
		lines = append(lines, fmt.Sprint(text, value))
	}
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			if m.Name != name {
				continue
			}
			switch d := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range d.DataPoints {
					point(p.Attributes, p.Value)
				}
			case metricdata.Histogram[float64]:
				for _, p := range d.DataPoints {
					point(p.Attributes, fmt.Sprintf("%d in %vs", p.Count, p.Sum))
				}
			}
		}
	}
	slices.Sort(lines)
	return lines
}

// check compares lines.
func check(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got\n\t%s\nwant\n\t%s", what, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}
