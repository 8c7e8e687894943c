package gate_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

// bubble runs test in a synctest bubble, with a context that is never done: a
// waiter that does not wake fails the test.
func bubble(t *testing.T, test func(t *testing.T, ctx context.Context)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, context.Background()) })
}

// waiting runs Wait in a goroutine, returns once it blocks, and hands back what
// yields its result after it has ended.
func waiting(ctx context.Context, g *gate.Gate) func() error {
	ended := make(chan error, 1)
	go func() { ended <- g.Wait(ctx) }()
	synctest.Wait()
	return func() error { return <-ended }
}

// wantPassed fails unless so much time has passed since then.
func wantPassed(t *testing.T, since time.Time, want time.Duration) {
	t.Helper()
	if got := time.Since(since); got != want {
		t.Errorf("%v have passed, want %v", got, want)
	}
}

func TestWaitAtAnOpenGate(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		begin := time.Now()
		var zero gate.Gate
		for _, g := range []*gate.Gate{&zero, gate.New(policy.Classic())} {
			if err := g.Wait(ctx); err != nil {
				t.Errorf("Wait = %v, want nil", err)
			}
		}
		wantPassed(t, begin, 0)
	})
}

func TestWaitUntilTheHoldIsOver(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		g := gate.New(policy.Classic())
		begin := time.Now()
		for range 5 {
			g.ObserveCrash(time.Now(), errCrash)
		}
		if err := g.Wait(ctx); err != nil {
			t.Errorf("Wait = %v, want nil", err)
		}
		wantPassed(t, begin, 5*time.Minute)
		wantState(t, mustRelease(t, g), gate.State{})
	})
}

// mustRelease fails unless g was released already.
func mustRelease(t *testing.T, g *gate.Gate) *gate.Gate {
	t.Helper()
	if g.MaybeRelease(time.Now()) {
		t.Error("the gate was not released")
	}
	return g
}

// A hold that is over already is released, without waiting.
func TestWaitReleasesAHoldThatIsOver(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var causes []gate.Cause
		g := gate.New(policy.Classic(), gate.OnTransition(func(tr gate.Transition) { causes = append(causes, tr.Cause) }))
		g.ObserveCrash(time.Now().Add(-time.Second), errCrash)
		begin := time.Now()
		if err := g.Wait(ctx); err != nil {
			t.Errorf("Wait = %v, want nil", err)
		}
		wantPassed(t, begin, 0)
		if len(causes) != 2 || causes[1] != gate.CauseElapsed {
			t.Errorf("causes = %v, want a crash and an elapsed hold", causes)
		}
	})
}

func TestWaitWakesAtOnce(t *testing.T) {
	for name, open := range map[string]func(*gate.Gate){
		"force release": func(g *gate.Gate) { g.ForceRelease() },
		"probe":         func(g *gate.Gate) { g.Probe() },
		"start":         func(g *gate.Gate) { g.ObserveStart(time.Now()) },
		"try start":     func(g *gate.Gate) { g.TryStart(time.Now().Add(time.Second)) },
		"clean exit":    func(g *gate.Gate) { g.ObserveCleanExit(time.Now()) },
		"release":       func(g *gate.Gate) { g.MaybeRelease(time.Now().Add(time.Hour)) },
		"restore":       func(g *gate.Gate) { _ = g.Restore(new(gate.Gate).Snapshot()) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, ctx context.Context) {
				g := gate.New(policy.Classic())
				g.ObserveCrash(time.Now(), errCrash)
				begin := time.Now()
				const waiters = 10
				var results []func() error
				for range waiters {
					results = append(results, waiting(ctx, g))
				}
				open(g)
				for _, result := range results {
					if err := result(); err != nil {
						t.Errorf("Wait = %v, want nil", err)
					}
				}
				wantPassed(t, begin, 0)
			})
		})
	}
}

func TestWaitGoesOnWhenTheHoldIsProlonged(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		g := gate.New(policy.Steps(time.Second, 2*time.Second, 10*time.Second))
		begin := time.Now()
		g.ObserveCrash(time.Now(), errCrash)
		result := waiting(ctx, g)
		time.Sleep(999 * time.Millisecond)
		g.ObserveCrash(time.Now(), errCrash)
		synctest.Wait()
		time.Sleep(time.Second)
		g.ObserveCrash(time.Now(), errCrash)
		if err := result(); err != nil {
			t.Errorf("Wait = %v, want nil", err)
		}
		wantPassed(t, begin, 1999*time.Millisecond+10*time.Second)
	})
}

func TestWaitEndsSoonerWhenTheHoldIsShortened(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		g := gate.New(policy.Steps(time.Hour, time.Second))
		begin := time.Now()
		g.ObserveCrash(time.Now(), errCrash)
		result := waiting(ctx, g)
		g.ObserveCrash(time.Now(), errCrash)
		if err := result(); err != nil {
			t.Errorf("Wait = %v, want nil", err)
		}
		wantPassed(t, begin, time.Second)
	})
}

var errCalledOff = errors.New("called off")

