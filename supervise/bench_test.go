package supervise_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/supervise"
)

// BenchmarkNow is the yardstick for the others.
func BenchmarkNow(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		time.Now()
	}
}

// benchmarkRestart measures how long it takes from the end of a run to the start
// of the next, and fail.
func benchmarkRestart(b *testing.B, fail func(context.Context) error, opts ...supervise.Option) {
	b.ReportAllocs()
	err := supervise.Run(b.Context(), func(ctx context.Context) error {
		if !b.Loop() {
			return nil
		}
		return fail(ctx)
	}, append(opts, atOnce, quiet)...)
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkRestart is of a policy without delay and a disabled logger.
func BenchmarkRestart(b *testing.B) {
	b.Run("after=error", func(b *testing.B) { benchmarkRestart(b, failing) })
	b.Run("after=panic", func(b *testing.B) {
		benchmarkRestart(b, func(context.Context) error { panic(errBoom) })
	})
	b.Run("after=goexit", func(b *testing.B) {
		benchmarkRestart(b, func(context.Context) error { runtime.Goexit(); return nil })
	})
	b.Run("after=error/context=used", func(b *testing.B) {
		benchmarkRestart(b, func(ctx context.Context) error { ctx.Done(); return errBoom })
	})
	b.Run("after=error/observer=uninterested", func(b *testing.B) {
		benchmarkRestart(b, failing, supervise.WithObserver(&choosy{}))
	})
	b.Run("after=error/observer=1", func(b *testing.B) {
		benchmarkRestart(b, failing, supervise.WithObserver(supervise.ObserverFunc(func(supervise.Event) {})))
	})
}

// BenchmarkRun is of a task that ends at once: what it costs to supervise it.
func BenchmarkRun(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if err := supervise.Run(b.Context(), serve, quiet); err != nil {
			b.Fatal(err)
		}
	}
}
