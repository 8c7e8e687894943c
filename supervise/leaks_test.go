package supervise

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// What is kept of tasks and runs that are over is bounded. These tests look inside, as a
// heap that grows is hard to see.

var silent = WithLogger(slog.New(slog.DiscardHandler))

// during runs a supervisor in a bubble, calls do after a second, and stops it.
func during(t *testing.T, s *Supervisor, do func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	time.Sleep(time.Second)
	do()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func untilDone(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// Supervisors that were added and removed are forgotten.
func TestRemovedSupervisorsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New("s", silent)
		during(t, s, func() {
			for i := range 100 {
				below := New("below", silent)
				below.Add("a", untilDone)
				task := s.Add(fmt.Sprint(i), below.Run)
				synctest.Wait()
				task.Remove()
				if err := task.Wait(t.Context()); !errors.Is(err, ErrStopped) {
					t.Error(err)
				}
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if len(s.children) > 0 {
				t.Errorf("%d supervisors are kept", len(s.children))
			}
		})
	})
}

// One that was forgotten and is started again is in the tree again.
func TestForgottenSupervisorComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := New("below", silent)
		below.Add("a", untilDone)
		s := New("s", silent)
		task := s.Add("below", below.Run, WithRestart(Never))
		during(t, s, func() {
			for range 2 {
				task.Stop()
				synctest.Wait()
				if s.Task("s/below/a") != nil {
					t.Error("it is in the tree when it was stopped")
				}
				task.Restart()
				synctest.Wait()
				if a := s.Task("s/below/a"); a == nil || a.Status().State != Running {
					t.Error("it is not in the tree")
				}
			}
		})
	})
}

// The feeds of a nested supervisor's own observers end with its run.
func TestFeedsOfEarlierRunsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var heard atomic.Int64
		own := WithObserver(ObserverFunc(func(e Event) { heard.Add(1) }))
		below := New("below", silent, own)
		below.Add("a", untilDone)
		below.Add("b", untilDone, own)
		s := New("s", silent)
		task := s.Add("below", below.Run)
		during(t, s, func() {
			for range 100 {
				task.Restart()
				synctest.Wait()
			}
			s.mu.Lock()
			all := s.tree.env.all
			s.mu.Unlock()
			all.mu.Lock()
			defer all.mu.Unlock()
			if len(all.feeds) > 10 {
				t.Errorf("%d feeds are kept after 100 runs", len(all.feeds))
			}
		})
		synctest.Wait()
		if want := int64(3 * 2 * 101); heard.Load() != want { // a start and a stop of a, and of b twice
			t.Errorf("the observers heard of %d events, not %d", heard.Load(), want)
		}
	})
}

// Of runs that were abandoned those are kept that have not returned, also if there is
// always one.
func TestReturnedRunsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New("s", silent, WithPolicy(policy.Constant(0)))
		task := s.Add("a", func(context.Context) error { time.Sleep(10 * time.Second); return nil },
			WithWatchdog(time.Second), WithStopTimeout(time.Second), Overlap())
		during(t, s, func() {
			time.Sleep(time.Hour)
			s.mu.Lock()
			kept := 0
			for left := s.left[task]; left != nil; left = left.before {
				kept++
			}
			s.mu.Unlock()
			if got := task.Status().Abandoned; kept != got || kept > 5 {
				t.Errorf("%d runs are kept, of which %d have not returned", kept, got)
			}
		})
		time.Sleep(time.Minute)
		if s.mu.Lock(); len(s.left) > 0 {
			t.Errorf("%d are kept when all have returned", len(s.left))
		}
		s.mu.Unlock()
	})
}

// The inbox of a supervisor does not grow when its Run has returned, whatever is asked
// of its tasks, and whatever runs that were abandoned call.
func TestNothingPilesUpAfterRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := make(chan struct{})
		s := New("s", silent)
		s.Add("stale", func(ctx context.Context) error {
			<-free
			for range 10_000 {
				Ready(ctx)
				Alive(ctx)
			}
			return nil
		}, WithStopTimeout(time.Second), WithReadyTimeout(time.Hour), WithWatchdog(time.Hour))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if err := s.Run(ctx); !errors.Is(err, ErrAbandoned) {
			t.Error(err)
		}
		close(free)
		synctest.Wait()
		for range 1000 {
			for task := range s.Tasks() {
				task.Stop()
				task.Restart()
				task.Release()
				task.Pause()
				task.Release()
			}
			task, err := s.TryAdd("late", untilDone)
			if err != nil {
				t.Fatal(err)
			}
			task.Remove()
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.todo) > 0 || len(s.tasks) > 10 || len(s.waiting) > 0 || len(s.names) != 1 {
			t.Errorf("%d things are to be done, %d places, %d waits, %d names", len(s.todo), len(s.tasks), len(s.waiting), len(s.names))
		}
		if slices.Contains(s.tasks, nil) && s.machine.Len() != len(s.tasks) {
			t.Errorf("%d places of %d", len(s.tasks), s.machine.Len())
		}
	})
}
