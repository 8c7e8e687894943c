package supervise_test

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/supervise"
)

// blockedHandler is a handler of a logger that never returns, until it is free.
type blockedHandler struct{ free chan struct{} }

func (h blockedHandler) Enabled(context.Context, slog.Level) bool { return true }
func (h blockedHandler) WithAttrs([]slog.Attr) slog.Handler       { return h }
func (h blockedHandler) WithGroup(string) slog.Handler            { return h }
func (h blockedHandler) Handle(context.Context, slog.Record) error {
	<-h.free
	return nil
}

// TestBlockedObserversOfATree has observers and loggers block for ever, of each of very
// many supervisors, beside one another or in one another. That costs the root a second in
// all, and no task is left behind for it.
func TestBlockedObserversOfATree(t *testing.T) {
	const supervisors = 60
	for _, shape := range []string{"beside one another", "in one another"} {
		for _, whose := range []string{"of the root", "of each", "logger of the root", "logger of each", "of a task of each"} {
			t.Run(whose+", "+shape, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					free := make(chan struct{})
					defer close(free)
					blocked := supervise.WithObserver(supervise.ObserverFunc(func(supervise.Event) { <-free }))
					logger := supervise.WithLogger(slog.New(blockedHandler{free}))
					rootOpts := []supervise.SupervisorOption{supervise.WithStopTimeout(100 * time.Millisecond)}
					var opts []supervise.SupervisorOption
					var taskOpts []supervise.TaskOption
					switch whose {
					case "of the root":
						rootOpts = append(rootOpts, quiet, blocked)
					case "of each":
						rootOpts = append(rootOpts, quiet)
						opts = append(opts, blocked)
					case "logger of the root":
						rootOpts = append(rootOpts, logger)
					case "logger of each":
						rootOpts = append(rootOpts, quiet)
						opts = append(opts, logger)
					default:
						rootOpts = append(rootOpts, quiet)
						taskOpts = append(taskOpts, blocked, logger)
					}
					root := supervise.New("root", rootOpts...)
					to := root
					var runs atomic.Int64
					for i := range supervisors {
						below := supervise.New(fmt.Sprint("s", i), opts...)
						below.Add("a", func(ctx context.Context) error { runs.Add(1); <-ctx.Done(); return nil }, taskOpts...)
						to.Add(fmt.Sprint("s", i), below.Run)
						if shape == "in one another" {
							to = below
						}
					}
					begun := time.Now()
					err := root.Run(bubble(t, time.Minute))
					if took := time.Since(begun); err != errStop || took != time.Minute+time.Second {
						t.Errorf("Run returned %v after %v", err, took)
					}
					if runs.Load() != supervisors {
						t.Errorf("%d of %d tasks ran", runs.Load(), supervisors)
					}
				})
			})
		}
	}
}

// What waits for an observer that blocks is bounded, however often tasks are stopped and
// started meanwhile.
func TestBlockedObserverAndManyStops(t *testing.T) {
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	synctest.Test(t, func(t *testing.T) {
		free := make(chan struct{})
		var heard, missed atomic.Uint64
		slow := supervise.ObserverFunc(func(e supervise.Event) {
			<-free
			heard.Add(1)
			missed.Add(e.Dropped)
		})
		s := supervise.New("s", quiet, supervise.WithObserver(slow))
		task := s.Add("a", waits)
		ctx, cancel := context.WithCancelCause(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		restart := func(times int) {
			for range times {
				task.Restart()
				synctest.Wait()
			}
		}
		synctest.Wait()
		restart(2000) // until there is no more room
		before := heap()
		const more = 20_000
		restart(more)
		if grown := int64(heap()) - int64(before); grown > more*10 { //nolint:gosec // heaps are not that large
			t.Errorf("the heap has grown by %d bytes in %d restarts", grown, more)
		}
		close(free)
		cancel(errStop)
		if err := <-done; err != errStop {
			t.Error(err)
		}
		synctest.Wait()
		if all := heard.Load() + missed.Load(); all != 2*(2000+more+1) || heard.Load() > 2000 {
			t.Errorf("%d events were heard, %d missed", heard.Load(), missed.Load())
		}
	})
}
