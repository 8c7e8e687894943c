package supervise_test

import (
	"context"
	"flag"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/holdfast-go/holdfast/supervise"
)

var flatFactor = flag.Int("flat", 1, "how many times longer TestHeapIsFlat goes on: 100 for ten million restarts and a million tasks")

// heap returns the bytes that are reachable.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // it is no exabyte
}

// isFlat fails if the heap has grown between the tenth part of what there is to do and the
// end of it.
func isFlat(t *testing.T, what string, early, late int64) {
	t.Helper()
	t.Logf("%s: %d KiB after a tenth, %d KiB at the end", what, early>>10, late>>10)
	if grown := late - early; grown > 512<<10 {
		t.Errorf("%s: the heap has grown by %d KiB", what, grown>>10)
	}
}

// TestHeapIsFlat: neither restarts nor tasks that come and go leave anything behind.
func TestHeapIsFlat(t *testing.T) {
	t.Run("restarts", func(t *testing.T) {
		runs := uint64(100_000 * *flatFactor) //nolint:gosec // it is positive
		var early, late int64
		_ = supervise.Run(t.Context(), func(ctx context.Context) error {
			switch info, _ := supervise.FromContext(ctx); info.Run {
			case runs / 10:
				early = heap()
			case runs:
				late = heap()
				return nil
			}
			return errBoom
		}, atOnce, quiet, supervise.WithRestart(supervise.OnCrash))
		isFlat(t, "restarts", early, late)
	})
	t.Run("tasks", func(t *testing.T) {
		tasks := 10_000 * *flatFactor
		s := supervise.New("s", quiet, atOnce)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()
		var early int64
		for i := range tasks {
			if i == tasks/10 {
				early = heap()
			}
			var crashed atomic.Bool
			task := s.Add(strconv.Itoa(i), func(ctx context.Context) error {
				if !crashed.Swap(true) {
					return errBoom
				}
				<-ctx.Done()
				return nil
			})
			if i%2 == 0 {
				task.Restart()
			}
			task.Remove()
			_ = task.Wait(t.Context())
		}
		late := heap()
		cancel()
		<-done
		isFlat(t, "tasks", early, late)
	})
}
