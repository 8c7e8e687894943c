package supervise_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// TestRunCrashes runs a task that ends in some way twice, and then cleanly. Each
// time must count as a crash that is held for a second.
func TestRunCrashes(t *testing.T) {
	other, cancel := context.WithCancel(context.Background())
	cancel()
	for name, test := range map[string]struct {
		end  func() error
		want func(error) bool
	}{
		"error":                 {func() error { return errBoom }, func(err error) bool { return err == errBoom }},
		"panic":                 {func() error { panic("poison") }, isPanic("poison")},
		"panic with an error":   {func() error { panic(errBoom) }, func(err error) bool { return errors.Is(err, errBoom) && isPanic(errBoom)(err) }},
		"panic with nil":        {func() error { panic(nil) }, isA[*runtime.PanicNilError]},
		"nil dereference":       {func() error { var p *int; *p = 1; return nil }, isA[runtime.Error]},
		"goexit":                {func() error { runtime.Goexit(); return nil }, func(err error) bool { return errors.Is(err, supervise.ErrGoexit) }},
		"panic, then goexit":    {func() error { defer runtime.Goexit(); panic("lost") }, func(err error) bool { return errors.Is(err, supervise.ErrGoexit) }},
		"goexit, then panic":    {func() error { defer panic("last"); runtime.Goexit(); return nil }, isPanic("last")},
		"another's cancelation": {other.Err, func(err error) bool { return errors.Is(err, context.Canceled) }},
		"another's deadline":    {func() error { return context.DeadlineExceeded }, func(err error) bool { return errors.Is(err, context.DeadlineExceeded) }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var j journal
				start := time.Now()
				err := supervise.Run(t.Context(), times(2, test.end), second, quiet, supervise.WithObserver(&j))
				if ran := time.Since(start); err != nil || ran != 2*time.Second {
					t.Errorf("Run returned %v after %v", err, ran)
				}
				crashes := j.of(supervise.KindCrash)
				if len(crashes) != 2 || !test.want(crashes[0].Err) || !test.want(crashes[1].Err) {
					t.Errorf("crashes: %+v", crashes)
				}
			})
		})
	}
}

func isPanic(value any) func(error) bool {
	return func(err error) bool {
		var p *supervise.PanicError
		return errors.As(err, &p) && p.Value == value
	}
}

func isA[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}

// TestRunModes shows what Run returns, by how the function ends and the mode.
func TestRunModes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clean := func(context.Context) error { return nil }
		if err := supervise.Run(t.Context(), clean); err != nil {
			t.Errorf("clean exit: %v", err)
		}
		if err := supervise.Run(t.Context(), failing, supervise.WithRestart(supervise.Never), quiet); err != errBoom {
			t.Errorf("Once: %v", err)
		}
		if err := supervise.Run(t.Context(), clean, supervise.WithRestart(supervise.Never)); err != nil {
			t.Errorf("Once, clean exit: %v", err)
		}
		runs := 0
		err := supervise.Run(bubble(t, 10*time.Second+1), func(context.Context) error { runs++; return nil }, supervise.WithRestart(supervise.Always), second)
		if !errors.Is(err, errStop) || runs != 11 {
			t.Errorf("Always: %d runs, %v", runs, err)
		}
	})
}

// TestRunStops shows what Run returns once its context is done.
func TestRunStops(t *testing.T) {
	for name, test := range map[string]struct {
		fn   func(context.Context) error
		want []error // that the error is; nothing more may be joined to one alone
	}{
		"its own error":    {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, []error{errStop}},
		"the cause":        {func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) }, []error{errStop}},
		"wrapped":          {func(ctx context.Context) error { <-ctx.Done(); return fmt.Errorf("polling: %w", ctx.Err()) }, []error{errStop}},
		"joined":           {func(ctx context.Context) error { <-ctx.Done(); return errors.Join(ctx.Err(), context.Cause(ctx)) }, []error{errStop}},
		"joined with more": {func(ctx context.Context) error { <-ctx.Done(); return errors.Join(ctx.Err(), errBoom) }, []error{errStop, errBoom}},
		"panic with it":    {func(ctx context.Context) error { <-ctx.Done(); panic(ctx.Err()) }, []error{errStop, context.Canceled}},
		"nil":              {func(ctx context.Context) error { <-ctx.Done(); return nil }, []error{errStop}},
		"a real error":     {func(ctx context.Context) error { <-ctx.Done(); return errBoom }, []error{errStop, errBoom}},
		"a panic":          {func(ctx context.Context) error { <-ctx.Done(); panic(errBoom) }, []error{errStop, errBoom}},
		"goexit":           {func(ctx context.Context) error { <-ctx.Done(); runtime.Goexit(); return nil }, []error{errStop, supervise.ErrGoexit}},
		"in the hold":      {failing, []error{errStop}},
		"takes its time":   {func(ctx context.Context) error { <-ctx.Done(); time.Sleep(time.Hour); return nil }, []error{errStop}},
		"ignores it":       {func(context.Context) error { time.Sleep(time.Hour); return errBoom }, []error{errStop, errBoom}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				err := supervise.Run(bubble(t, 1500*time.Millisecond), test.fn, supervise.WithPolicy(policy.Constant(time.Minute)), quiet)
				for _, want := range test.want {
					if !errors.Is(err, want) {
						t.Errorf("%v is not %v", err, want)
					}
				}
				if len(test.want) == 1 && err != test.want[0] {
					t.Errorf("got %v, want %v alone", err, test.want[0])
				}
			})
		})
	}
}

