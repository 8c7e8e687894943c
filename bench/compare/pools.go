package compare

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime/debug"
	"sync"
	"time"

	"cirello.io/oversight/v2"
	"github.com/thejerf/suture/v4"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// Task is the function of task i.
type Task func(ctx context.Context, i int) error

// Pool keeps many tasks running, and restarts at once those that crash.
type Pool struct {
	Name     string
	Restarts bool // after an error
	Recovers bool // and restarts after a panic
	// Start runs a task of each name. The stop it returns cancels their contexts
	// and returns when all have ended.
	Start func(names []string, task Task) (stop func())
}

// Pools are the ways to keep many goroutines running.
var Pools = []Pool{
	{"holdfast", true, true, func(names []string, task Task) func() {
		return startHoldfast(names, task, supervise.Unordered())
	}},
	{"holdfast-in-order", true, true, func(names []string, task Task) func() {
		return startHoldfast(names, task)
	}},
	{"suture", true, true, startSuture},
	{"oversight", true, true, startOversight},
	{"goroutine", true, true, startGoroutines},
	{"errgroup", false, false, startErrgroup},
}

func startHoldfast(names []string, task Task, opts ...supervise.SupervisorOption) func() {
	ctx, cancel := context.WithCancel(context.Background())
	s := supervise.New("pool", append(opts, supervise.WithPolicy(policy.Constant(0)),
		supervise.WithLogger(slog.New(slog.DiscardHandler)))...)
	for i, name := range names {
		if _, err := s.TryAdd(name, func(ctx context.Context) error { return task(ctx, i) }); err != nil {
			panic(fmt.Sprintf("compare: %v", err))
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Run(ctx) // the cause of ctx
	}()
	return func() { cancel(); <-done }
}

// service is a task as suture wants it. It has a name, or suture would print all
// its fields.
type service struct {
	name string
	i    int
	task Task
}

func (s *service) Serve(ctx context.Context) error { return s.task(ctx, s.i) }
func (s *service) String() string                  { return s.name }

func startSuture(names []string, task Task) func() {
	ctx, cancel := context.WithCancel(context.Background())
	s := suture.New("pool", suture.Spec{
		EventHook:        func(suture.Event) {},
		FailureThreshold: math.MaxFloat64, // it never pauses
		Timeout:          10 * time.Minute,
	})
	for i, name := range names {
		s.Add(&service{name, i, task})
	}
	done := s.ServeBackground(ctx)
	return func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			panic(fmt.Sprintf("compare: suture ended with %v", err))
		}
	}
}

// startOversight restarts what ends with an error, as often as that does.
func startOversight(names []string, task Task) func() {
	ctx, cancel := context.WithCancel(context.Background())
	tree := oversight.New(oversight.NeverHalt(), oversight.WithLogger(func(...any) {}))
	for i, name := range names {
		run := func(ctx context.Context) error { return task(ctx, i) }
		if err := tree.Add(run, oversight.Transient(), oversight.Natural(), name); err != nil {
			panic(fmt.Sprintf("compare: %v", err))
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = tree.Start(ctx) // how it ended is in the context
	}()
	return func() { cancel(); <-done }
}

// startGoroutines is what one writes by hand: a loop, and a recover that keeps
// the stack.
func startGoroutines(names []string, task Task) func() {
	all, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for i := range names {
		ctx, free := context.WithCancel(all)
		running.Go(func() {
			defer free()
			for ctx.Err() == nil && runRecovered(ctx, i, task) != nil {
			}
		})
	}
	return func() { cancel(); running.Wait() }
}

func runRecovered(ctx context.Context, i int, task Task) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return task(ctx, i)
}

func startErrgroup(names []string, task Task) func() {
	ctx, cancel := context.WithCancel(context.Background())
	group, ctx := errgroup.WithContext(ctx)
	for i := range names {
		group.Go(func() error { return task(ctx, i) })
	}
	return func() { cancel(); _ = group.Wait() }
}
