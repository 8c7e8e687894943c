package supervise_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/supervise"
)

// mallocs returns how many allocations a restart takes, on average over many,
// after a warm-up.
func mallocs(t *testing.T, fail func(context.Context) error, opts ...supervise.RunOption) float64 {
	t.Helper()
	const warmUp, runs = 100, 10_000
	var before, after runtime.MemStats
	err := supervise.Run(t.Context(), func(ctx context.Context) error {
		switch info, _ := supervise.FromContext(ctx); info.Run {
		case warmUp:
			runtime.ReadMemStats(&before)
		case warmUp + runs:
			runtime.ReadMemStats(&after)
			return nil
		}
		return fail(ctx)
	}, append(opts, atOnce, quiet)...)
	if err != nil {
		t.Fatal(err)
	}
	return float64(after.Mallocs-before.Mallocs) / runs
}

// TestAllocs holds the restart path to its budget. Contexts are made 32 at a time,
// which is why a restart allocates once in a while.
func TestAllocs(t *testing.T) {
	for name, test := range map[string]struct {
		fail   func(context.Context) error
		budget float64
	}{
		"error": {failing, 0.05},
		"panic": {func(context.Context) error { panic(errBoom) }, 3},
		// That the context was looked at costs its working part.
		"context used": {func(ctx context.Context) error { ctx.Done(); return errBoom }, 4.1},
	} {
		t.Run(name, func(t *testing.T) {
			if got := mallocs(t, test.fail); got > test.budget {
				t.Errorf("%.2f allocations a restart, the budget is %v", got, test.budget)
			}
		})
	}
	t.Run("observer that wants nothing", func(t *testing.T) {
		if got := mallocs(t, failing, supervise.WithObserver(&choosy{})); got > 0.05 {
			t.Errorf("%.2f allocations a restart", got)
		}
	})
}

// TestStackIsLazy: a panic's stack is not formatted until it is asked
// for: that would allocate for each frame.
func TestStackIsLazy(t *testing.T) {
	p := caughtFrom(t, func() { panic(errBoom) })
	if n := testing.AllocsPerRun(10, func() { _ = p.Stack() }); n < 3 {
		t.Errorf("formatting takes %v allocations; it seems to have been done before", n)
	}
	if n := testing.AllocsPerRun(10, func() { _ = errors.Is(p, errBoom) }); n > 0 {
		t.Errorf("errors.Is takes %v allocations", n)
	}
}

// TestHealthyTaskHasNoHistory: a task that never crashes allocates no
// history.
func TestHealthyTaskHasNoHistory(t *testing.T) {
	g := new(gate.Gate)
	fn := func(context.Context) error { return nil }
	if err := supervise.Run(t.Context(), fn, supervise.WithGate(g), supervise.WithLogger(slog.New(slog.DiscardHandler))); err != nil {
		t.Fatal(err)
	}
	if r := g.Snapshot().History; len(r.Crashes) != 0 || r.Total != 0 {
		t.Errorf("history: %+v", r)
	}
	// A copy of a history copies its ring, if there is one.
	if n := testing.AllocsPerRun(10, func() { h := g.History(); runtime.KeepAlive(&h) }); n > 1 {
		t.Errorf("there is a ring: a copy takes %v allocations", n)
	}
}

// TestHealthyTaskIsOneGoroutine shows what a task costs between its crashes: the
// goroutine that serves it, beside the one that waits in Run.
func TestHealthyTaskIsOneGoroutine(t *testing.T) {
	for ours() > 0 { // the last moments of another test's
		runtime.Gosched()
	}
	var during int
	err := supervise.Run(t.Context(), func(context.Context) error {
		during = ours()
		return nil
	})
	if err != nil || during != 2 {
		t.Errorf("%v; %d goroutines", err, during)
	}
}

// ours returns how many goroutines are in the supervise package.
func ours() (n int) {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for goroutine := range strings.SplitSeq(string(stacks), "\n\n") {
		if strings.Contains(goroutine, "holdfast/supervise.") {
			n++
		}
	}
	return n
}

// TestSize holds what a task takes that has never crashed. It is an allocation of
// its own, in which the first run's worker and context are.
func TestSize(t *testing.T) {
	if size := unsafe.Sizeof(supervise.Task{}); size > 192 {
		t.Errorf("a Task has %d bytes, the budget is 192", size)
	}
}

// TestFirstCrashKeepsTheSmallStack: a goroutine begins with a stack of 2 KiB, and what
// happens at a crash must fit in it beside the function. Otherwise the runtime copies the
// stack to one of 4 KiB, which takes longer than all else at a first crash.
func TestFirstCrashKeepsTheSmallStack(t *testing.T) {
	const tasks = 4000
	s := supervise.New("s", quiet, atOnce, supervise.Unordered())
	crash := make(chan struct{})
	var up sync.WaitGroup
	up.Add(tasks)
	for i := range tasks {
		s.Add(strconv.Itoa(i), func(ctx context.Context) error {
			if info, _ := supervise.FromContext(ctx); info.Run == 1 {
				up.Done()
				<-crash
				return errBoom
			}
			up.Done()
			<-ctx.Done()
			return nil
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	var before, after runtime.MemStats
	up.Wait()
	runtime.ReadMemStats(&before)
	up.Add(tasks)
	close(crash)
	up.Wait()
	runtime.ReadMemStats(&after)
	if more := (int64(after.StackInuse) - int64(before.StackInuse)) / tasks; more > 1024 {
		t.Errorf("after a first crash each stack has %d bytes more", more)
	}
	cancel()
	<-done
}
