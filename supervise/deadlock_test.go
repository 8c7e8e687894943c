package supervise_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/supervise"
)

// A deadlock in a bubble fails the test at once.

// TestControlAtAnyTime calls all that a task and its supervisor offer from places
// where something might be locked, at each time of a supervisor's life.
func TestControlAtAnyTime(t *testing.T) {
	everything := func(s *supervise.Supervisor) {
		for task := range s.Tasks() {
			_ = task.Status()
			_ = task.Name()
			_ = task.Release()
			task.Stop()
			task.Restart()
		}
		_, _ = s.TryAdd("once", func(context.Context) error { return nil }, supervise.WithRestart(supervise.Never))
	}
	for name, strategy := range map[string]supervise.Strategy{"one": supervise.OneForOne, "all": supervise.OneForAll, "rest": supervise.RestForOne} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var s *supervise.Supervisor
				meddle := supervise.ObserverFunc(func(e supervise.Event) {
					if e.Run < 3 && e.Task != "root/once" { // an end to it
						everything(s)
					}
				})
				s = supervise.New("root", quiet, second, supervise.WithStrategy(strategy), supervise.WithObserver(meddle))
				var runs atomic.Int64
				for i := range 5 {
					s.Add(fmt.Sprint(i), func(ctx context.Context) error {
						info, _ := supervise.FromContext(ctx)
						if info.Run < 5 {
							everything(s) // from the task
						}
						runs.Add(1)
						supervise.Ready(ctx)
						select {
						case <-ctx.Done():
							if info.Run < 10 {
								everything(s) // while it is stopped
							}
							return ctx.Err()
						case <-time.After(time.Duration(i) * time.Second):
							return errBoom
						}
					}, supervise.WithReadyTimeout(time.Second))
				}
				everything(s) // before Run
				for range 2 {
					ctx, cancel := context.WithCancelCause(t.Context())
					done := make(chan error, 1)
					go func() { done <- s.Run(ctx) }()
					everything(s) // while it starts
					synctest.Wait()
					time.Sleep(time.Minute)
					everything(s)
					cancel(errStop)
					everything(s) // while it stops
					if err := <-done; !errors.Is(err, errStop) {
						t.Error(err)
					}
					everything(s) // after it
				}
				if runs.Load() < 20 {
					t.Errorf("only %d runs", runs.Load())
				}
			})
		})
	}
}

// TestCancelDuringStart stops a supervisor while a task is starting up, while one
// waits to start, and before it begins.
func TestCancelDuringStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for after := range 5 {
			s := supervise.New("root", quiet, supervise.WithMaxStarts(1))
			for i := range 4 {
				s.Add(fmt.Sprint(i), func(ctx context.Context) error {
					select {
					case <-time.After(time.Second):
						supervise.Ready(ctx)
						<-ctx.Done()
					case <-ctx.Done():
					}
					return nil
				}, supervise.WithReadyTimeout(time.Minute))
			}
			stop := time.Duration(after) * 500 * time.Millisecond
			start := time.Now()
			if err := s.Run(bubble(t, stop)); err != errStop || time.Since(start) != stop {
				t.Errorf("stopped after %v: %v after %v", stop, err, time.Since(start))
			}
		}
	})
}

// TestStopOfItself is of tasks that end a supervisor from inside: by the context
// of its Run, and by being stopped one after another.
func TestStopOfItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		s := supervise.New("root", quiet)
		for i := range 3 {
			s.Add(fmt.Sprint(i), func(ctx context.Context) error {
				if i == 1 {
					time.Sleep(time.Second)
					cancel(errStop)
				}
				<-ctx.Done()
				for task := range s.Tasks() {
					task.Stop()
				}
				_, err := s.TryAdd("late", serve)
				if !errors.Is(err, supervise.ErrStopping) {
					t.Errorf("Go while it stops: %v", err)
				}
				return nil
			})
		}
		if err := s.Run(ctx); err != errStop {
			t.Error(err)
		}
	})
}
