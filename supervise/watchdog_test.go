package supervise_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/supervise"
)

func TestWatchdogQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := supervise.Run(t.Context(), func(ctx context.Context) error {
			for range 1000 {
				time.Sleep(time.Minute)
				supervise.Alive(ctx)
			}
			time.Sleep(time.Minute)
			return ctx.Err()
		}, supervise.WithWatchdog(time.Minute+1), supervise.WithRestart(supervise.Never))
		if err != nil {
			t.Error(err)
		}
	})
}

// TestWatchdogBites shows when, and that the run is a crash however it ends.
func TestWatchdogBites(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(context.Context) error
		want []error
	}{
		"its own error": {func(ctx context.Context) error { return ctx.Err() }, []error{supervise.ErrWatchdog}},
		"nil":           {func(context.Context) error { return nil }, []error{supervise.ErrWatchdog}},
		"a real error":  {func(context.Context) error { return errBoom }, []error{supervise.ErrWatchdog, errBoom}},
		"a panic":       {func(context.Context) error { panic(errBoom) }, []error{supervise.ErrWatchdog, errBoom}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				err := supervise.Run(t.Context(), func(ctx context.Context) error {
					time.Sleep(40 * time.Second)
					supervise.Alive(ctx)
					<-ctx.Done()
					if ran := time.Since(start); ran != 100*time.Second || context.Cause(ctx) != supervise.ErrWatchdog {
						t.Errorf("cancelled after %v with %v", ran, context.Cause(ctx))
					}
					return test.end(ctx)
				}, supervise.WithWatchdog(time.Minute), supervise.WithRestart(supervise.Never), quiet)
				for _, want := range test.want {
					if !errors.Is(err, want) {
						t.Errorf("%v is not %v", err, want)
					}
				}
				if len(test.want) == 1 && err != test.want[0] {
					t.Errorf("%v is more than %v", err, test.want[0])
				}
			})
		})
	}
}

func TestWatchdogEachRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		start := time.Now()
		err := supervise.Run(t.Context(), func(ctx context.Context) error {
			if runs++; runs == 4 {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}, supervise.WithWatchdog(time.Minute), atOnce, quiet)
		if took := time.Since(start); err != nil || took != 3*time.Minute {
			t.Errorf("%v after %v", err, took)
		}
	})
}

// TestWatchdogHung is of a run that does not end though it was cancelled: that is
// told with its stack, and no second run begins before it has.
func TestWatchdogHung(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		runs := 0
		err := supervise.Run(t.Context(), func(context.Context) error {
			if runs++; runs == 2 {
				return nil
			}
			deaf(time.Hour)
			return nil
		}, supervise.WithName("x"), supervise.WithWatchdog(time.Minute), supervise.WithStopTimeout(time.Second), atOnce, quiet, supervise.WithObserver(&j))
		if err != nil || runs != 2 {
			t.Error(err, runs)
		}
		events := j.all()
		start, told := events[0].At, j.of(supervise.KindAbandon)
		if len(told) != 1 || told[0].At.Sub(start) != 61*time.Second || told[0].Run != 1 {
			t.Fatalf("told: %+v", told)
		}
		var stuck *supervise.AbandonedError
		if !errors.As(told[0].Err, &stuck) || stuck.Task != "x" || !errors.Is(stuck, supervise.ErrWatchdog) || !strings.Contains(string(stuck.Stack), "supervise_test.deaf") {
			t.Errorf("error: %v", told[0].Err)
		}
		if crash := j.of(supervise.KindCrash); len(crash) != 1 || crash[0].Ran != 61*time.Second || !errors.Is(crash[0].Err, supervise.ErrWatchdog) {
			t.Errorf("crash: %+v", crash)
		}
		if back := j.of(supervise.KindReturn); len(back) != 1 || back[0].At.Sub(start) != time.Hour || back[0].Run != 1 {
			t.Errorf("return: %+v", back)
		}
	})
}

// deaf does not listen.
func deaf(d time.Duration) { time.Sleep(d) }

func TestAliveElsewhere(t *testing.T) {
	supervise.Alive(t.Context())
	supervise.Ready(t.Context())
	err := supervise.Run(t.Context(), func(ctx context.Context) error {
		supervise.Alive(ctx)
		supervise.Ready(ctx)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestReadyTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		start := time.Now()
		err := supervise.Run(t.Context(), func(ctx context.Context) error {
			switch runs++; runs {
			case 1: // too late, and says so
				<-ctx.Done()
				supervise.Ready(ctx)
				return context.Cause(ctx)
			case 2: // too late, and does not say so
				time.Sleep(2 * time.Minute)
				return nil
			}
			supervise.Ready(ctx)
			supervise.Ready(ctx)
			time.Sleep(time.Hour)
			return ctx.Err()
		}, supervise.WithReadyTimeout(time.Minute), atOnce, quiet)
		if took := time.Since(start); err != nil || runs != 3 || took != time.Hour+3*time.Minute {
			t.Errorf("%v after %v and %d runs", err, took, runs)
		}
	})
}