func TestWaitReturnsTheCause(t *testing.T) {
	bubble(t, func(t *testing.T, _ context.Context) {
		for name, p := range map[string]policy.Policy{
			"held": policy.Classic(), "gave up": givesUp, "held for ever": policy.Constant(1<<63 - 1),
		} {
			ctx, cancel := context.WithCancelCause(context.Background())
			g := gate.New(p)
			state := g.ObserveCrash(time.Now(), errCrash)
			result := waiting(ctx, g)
			cancel(errCalledOff)
			if err := result(); !errors.Is(err, errCalledOff) {
				t.Errorf("%s: Wait = %v, want the cause", name, err)
			}
			if g.State() != state {
				t.Errorf("%s: the state is now %v, want it unchanged at %v", name, g.State(), state)
			}
		}
	})
}

func TestWaitWithADeadline(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, 499*time.Millisecond)
		defer cancel()
		g := gate.New(policy.Classic())
		g.ObserveCrash(time.Now(), errCrash)
		if err := g.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Wait = %v, want DeadlineExceeded", err)
		}
	})
}

// A context that is done wins even over an open gate.
func TestWaitWithAContextThatIsDone(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errCalledOff)
	if err := gate.New(policy.Classic()).Wait(ctx); !errors.Is(err, errCalledOff) {
		t.Errorf("Wait = %v, want the cause", err)
	}
}

// givesUp gives up at the first crash.
var givesUp = policy.MaxCrashes(0, time.Minute)(policy.Constant(0))

func TestWaitAtAGateThatGaveUp(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		g := gate.New(givesUp)
		g.ObserveCrash(time.Now(), errCrash)
		begin := time.Now()
		result := waiting(ctx, g)
		time.Sleep(100 * 365 * 24 * time.Hour)
		if g.Admissible(time.Now()) {
			t.Error("time opened it")
		}
		g.ForceRelease()
		if err := result(); err != nil {
			t.Errorf("Wait = %v, want nil", err)
		}
		wantPassed(t, begin, 100*365*24*time.Hour)
	})
}

// A paused gate opens by no time, and by whoever opens it. Paused while somebody waits,
// it keeps them waiting.
func TestWaitAtAPausedGate(t *testing.T) {
	for name, open := range map[string]func(*gate.Gate){
		"force release": func(g *gate.Gate) { g.ForceRelease() },
		"probe":         func(g *gate.Gate) { g.Probe() },
		"start":         func(g *gate.Gate) { g.ObserveStart(time.Now()) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, ctx context.Context) {
				crashed, unused := gate.New(policy.Classic()), new(gate.Gate)
				begin := time.Now()
				crashed.ObserveCrash(begin, errCrash)
				early := waiting(ctx, crashed)
				crashed.Pause()
				unused.Pause()
				late := waiting(ctx, unused)
				time.Sleep(100 * 365 * 24 * time.Hour)
				for _, g := range []*gate.Gate{crashed, unused} {
					if g.Admissible(time.Now()) {
						t.Error("time opened it")
					}
					open(g)
				}
				for _, result := range []func() error{early, late} {
					if err := result(); err != nil {
						t.Errorf("Wait = %v, want nil", err)
					}
				}
				wantPassed(t, begin, 100*365*24*time.Hour)
			})
		})
	}
}

// A gate may be driven by another clock than the one Wait reads. One that is ahead by
// hours or years makes Wait sleep, not spin; one that is not set makes it pass.
func TestWaitWhileEventsComeFromAnotherClock(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		for _, ahead := range []time.Duration{time.Hour, 17 * 365 * 24 * time.Hour} {
			g := gate.New(policy.Classic())
			now := time.Now().Add(ahead)
			s := g.ObserveCrash(now, errCrash)
			result := waiting(ctx, g)
			if g.State() != s {
				t.Errorf("%v ahead: Wait has released it", ahead)
			}
			g.MaybeRelease(now.Add(time.Second))
			if err := result(); err != nil {
				t.Errorf("%v ahead: Wait = %v, want nil", ahead, err)
			}
		}
		for _, now := range []time.Time{{}, time.Now().Add(-1 << 63), time.Unix(0, 0), endless} {
			g := gate.New(policy.Classic())
			g.ObserveCrash(now, errCrash)
			begin := time.Now()
			if err := g.Wait(ctx); err != nil {
				t.Errorf("%v: Wait = %v, want nil", now, err)
			}
			wantPassed(t, begin, 0)
		}
	})
}

// One gate, many waiters, one hold: all pass at the very instant it is over.
func TestManyWait(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var released int
		g := gate.New(policy.Classic(), gate.OnTransition(func(tr gate.Transition) {
			if tr.Cause == gate.CauseElapsed {
				released++
			}
		}))
		g.ObserveCrash(time.Now(), errCrash)
		begin := time.Now()
		var results []func() error
		for range 100 {
			results = append(results, waiting(ctx, g))
		}
		for _, result := range results {
			if err := result(); err != nil {
				t.Errorf("Wait = %v, want nil", err)
			}
		}
		wantPassed(t, begin, 500*time.Millisecond)
		if released != 1 {
			t.Errorf("released %d times, want once", released)
		}
	})
}
