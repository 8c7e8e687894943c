package supervise_test

import (
	"context"
	"errors"
	"fmt"
	"runtime/metrics"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/supervise"
)

// worldStops returns how often the world was stopped for anything but a collection.
func worldStops() (n uint64) {
	sample := []metrics.Sample{{Name: "/sched/pauses/total/other:seconds"}}
	metrics.Read(sample)
	for _, count := range sample[0].Value.Float64Histogram().Counts {
		n += count
	}
	return n
}

// TestAbandonMany leaves very many tasks behind at once, which takes the stop timeout:
// they share the dumps of all stacks, each of which stops the world, and no other task is
// held up.
func TestAbandonMany(t *testing.T) {
	for _, tasks := range []int{1000, 3000} {
		t.Run(fmt.Sprint(tasks), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				free := make(chan struct{})
				s := supervise.New("s", quiet, supervise.Unordered(), supervise.WithStopTimeout(100*time.Millisecond))
				for i := range tasks {
					s.Add(fmt.Sprint(i), func(context.Context) error { return stuckHere(free) })
				}
				ctx, cancel := context.WithCancelCause(t.Context())
				done := make(chan error, 1)
				go func() { done <- s.Run(ctx) }()
				synctest.Wait()
				before, asked := worldStops(), time.Now()
				cancel(errStop)
				err := <-done
				stops, took := worldStops()-before, time.Since(asked)
				close(free)
				if took != 100*time.Millisecond {
					t.Errorf("Run returned after %v", took)
				}
				if most := uint64(tasks) / 10; stops > most { //nolint:gosec // it is not negative
					t.Errorf("the world was stopped %d times, for %d tasks", stops, tasks)
				}
				named := 0
				for _, left := range abandoned(err) {
					if strings.Contains(string(left.Stack), "supervise_test.stuckHere(") {
						named++
					}
				}
				if named != tasks || !errors.Is(err, errStop) {
					t.Errorf("%d tasks are named with their stacks, of %d", named, tasks)
				}
			})
		})
	}
}

// abandoned returns the errors of abandoned runs in an error of Run.
func abandoned(err error) (all []*supervise.AbandonedError) {
	if left, ok := err.(*supervise.AbandonedError); ok {
		return append(all, left)
	}
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, inner := range several.Unwrap() {
			all = append(all, abandoned(inner)...)
		}
	}
	return all
}

// Those that are overdue one after another, by the watchdog, are found one by one.
func TestAbandonOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const tasks = 100
		free := make(chan struct{})
		var j journal
		s := supervise.New("s", quiet, second, supervise.WithObserver(&j))
		for i := range tasks {
			s.Add(fmt.Sprint(i), func(context.Context) error { return stuckHere(free) },
				supervise.WithWatchdog(time.Second+time.Duration(i)), supervise.WithStopTimeout(time.Second))
		}
		err := s.Run(bubble(t, time.Minute))
		close(free)
		if !errors.Is(err, errStop) {
			t.Error(err)
		}
		for _, e := range j.of(supervise.KindAbandon) {
			left, _ := errors.AsType[*supervise.AbandonedError](e.Err)
			if !strings.Contains(string(left.Stack), "supervise_test.stuckHere(") {
				t.Errorf("%s: the stack is %s", left.Task, left.Stack)
			}
		}
		if n := len(j.of(supervise.KindAbandon)); n != tasks {
			t.Errorf("%d of %d tasks were abandoned", n, tasks)
		}
	})
}
