package supervise_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/supervise"
)

// The watchdog's alarm, and the stop timeout after it, are about one run. Where that ends
// in the very instant in which they are due, the next run, on the same worker, is healthy.
func TestAlarmOfAnEarlierRun(t *testing.T) {
	for _, overlap := range []supervise.TaskOption{nil, supervise.Overlap()} {
		for name, end := range map[string]time.Duration{
			"before the alarm":              999 * time.Millisecond,
			"in the instant of the alarm":   time.Second,
			"in the instant of the timeout": 2 * time.Second,
		} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var j journal
					var live, most atomic.Int64
					s := supervise.New("s", quiet, atOnce, supervise.WithObserver(&j))
					s.Add("a", func(ctx context.Context) error {
						most.Store(max(most.Load(), live.Add(1)))
						defer live.Add(-1)
						if info, _ := supervise.FromContext(ctx); info.Run <= 100 {
							time.Sleep(end) // and no sign of life
							return errBoom
						}
						for supervise.Sleep(ctx, 100*time.Millisecond) == nil {
						}
						return nil
					}, supervise.WithWatchdog(time.Second), supervise.WithStopTimeout(time.Second), overlap)
					if err := s.Run(bubble(t, 10*time.Minute)); !errors.Is(err, errStop) {
						t.Error(err)
					}
					time.Sleep(time.Minute)
					events := j.all()
					for _, wrong := range wrongs(events) {
						t.Error(wrong)
					}
					if len(j.of(supervise.KindStart)) != 101 || overlap == nil && most.Load() > 1 || most.Load() > 2 {
						t.Errorf("%d starts, up to %d at once", len(j.of(supervise.KindStart)), most.Load())
					}
					if out := notReturned(events); len(out) > 0 {
						t.Errorf("%q have not returned", out)
					}
					for _, e := range j.of(supervise.KindAbandon) { // the last one is healthy, as are all that ended before the timeout
						if e.Run > 100 || end < 2*time.Second {
							t.Errorf("run %d was abandoned: %v", e.Run, e.Err)
						}
					}
				})
			})
		}
	}
}

// A run that is being stopped is not watched: however long it takes it is no crash, and
// nothing but the stop cancels it. Nor is it that it was not ready in time.
func TestWatchdogDuringAGracefulStop(t *testing.T) {
	for name, opt := range map[string]supervise.TaskOption{
		"watchdog":      supervise.WithWatchdog(1200 * time.Millisecond),
		"ready timeout": supervise.WithReadyTimeout(1500 * time.Millisecond),
	} {
		for how, stop := range map[string]func(*supervise.Task){
			"the supervisor stops": nil,
			"an operator stops it": func(task *supervise.Task) { task.Stop() },
			"it is restarted":      func(task *supervise.Task) { task.Restart() },
			"it is paused":         func(task *supervise.Task) { task.Pause() },
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var j journal
					var causes []error
					s := supervise.New("s", quiet, second, supervise.WithObserver(&j))
					task := s.Add("a", func(ctx context.Context) error {
						_ = supervise.Sleep(ctx, time.Hour)
						time.Sleep(time.Minute) // what it takes to end well
						causes = append(causes, context.Cause(ctx))
						return nil
					}, opt)
					at := time.Second
					if stop != nil {
						time.AfterFunc(time.Second, func() { stop(task) })
						at = 61500 * time.Millisecond
					}
					if err := s.Run(bubble(t, at)); err != errStop {
						t.Error(err)
					}
					synctest.Wait()
					for _, cause := range causes {
						if errors.Is(cause, supervise.ErrWatchdog) || errors.Is(cause, supervise.ErrNotReady) {
							t.Errorf("it was cancelled with %v", cause)
						}
					}
					if kinds := j.kinds(); slices.Contains(kinds, "crash") || slices.Contains(kinds, "abandon") {
						t.Errorf("%q", kinds)
					}
				})
			})
		}
	}
}
