package bench_test

import (
	"context"
	"io"
	"log/slog"
	"runtime"
	"testing"

	"github.com/holdfast-go/holdfast/otelgate"
	"github.com/holdfast-go/holdfast/supervise"
)

func failing(context.Context) error { return errCrash }

// restarts measures the time from the end of a run to the start of the next, and
// fail.
func restarts(b *testing.B, fail func(context.Context) error, opts ...supervise.RunOption) {
	b.ReportAllocs()
	err := supervise.Run(b.Context(), func(ctx context.Context) error {
		if !b.Loop() {
			return nil
		}
		return fail(ctx)
	}, append([]supervise.RunOption{quiet, atOnce}, opts...)...)
	if err != nil {
		b.Fatal(err)
	}
}

// choosy is an observer that wants nothing.
type choosy struct{}

func (choosy) Enabled(supervise.Kind) bool { return false }
func (choosy) Observe(supervise.Event)     {}

// watchers are those who may be told of a restart; a new observer is one line
// more.
var watchers = []struct {
	name string
	opts []supervise.RunOption
}{
	{"nobody", nil},
	{"uninterested", []supervise.RunOption{supervise.WithObserver(choosy{})}},
	{"function", []supervise.RunOption{supervise.WithObserver(supervise.ObserverFunc(func(supervise.Event) {}))}},
	{"otelgate-without-provider", []supervise.RunOption{supervise.WithObserver(otelgate.New())}},
	{"slog", []supervise.RunOption{supervise.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil)))}},
}

// BenchmarkRestart is of a policy without delay, and without a logger unless
// slog watches.
func BenchmarkRestart(b *testing.B) {
	for _, end := range []struct {
		name string
		fail func(context.Context) error
	}{
		{"error", failing},
		{"panic", func(context.Context) error { panic(errCrash) }},
		{"goexit", func(context.Context) error { runtime.Goexit(); return nil }},
		{"error-with-context-used", func(ctx context.Context) error { ctx.Done(); return errCrash }},
	} {
		for _, w := range watchers {
			b.Run("after="+end.name+"/watched-by="+w.name, func(b *testing.B) { restarts(b, end.fail, w.opts...) })
		}
	}
}

// BenchmarkRun is of a task that ends at once: what it costs to supervise it.
func BenchmarkRun(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		err := supervise.Run(b.Context(), func(context.Context) error { return nil }, quiet)
		if err != nil {
			b.Fatal(err)
		}
	}
}