func TestRunStoppedBefore(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errStop)
	err := supervise.Run(ctx, func(context.Context) error { t.Error("it ran"); return nil })
	if err != errStop {
		t.Error(err)
	}
}

func TestRunDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var deadline time.Time
		err := supervise.Run(ctx, func(ctx context.Context) error {
			deadline, _ = ctx.Deadline()
			<-ctx.Done()
			return ctx.Err()
		})
		if want, _ := ctx.Deadline(); err != context.DeadlineExceeded || !deadline.Equal(want) {
			t.Errorf("%v, deadline %v", err, deadline)
		}
	})
}

// TestRunCoolDown waits out the five minutes of the classic crash loop.
func TestRunCoolDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		begun := time.Now()
		if err := supervise.Run(t.Context(), times(6, func() error { return errBoom }), classic, quiet, supervise.WithObserver(&j)); err != nil {
			t.Fatal(err)
		}
		var starts []time.Duration
		for _, e := range j.of(supervise.KindStart) {
			starts = append(starts, e.At.Sub(begun))
		}
		const s = time.Second
		want := []time.Duration{0, s / 2, 3 * s / 2, 7 * s / 2, 15 * s / 2, 307*s + s/2, 308 * s}
		if len(starts) != len(want) {
			t.Fatalf("starts at %v", starts)
		}
		for i := range want {
			if starts[i] != want[i] {
				t.Errorf("run %d started at %v, want %v", i+1, starts[i], want[i])
			}
		}
		if trip := j.of(supervise.KindCrash)[4]; trip.State.Phase() != gate.CrashLooping || trip.Streak != 5 {
			t.Errorf("the fifth crash: %+v", trip)
		}
	})
}

// TestRunStable: a run of a minute earns a fresh slate.
func TestRunStable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		crash := times(4, func() error { return errBoom })
		_ = supervise.Run(t.Context(), func(ctx context.Context) error {
			if info, _ := supervise.FromContext(ctx); info.Run == 4 {
				time.Sleep(time.Minute)
			}
			return crash(ctx)
		}, quiet, supervise.WithObserver(&j))
		var streaks []int
		for _, e := range j.of(supervise.KindCrash) {
			streaks = append(streaks, e.Streak)
		}
		if len(streaks) != 4 || streaks[2] != 3 || streaks[3] != 1 {
			t.Errorf("streaks %v", streaks)
		}
		if ran := j.of(supervise.KindCrash)[3].Ran; ran != time.Minute {
			t.Errorf("the stable run lasted %v", ran)
		}
	})
}

func TestRunForceRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		g := gate.New(policy.Constant(24 * time.Hour))
		start := time.Now()
		time.AfterFunc(time.Minute, func() { g.ForceRelease() })
		err := supervise.Run(t.Context(), times(1, func() error { return errBoom }), supervise.WithGate(g), quiet, supervise.WithObserver(&j))
		if waited := time.Since(start); err != nil || waited != time.Minute {
			t.Errorf("%v after %v", err, waited)
		}
		if r := j.of(supervise.KindRelease); len(r) != 1 || !r[0].Forced || r[0].State.Phase() != gate.BackingOff {
			t.Errorf("releases %+v", r)
		}
	})
}

