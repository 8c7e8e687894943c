package supervise_test

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

var errEnough = errors.New("it was long enough")

// after returns a context that is cancelled with errEnough when d has passed.
func after(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithCancelCause(t.Context())
	timer := time.AfterFunc(d, func() { cancel(errEnough) })
	t.Cleanup(func() {
		timer.Stop()
		cancel(nil)
	})
	return ctx
}

// crashes runs fn, which ends itself by errEnough or is stopped, and returns what its
// crashes were. It ends after ten.
func crashes(ctx context.Context, fn func(context.Context) error, opts ...supervise.RunOption) (all []error) {
	opts = append([]supervise.RunOption{
		supervise.WithName("task"),
		supervise.WithPolicy(policy.Constant(0)),
		supervise.WithLogger(slog.New(slog.DiscardHandler)),
	}, opts...)
	_ = supervise.Run(ctx, func(ctx context.Context) error {
		if info, _ := supervise.FromContext(ctx); info.LastErr != nil {
			all = append(all, info.LastErr)
		}
		if len(all) == 10 {
			return nil
		}
		err := fn(ctx)
		if errors.Is(err, errEnough) {
			return nil
		}
		return err
	}, opts...)
	return all
}

func TestSleep(t *testing.T) {
	for name, test := range map[string]struct {
		d, doneAfter time.Duration // -1: ctx is done before
		want         time.Duration
		err          error
	}{
		"to its end":           {time.Hour, 2 * time.Hour, time.Hour, nil},
		"a fraction":           {time.Millisecond, time.Hour, time.Millisecond, nil},
		"no multiple":          {3500 * time.Millisecond, time.Hour, 3500 * time.Millisecond, nil},
		"ctx first":            {2 * time.Hour, time.Hour, time.Hour, errEnough},
		"done before":          {time.Hour, -1, 0, errEnough},
		"zero":                 {0, time.Hour, 0, nil},
		"negative":             {-time.Hour, time.Hour, 0, nil},
		"zero, done before":    {0, -1, 0, errEnough},
		"the least":            {math.MinInt64, time.Hour, 0, nil},
		"the longest":          {math.MaxInt64, time.Hour, time.Hour, errEnough},
		"one second":           {time.Second, time.Hour, time.Second, nil},
		"a little more than 1": {time.Second + 1, time.Hour, time.Second + 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			check := func(ctx context.Context) error {
				start := time.Now()
				err := supervise.Sleep(ctx, test.d)
				if slept := time.Since(start); err != test.err || slept != test.want {
					t.Errorf("%v after %v, not %v after %v", err, slept, test.err, test.want)
				}
				return errEnough
			}
			doneIn := func(t *testing.T) context.Context {
				ctx := after(t, max(test.doneAfter, 0))
				if test.doneAfter < 0 {
					<-ctx.Done()
				}
				return ctx
			}
			t.Run("outside a run", func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { _ = check(doneIn(t)) })
			})
			t.Run("in a run", func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					if all := crashes(doneIn(t), check); all != nil {
						t.Error(all)
					}
				})
			})
		})
	}
}

// silent is a context that is done after an hour, which nobody hears of.
type silent struct {
	context.Context
	start time.Time
}

func (silent) Done() <-chan struct{} { return nil }

func (c silent) Err() error {
	if time.Since(c.start) < time.Hour {
		return nil
	}
	return errEnough
}

// TestSleepEndsAsDone is of a context that is done in the instant in which the sleep is
// over.
func TestSleepEndsAsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if err := supervise.Sleep(silent{t.Context(), time.Now()}, time.Hour); err != errEnough {
			t.Errorf("it returned %v", err)
		}
	})
}

// TestSleepWatchdog has a task sleep for a thousand times the limit of its watchdog.
func TestSleepWatchdog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := crashes(t.Context(), func(ctx context.Context) error {
			if err := supervise.Sleep(ctx, 1000*time.Second); err != nil {
				return err
			}
			return errEnough
		}, supervise.WithWatchdog(time.Second+1))
		if all != nil {
			t.Errorf("it crashed: %v", all)
		}
	})
}

// TestSleepSignsAtItsEnds has sleeps that follow each other without a pause: each is
// shorter than the watchdog's limit, all together are longer.
func TestSleepSignsAtItsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := crashes(t.Context(), func(ctx context.Context) error {
			time.Sleep(60 * time.Millisecond)
			_ = supervise.Sleep(ctx, 60*time.Millisecond) // since the sign at its start
			time.Sleep(60 * time.Millisecond)             // since the sign at its end
			_ = supervise.Sleep(ctx, 0)
			time.Sleep(60 * time.Millisecond)
			return errEnough
		}, supervise.WithWatchdog(100*time.Millisecond))
		if all != nil {
			t.Errorf("it crashed: %v", all)
		}
	})
}

// TestSleepBitten is of a sleep that is longer than a very low limit: it ends when the
// watchdog bites, and says so.
func TestSleepBitten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		all := crashes(t.Context(), func(ctx context.Context) error {
			if runs++; runs == 2 {
				return errEnough
			}
			err := supervise.Sleep(ctx, time.Hour)
			if err != supervise.ErrWatchdog {
				t.Errorf("it returned %v", err)
			}
			return err
		}, supervise.WithWatchdog(100*time.Millisecond))
		if len(all) != 1 || !errors.Is(all[0], supervise.ErrWatchdog) {
			t.Errorf("its crashes: %v", all)
		}
	})
}
