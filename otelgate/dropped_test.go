package otelgate_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/otelgate"
	"github.com/holdfast-go/holdfast/supervise"
)

// replay runs a task that crashes twice and then exits, with a second of hold each, and tells tel's
// observer of its events but for those whose numbers are given.
func replay(t *testing.T, tel *telemetry, without ...int) (zero time.Time) {
	zero = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return zero.Add(time.Duration(s) * time.Second) }
	held := func(s int) gate.State { return gate.Held(gate.BackingOff, at(s)) }
	o := tel.observer()
	var events []supervise.Event
	// Each Event gets the context that the observer makes of its crash from
	// supervise alone; so they are taken from there, and their times are replaced.
	_ = supervise.Run(t.Context(), times(2, errBoom), supervise.WithName("x"), supervise.WithPolicy(nanosecond), quiet,
		supervise.WithObserver(taker{func(ctx context.Context, e supervise.Event) context.Context {
			e.At = at(2*int(e.Run) - 1) // crash 1 at 1 s, crash 2 at 3 s
			return o.Annotate(ctx, e)
		}, func(e supervise.Event) { events = append(events, e) }}))
	// start, crash, release, start, crash, release, start, exit
	for i, s := range []int{0, 1, 2, 2, 3, 4, 4, 5} {
		e := events[i]
		e.At = at(s)
		switch e.Kind {
		case supervise.KindCrash:
			e.Ran, e.State = time.Second, held(s+1)
		case supervise.KindExit:
			e.Ran = time.Second
		case supervise.KindRelease:
			e.State, e.Forced = held(s), false
		}
		if slices.Contains(without, i) {
			continue
		}
		o.Observe(e)
	}
	return zero
}

type taker struct {
	annotate func(context.Context, supervise.Event) context.Context
	observe  func(supervise.Event)
}

func (o taker) Observe(e supervise.Event) { o.observe(e) }

func (o taker) Annotate(ctx context.Context, e supervise.Event) context.Context {
	return o.annotate(ctx, e)
}

// TestDropped tells that what is open is ended, and that all else is right, when
// events are dropped.
func TestDropped(t *testing.T) {
	first := []string{"restart x 1s–2s restarted", "  crash 1s Error: boom", "  backing off 1s–2s elapsed"}
	second := []string{"restart x 3s–4s restarted", "  crash 3s Error: boom", "  backing off 3s–4s elapsed"}
	for name, test := range map[string]struct {
		without []int
		want    []string
	}{
		"none":                  {nil, slices.Concat(first, second)},
		"the first start":       {[]int{0}, slices.Concat(first, second)},
		"a release":             {[]int{2}, slices.Concat([]string{first[0], first[1], "  backing off 1s–2s restarted"}, second)},
		"a start":               {[]int{3}, slices.Concat([]string{"restart x 1s–2s lost", first[1], first[2]}, second)},
		"a release and a start": {[]int{2, 3}, slices.Concat([]string{"restart x 1s–2s lost", first[1], "  backing off 1s–2s lost"}, second)},
		"a crash":               {[]int{1}, slices.Concat([]string{"restart x 1s–2s restarted"}, second)},
		"the last start":        {[]int{6}, slices.Concat(first, []string{"restart x 3s–4s lost"}, second[1:])},
		"all but crash and end": {[]int{0, 2, 3, 4, 5, 6}, []string{"restart x 1s–4s lost", first[1], "  backing off 1s–4s lost", "restart x 3s–4s lost"}},
	} {
		t.Run(name, func(t *testing.T) {
			tel := newTelemetry()
			zero := replay(t, tel, test.without...)
			check(t, "traces", tel.picture(t, zero), test.want...)
			check(t, "tasks", tel.series(t, "holdfast.task.count"), "0")
		})
	}
}

// TestDroppedAreCounted tells how many events there were too many of.
func TestDroppedAreCounted(t *testing.T) {
	tel := newTelemetry()
	tel.observer().Observe(supervise.Event{Kind: supervise.KindStop, Dropped: 7})
	check(t, "dropped", tel.series(t, "holdfast.observer.dropped_events"), "7")
}

// waiting is an exporter that takes nothing until it may.
type waiting struct {
	counter
	proceed chan struct{}
}

func (w *waiting) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	<-w.proceed
	return w.counter.ExportSpans(ctx, spans)
}

// TestQueueFull tells that spans which the queue of the SDK has no room for are
// lost, but counted by the SDK: none is lost in silence.
func TestQueueFull(t *testing.T) {
	if !alone(t) {
		return
	}
	t.Setenv("OTEL_GO_X_OBSERVABILITY", "true")
	const crashes = 500
	tel := &telemetry{reader: sdkmetric.NewManualReader()}
	otel.SetMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(tel.reader)))
	spans := &waiting{proceed: make(chan struct{})}
	tracers := sdktrace.NewTracerProvider(sdktrace.WithBatcher(spans, sdktrace.WithMaxQueueSize(64), sdktrace.WithMaxExportBatchSize(32)))
	_ = supervise.Run(t.Context(), times(crashes, errBoom), atOnce, quiet, supervise.WithObserver(otelgate.New(otelgate.WithTracerProvider(tracers))))
	close(spans.proceed)
	_ = tracers.Shutdown(context.Background())
	lost := int64(0)
	for _, line := range tel.series(t, "otel.sdk.processor.span.processed") {
		if _, n, ok := strings.Cut(line, "error.type=queue_full "); ok {
			_, _ = fmt.Sscan(n[strings.LastIndex(n, " ")+1:], &lost)
		}
	}
	if n := spans.all.Load(); lost == 0 || n+lost != 2*crashes {
		t.Errorf("of %d spans %d were exported, %d counted as lost", 2*crashes, n, lost)
	}
}
