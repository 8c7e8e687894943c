package compare_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/holdfast-go/holdfast/bench/compare"
)

var errCrash = errors.New("the dependency is gone")

func names(n int) []string {
	s := make([]string, n)
	for i := range s {
		s[i] = "task-" + strconv.Itoa(i)
	}
	return s
}

// crashesThenIdles is a task that crashes so many times, in each of the pool's
// tasks, and then waits for its context.
func crashesThenIdles(n, times int, crash func() error) (task compare.Task, idle *sync.WaitGroup, runs []atomic.Int64) {
	runs, idle = make([]atomic.Int64, n), &sync.WaitGroup{}
	idle.Add(n)
	return func(ctx context.Context, i int) error {
		if runs[i].Add(1) <= int64(times) {
			return crash()
		}
		idle.Done()
		<-ctx.Done()
		return nil
	}, idle, runs
}

func TestPoolsRestartWhatCrashes(t *testing.T) {
	const tasks, times = 10, 3
	ends := map[string]func() error{
		"error": func() error { return errCrash },
		"panic": func() error { panic(errCrash) },
	}
	for _, pool := range compare.Pools {
		for end, crash := range ends {
			if !pool.Restarts || end == "panic" && !pool.Recovers {
				continue
			}
			t.Run(pool.Name+"/"+end, func(t *testing.T) {
				task, idle, runs := crashesThenIdles(tasks, times, crash)
				stop := pool.Start(names(tasks), task)
				idle.Wait()
				stop()
				for i := range runs {
					if got := runs[i].Load(); got != times+1 {
						t.Errorf("task %d ran %d times, want %d", i, got, times+1)
					}
				}
			})
		}
	}
}

func TestPoolsStopAllTheyStarted(t *testing.T) {
	const tasks = 100
	for _, pool := range compare.Pools {
		t.Run(pool.Name, func(t *testing.T) {
			var started, ended atomic.Int64
			var up sync.WaitGroup
			up.Add(tasks)
			stop := pool.Start(names(tasks), func(ctx context.Context, _ int) error {
				started.Add(1)
				up.Done()
				<-ctx.Done()
				ended.Add(1)
				return nil
			})
			up.Wait()
			stop()
			if started.Load() != tasks || ended.Load() != tasks {
				t.Errorf("%d started and %d ended, want %d", started.Load(), ended.Load(), tasks)
			}
		})
	}
}

func TestRetriesCallUntilNil(t *testing.T) {
	for _, retry := range compare.Retries {
		t.Run(retry.Name, func(t *testing.T) {
			var calls atomic.Int64
			err := retry.Run(func() error {
				switch n := calls.Add(1); {
				case n == 50:
					return nil
				case n == 25 && retry.Recovers:
					panic(errCrash)
				}
				return errCrash
			})
			if err != nil || calls.Load() != 50 {
				t.Errorf("%d calls and %v, want 50 and nil", calls.Load(), err)
			}
		})
	}
}

func TestDecidersDecide(t *testing.T) {
	for _, decider := range compare.Deciders {
		t.Run(decider.Name, func(t *testing.T) {
			d := decider.New(true)
			if d.Held() {
				t.Error("held before a crash")
			}
			for range 5 {
				d.Crash()
			}
			if !d.Held() {
				t.Error("not held after five crashes")
			}
			if d.Read != nil {
				d.Read()
			}
		})
	}
}

func TestDecidersThatDoNotTripGoOnDeciding(t *testing.T) {
	for _, name := range []string{"gobreaker", "failsafe-breaker"} {
		for _, decider := range compare.Deciders {
			if decider.Name != name {
				continue
			}
			d := decider.New(false)
			for range 1000 {
				d.Crash()
			}
			if d.Held() {
				t.Errorf("%s is held, want its work to go on", name)
			}
		}
	}
}
