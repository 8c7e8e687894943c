package supervise_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// The examples restart at once and log nothing, so that what they print is the
// same each time.
var (
	noDelay = supervise.WithPolicy(policy.Constant(0))
	noLog   = supervise.WithLogger(slog.New(slog.DiscardHandler))
)

// A function that crashes is run again until it returns nil.
func ExampleRun() {
	tries := 0
	err := supervise.Run(context.Background(), func(context.Context) error {
		if tries++; tries < 3 {
			return errors.New("not yet")
		}
		fmt.Println("done at try", tries)
		return nil
	}, noDelay, noLog)
	fmt.Println(err)
	// Output:
	// done at try 3
	// <nil>
}

func count(orders map[string]int) { orders["a"]++ }

// A panic is a crash, and its stack begins where it panicked.
func ExamplePanicError() {
	err := supervise.Run(context.Background(), func(context.Context) error {
		count(nil)
		return nil
	}, supervise.WithRestart(supervise.Never), noLog)
	var panicked *supervise.PanicError
	if errors.As(err, &panicked) {
		fmt.Println(panicked)
		fmt.Println(panicked.Frames()[0].Function)
	}
	// Output:
	// panic: assignment to entry in nil map
	// github.com/holdfast-go/holdfast/supervise_test.count
}

// A policy can give up. The error says so, and what the last crash was.
func ExampleGaveUpError() {
	unauthorized := errors.New("the server does not know us")
	p := policy.Compose(policy.Constant(0), policy.PermanentErrors())
	err := supervise.Run(context.Background(), func(context.Context) error {
		return backoff.Permanent(unauthorized)
	}, supervise.WithName("billing"), supervise.WithPolicy(p), noLog)
	fmt.Println(err)
	fmt.Println(errors.Is(err, supervise.ErrGaveUp), errors.Is(err, unauthorized))
	// Output:
	// supervise: gave up on task "billing" after 1 crash: the server does not know us
	// true true
}

// A gate that the caller holds, too, shows how the task stands, and lets an
// operator force it open.
func ExampleWithGate() {
	g := gate.New(policy.Compose(policy.Constant(0), policy.CrashLoop(3, time.Minute, time.Hour)))
	broken := true
	g.OnTransition(func(t gate.Transition) {
		fmt.Println(t.From.Phase(), "to", t.To.Phase(), "by", t.Cause)
		if t.To.Phase() == gate.CrashLooping {
			go func() { // an operator
				broken = false
				g.ForceRelease()
			}()
		}
	})
	err := supervise.Run(context.Background(), func(context.Context) error {
		if broken {
			return errors.New("broken")
		}
		return nil
	}, supervise.WithGate(g), noLog)
	fmt.Println(err)
	// Output:
	// idle to crash looping by crash
	// crash looping to idle by force release
	// <nil>
}

// A task that should always run is restarted after a clean exit, too.
func ExampleAlways() {
	ctx, stop := context.WithCancel(context.Background())
	runs := 0
	err := supervise.Run(ctx, func(context.Context) error {
		if runs++; runs == 3 {
			stop()
		}
		return nil
	}, supervise.WithRestart(supervise.Always), noDelay, noLog)
	fmt.Println(runs, "runs:", err)
	// Output: 3 runs: context canceled
}

// A task that runs once is observed and logged, and not restarted.
func ExampleOnce() {
	err := supervise.Run(context.Background(), func(context.Context) error {
		return errors.New("migration failed")
	}, supervise.WithRestart(supervise.Never), noLog)
	fmt.Println(err)
	// Output: migration failed
}

// An observer is called for what happens, in order.
func ExampleWithObserver() {
	tries := 0
	_ = supervise.Run(context.Background(), func(context.Context) error {
		if tries++; tries == 1 {
			return errors.New("not yet")
		}
		return nil
	}, supervise.WithName("worker"), noDelay, noLog, supervise.WithObserver(supervise.ObserverFunc(func(e supervise.Event) {
		fmt.Println(e.Task, "run", e.Run, e.Kind, e.Err)
	})))
	// Output:
	// worker run 1 start <nil>
	// worker run 1 crash not yet
	// worker run 2 start <nil>
	// worker run 2 exit <nil>
}

// A run that shows no sign of life is cancelled, and counts as a crash.
func ExampleWithWatchdog() {
	err := supervise.Run(context.Background(), func(ctx context.Context) error {
		for step := range 3 {
			fmt.Println("step", step)
			supervise.Alive(ctx)
		}
		<-ctx.Done() // hangs
		return ctx.Err()
	}, supervise.WithWatchdog(10*time.Millisecond), supervise.WithRestart(supervise.Never), noLog)
	fmt.Println(err)
	// Output:
	// step 0
	// step 1
	// step 2
	// supervise: the watchdog saw no sign of life
}

// store refuses what comes from a run older than the last one that wrote.
type store struct{ fence uint64 }

func (s *store) write(run uint64, what string) {
	if run < s.fence {
		fmt.Println("refused:", what)
		return
	}
	s.fence = run
	fmt.Println("written:", what)
}

// The number of a run fences what a goroutine writes that has outlived its run.
func ExampleFromContext() {
	var s store
	var late func()
	_ = supervise.Run(context.Background(), func(ctx context.Context) error {
		info, _ := supervise.FromContext(ctx)
		if info.LastErr == nil {
			late = func() { s.write(info.Run, "left over from the first run") }
			return errors.New("crash")
		}
		s.write(info.Run, "by the second run")
		late()
		return nil
	}, noDelay, noLog)
	// Output:
	// written: by the second run
	// refused: left over from the first run
}

// A panic in a goroutine that belongs to the run is a crash of the task.
func ExampleGo() {
	err := supervise.Run(context.Background(), func(ctx context.Context) error {
		if err := supervise.Go(ctx, func(context.Context) error { panic("in a goroutine") }); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	}, supervise.WithRestart(supervise.Never), noLog)
	fmt.Println(err)
	// Output: panic: in a goroutine
}