// TestRunUnderHeldGate begins at gates that are held already.
func TestRunUnderHeldGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		err := supervise.Run(t.Context(), func(context.Context) error { return nil }, supervise.WithGate(held(time.Hour)))
		if waited := time.Since(start); err != nil || waited != time.Hour {
			t.Errorf("%v after %v", err, waited)
		}
		if err := supervise.Run(bubble(t, time.Minute), failing, supervise.WithGate(held(time.Hour))); err != errStop {
			t.Errorf("stopped in the hold: %v", err)
		}
		g := gate.New(policy.Compose(policy.Constant(0), policy.MaxCrashes(0, time.Hour)))
		g.ObserveCrash(time.Now(), errBoom)
		err = supervise.Run(t.Context(), failing, supervise.WithGate(g), supervise.WithName("late"), quiet)
		var gave *supervise.GaveUpError
		if !errors.As(err, &gave) || gave.Err != errBoom || gave.Crashes != 1 {
			t.Errorf("at a gate that gave up: %v", err)
		}
	})
}

func TestRunGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := policy.Compose(policy.Constant(time.Second), policy.MaxCrashes(2, time.Hour))
		err := supervise.Run(t.Context(), failing, supervise.WithPolicy(p), supervise.WithName("worker"), quiet)
		if !errors.Is(err, supervise.ErrGaveUp) || !errors.Is(err, errBoom) {
			t.Errorf("%v is not ErrGaveUp and the last error", err)
		}
		if want := `supervise: gave up on task "worker" after 3 crashes: boom`; err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
		p = policy.Compose(policy.Constant(0), policy.MaxCrashes(0, time.Hour))
		err = supervise.Run(t.Context(), failing, supervise.WithPolicy(p), supervise.WithName("x"), quiet)
		if want := `supervise: gave up on task "x" after 1 crash: boom`; err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
	})
}

// TestRunGivesUpAfterCleanExit is of a policy that gives up on an Always task.
func TestRunGivesUpAfterCleanExit(t *testing.T) {
	never := policy.Func(func(policy.History) policy.Decision { return policy.Decision{Verdict: policy.GiveUp} })
	err := supervise.Run(t.Context(), func(context.Context) error { return nil },
		supervise.WithRestart(supervise.Always), supervise.WithPolicy(never), supervise.WithName("x"), quiet)
	if want := `supervise: gave up on task "x" after 0 crashes`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
}

// TestRunPolicyPanics: a policy which panics counts as the default one,
// and that this is reported once.
func TestRunPolicyPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		broken := policy.Func(func(policy.History) policy.Decision { panic("not today") })
		start := time.Now()
		err := supervise.Run(t.Context(), times(2, func() error { return errBoom }), supervise.WithPolicy(broken), quiet, supervise.WithObserver(&j))
		if waited := time.Since(start); err != nil || waited < 1500*time.Millisecond || waited > 1650*time.Millisecond {
			t.Errorf("%v after %v", err, waited)
		}
		faults := j.of(supervise.KindFault)
		if len(faults) != 1 || !isPanic("not today")(faults[0].Err) {
			t.Errorf("faults %+v", faults)
		}
		var p *supervise.PanicError
		if errors.As(faults[0].Err, &p); !strings.Contains(p.Frames()[0].Function, "TestRunPolicyPanics") {
			t.Errorf("stack:\n%s", p.Stack())
		}
	})
}

// TestRunHostileErrors is of errors whose methods panic.
func TestRunHostileErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := supervise.Run(t.Context(), times(2, func() error { return hostile{} }), atOnce, supervise.WithLogger(discardButFormat()))
		if err != nil {
			t.Error(err)
		}
		err = supervise.Run(bubble(t, time.Second), func(ctx context.Context) error { <-ctx.Done(); return hostile{} }, quiet)
		if !errors.Is(err, errStop) {
			t.Error("it is not the cause")
		}
	})
}

type hostile struct{}

func (hostile) Error() string   { panic("no text") }
func (hostile) Is(e error) bool { panic("no identity") }

func TestRunPanicsOnNil(t *testing.T) {
	var none context.Context
	for want, call := range map[string]func(){
		"ctx is nil": func() { _ = supervise.Run(none, failing) },
		"fn is nil":  func() { _ = supervise.Run(t.Context(), nil) },
	} {
		mustPanic(t, want, call)
	}
}

func mustPanic(t *testing.T, want string, call func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if got, _ := recover().(string); !strings.Contains(got, want) {
			t.Errorf("panicked with %q, want %q in it", got, want)
		}
	}()
	call()
}
