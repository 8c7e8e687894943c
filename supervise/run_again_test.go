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

// slowContext does not answer, once it is set so, until it is free.
type slowContext struct {
	context.Context
	slow atomic.Bool
	free chan struct{}
}

func (c *slowContext) Value(key any) any {
	if c.slow.Load() {
		<-c.free
	}
	return c.Context.Value(key)
}

// That the context of a Run is done stops that one, not the one after it, however late it
// is noticed.
func TestDoneContextOfAnEarlierRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := supervise.New("s", quiet)
		runs, end := 0, make(chan struct{})
		s.Add("a", func(ctx context.Context) error {
			if runs++; runs == 1 {
				<-end
				return nil
			}
			<-ctx.Done()
			return nil
		}, supervise.Significant())
		base, cancel := context.WithCancelCause(t.Context())
		first := &slowContext{Context: base, free: make(chan struct{})}
		time.AfterFunc(time.Second, func() {
			first.slow.Store(true)
			cancel(errors.New("the cause of the first")) // of which the supervisor hears later
			close(end)
		})
		if err := s.Run(first); err != nil {
			t.Errorf("the first Run returned %v", err)
		}
		time.AfterFunc(time.Second, func() { close(first.free) })
		begun := time.Now()
		if err := s.Run(bubble(t, time.Minute)); err != errStop || time.Since(begun) != time.Minute {
			t.Errorf("the second Run returned %v after %v", err, time.Since(begun))
		}
	})
}

// A task has ended when its supervisor has, until it is started again.
func TestWaitAfterRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := supervise.New("s", quiet)
		task := s.Add("a", func(ctx context.Context) error { <-ctx.Done(); return nil })
		ends := s.Add("b", func(context.Context) error { return nil })
		never, cancel := context.WithTimeoutCause(t.Context(), time.Hour, errors.New("it has not ended"))
		defer cancel()
		if isDone(task) {
			t.Error("a task whose supervisor has not run yet has ended")
		}
		for range 2 {
			var during atomic.Bool
			time.AfterFunc(time.Second, func() { during.Store(isDone(task)) })
			if err := s.Run(bubble(t, time.Minute)); err != errStop {
				t.Error(err)
			}
			synctest.Wait()
			if during.Load() || !isDone(task) {
				t.Errorf("while its supervisor runs a task has ended: %v; after that: %v", during.Load(), isDone(task))
			}
			if err := task.Wait(never); err != errStop {
				t.Errorf("Wait returned %v", err)
			}
			if err := ends.Wait(never); err != nil {
				t.Errorf("Wait for one that has ended cleanly returned %v", err)
			}
		}
		task.Restart()
		late := s.Add("c", func(ctx context.Context) error { <-ctx.Done(); return nil })
		if isDone(late) {
			t.Error("a task that was added between two runs has ended")
		}
	})
}

func isDone(task *supervise.Task) bool {
	select {
	case <-task.Done():
		return true
	default:
		return false
	}
}

// A supervisor that has been left behind, and ends at last, does not take the one that
// runs as the task by now out of the tree.
func TestLateEndOfASupervisor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := make(chan struct{})
		s := supervise.New("s", quiet)
		task := s.Add("db", func(ctx context.Context) error {
			db := supervise.New("db", quiet)
			if info, _ := supervise.FromContext(ctx); info.Run == 1 {
				db.Add("old", func(context.Context) error { <-free; return nil })
			} else {
				db.Add("new", func(ctx context.Context) error { <-ctx.Done(); return nil })
			}
			return db.Run(ctx)
		}, supervise.WithStopTimeout(time.Second), supervise.Overlap())
		var before, after []string
		time.AfterFunc(1*time.Minute, func() { task.Restart() })
		time.AfterFunc(2*time.Minute, func() { before = paths(s); close(free) })
		time.AfterFunc(3*time.Minute, func() { after = paths(s) })
		if err := s.Run(bubble(t, 4*time.Minute)); err != errStop {
			t.Error(err)
		}
		synctest.Wait()
		want := []string{"s/db", "s/db/new"}
		if !slices.Equal(before, want) || !slices.Equal(after, want) {
			t.Errorf("%v, then %v; not %v", before, after, want)
		}
		if got := paths(s); !slices.Equal(got, want[:1]) {
			t.Errorf("%v when all has ended", got)
		}
	})
}

// paths returns the paths of all tasks.
func paths(s *supervise.Supervisor) (all []string) {
	for task := range s.Tasks() {
		all = append(all, task.Name())
	}
	return all
}
