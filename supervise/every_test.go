package supervise_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/supervise"
)

// starts calls a function of Every whose calls take so long, one after another, and
// returns when each of them started.
func starts(t *testing.T, d time.Duration, take ...time.Duration) (at []time.Duration) {
	t.Helper()
	first := time.Now()
	err := supervise.Every(d, func(context.Context) error {
		at = append(at, time.Since(first))
		if len(at) > len(take) {
			return errEnough
		}
		time.Sleep(take[len(at)-1])
		return nil
	})(t.Context())
	if err != errEnough {
		t.Errorf("it returned %v", err)
	}
	return at
}

func TestEveryStarts(t *testing.T) {
	const s = time.Second
	for name, test := range map[string]struct {
		d          time.Duration
		take, want []time.Duration
	}{
		"at once":                   {math.MaxInt64, nil, []time.Duration{0}},
		"no drift":                  {10 * s, []time.Duration{1 * s, 2 * s, 9 * s}, []time.Duration{0, 10 * s, 20 * s, 30 * s}},
		"one is missed":             {10 * s, []time.Duration{11 * s, 0}, []time.Duration{0, 20 * s, 30 * s}},
		"many are missed":           {10 * s, []time.Duration{55 * s, 0}, []time.Duration{0, 60 * s, 70 * s}},
		"just in time":              {10 * s, []time.Duration{10 * s, 20 * s, 0}, []time.Duration{0, 10 * s, 30 * s, 40 * s}},
		"a moment late":             {10 * s, []time.Duration{10*s + 1, 0}, []time.Duration{0, 20 * s, 30 * s}},
		"calls that take no time":   {1, []time.Duration{0, 0}, []time.Duration{0, 1, 2}},
		"each is always too long":   {2 * s, []time.Duration{3 * s, 3 * s, 3 * s}, []time.Duration{0, 4 * s, 8 * s, 12 * s}},
		"shorter than a nanosecond": {1, []time.Duration{s}, []time.Duration{0, s}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if got := starts(t, test.d, test.take...); !slices.Equal(got, test.want) {
					t.Errorf("started at %v, not %v", got, test.want)
				}
			})
		})
	}
}

// TestEveryModel holds the starts against a model that walks from one multiple to the
// next.
func TestEveryModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := time.Duration(rapid.Int64Range(1, 20).Draw(rt, "d"))
		var take, want []time.Duration
		due, now := time.Duration(0), time.Duration(0)
		for _, n := range rapid.SliceOfN(rapid.Int64Range(0, 70), 0, 20).Draw(rt, "take") {
			take, want = append(take, time.Duration(n)), append(want, due)
			now = due + time.Duration(n)
			for due += d; due < now; {
				due += d
			}
		}
		want = append(want, due)
		var got []time.Duration
		synctest.Test(t, func(t *testing.T) { got = starts(t, d, take...) })
		if !slices.Equal(got, want) {
			rt.Errorf("started at %v, not %v", got, want)
		}
	})
}

// TestEveryStops holds when a task of Every ends after its context is done, and with what.
func TestEveryStops(t *testing.T) {
	late := errors.New("it noticed that it is to stop")
	for name, test := range map[string]struct {
		fn    func(context.Context) error
		stop  time.Duration
		want  error
		after time.Duration
		calls int
	}{
		"before the first call": {func(context.Context) error { return nil }, -1, errEnough, 0, 0},
		"in a wait":             {func(context.Context) error { return nil }, 15 * time.Second, errEnough, 15 * time.Second, 2},
		"in a call": {func(context.Context) error { time.Sleep(8 * time.Second); return nil },
			15 * time.Second, errEnough, 18 * time.Second, 2},
		"in a call that is overdue": {func(context.Context) error { time.Sleep(10 * time.Second); return nil },
			15 * time.Second, errEnough, 20 * time.Second, 2},
		"in a call that looks at its context": {func(ctx context.Context) error { <-ctx.Done(); return late },
			15 * time.Second, late, 15 * time.Second, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start, calls := time.Now(), 0
				ctx := after(t, max(test.stop, 0))
				if test.stop < 0 {
					<-ctx.Done()
				}
				err := supervise.Every(10*time.Second, func(ctx context.Context) error {
					calls++
					return test.fn(ctx)
				})(ctx)
				if ended := time.Since(start); err != test.want || ended != test.after || calls != test.calls {
					t.Errorf("%v after %v and %d calls, not %v after %v and %d", err, ended, calls, test.want, test.after, test.calls)
				}
			})
		})
	}
}

// TestEveryCrashes has calls fail in each way that there is. Each is a crash, and the
// next run calls at once.
func TestEveryCrashes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		start, calls := time.Now(), 0
		all := crashes(t.Context(), supervise.Every(time.Hour, func(context.Context) error {
			switch calls++; calls {
			case 2:
				return broken
			case 4:
				panic(broken)
			case 6:
				return errEnough
			}
			return nil
		}))
		if len(all) != 2 || all[0] != broken || !errors.Is(all[1], broken) {
			t.Errorf("its crashes: %v", all)
		}
		if took := time.Since(start); took != 3*time.Hour {
			t.Errorf("it took %v", took)
		}
	})
}

// TestEveryReady is of a task that becomes ready by its first call that succeeds, and of
// one whose first call takes too long for that.
func TestEveryReady(t *testing.T) {
	for name, test := range map[string]struct {
		first time.Duration
		want  error
	}{
		"in time":  {50 * time.Second, nil},
		"too late": {70 * time.Second, supervise.ErrNotReady},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				all := crashes(after(t, time.Hour), supervise.Every(time.Second, func(context.Context) error {
					if calls++; calls == 1 {
						time.Sleep(test.first)
					}
					return nil
				}), supervise.WithReadyTimeout(time.Minute))
				if test.want == nil && all != nil || test.want != nil && (len(all) != 1 || !errors.Is(all[0], test.want)) {
					t.Errorf("its crashes: %v", all)
				}
			})
		})
	}
}

// TestEveryWatchdog has a limit that is above the time of a call, and far below d. A call
// that hangs is found.
func TestEveryWatchdog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		all := crashes(t.Context(), supervise.Every(time.Hour, func(ctx context.Context) error {
			calls++
			switch {
			case calls == 4:
				<-ctx.Done()
				return ctx.Err()
			case calls > 8:
				return errEnough
			}
			time.Sleep(9 * time.Second)
			return nil
		}), supervise.WithWatchdog(10*time.Second))
		if len(all) != 1 || !errors.Is(all[0], supervise.ErrWatchdog) {
			t.Errorf("its crashes: %v", all)
		}
	})
}

func TestEveryPanics(t *testing.T) {
	nothing := func(context.Context) error { return nil }
	for want, call := range map[string]func(){
		"supervise: Every: d (-1s) is not positive; give the time between two calls": func() { supervise.Every(-time.Second, nothing) },
		"supervise: Every: d (0s) is not positive; give the time between two calls":  func() { supervise.Every(0, nothing) },
		"supervise: Every: fn is nil; give the function to call":                     func() { supervise.Every(time.Second, nil) },
	} {
		t.Run(want, func(t *testing.T) {
			defer func() {
				if got := recover(); got != want {
					t.Errorf("it panicked with %v", got)
				}
			}()
			call()
		})
	}
}
