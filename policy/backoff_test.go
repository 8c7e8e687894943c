package policy_test

import (
	"errors"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/holdfast-go/holdfast/policy"
)

func fromExponential(opts ...backoff.ExponentialBackOffOpts) policy.Policy {
	opts = append(opts, backoff.WithRandomizationFactor(0))
	return policy.FromBackOff(func() backoff.BackOff { return backoff.NewExponentialBackOff(opts...) })
}

func TestFromBackOff(t *testing.T) {
	const ms = time.Millisecond
	t.Run("exponential", func(t *testing.T) {
		wantDelays(t, fromExponential(backoff.WithMaxInterval(2*time.Second)), 500*ms, 750*ms, 1125*ms, 1687500*time.Microsecond, 2000*ms, 2000*ms)
	})
	t.Run("constant", func(t *testing.T) {
		p := policy.FromBackOff(func() backoff.BackOff { return backoff.NewConstantBackOff(time.Second) })
		wantDelays(t, p, time.Second, time.Second)
	})
	t.Run("zero", func(t *testing.T) {
		wantDelays(t, policy.FromBackOff(func() backoff.BackOff { return &backoff.ZeroBackOff{} }), 0, 0)
	})
	t.Run("stop", func(t *testing.T) {
		newTask(t, policy.FromBackOff(func() backoff.BackOff { return &backoff.StopBackOff{} })).wantCrash(0, giveUp)
	})
	t.Run("max retries", func(t *testing.T) {
		k := newTask(t, policy.FromBackOff(func() backoff.BackOff {
			return backoff.WithMaxRetries(backoff.NewConstantBackOff(time.Second), 2)
		}))
		k.wantCrash(0, hold(1))
		k.wantCrash(1, hold(1))
		k.wantCrash(2, giveUp)
		k.wantCrash(3, giveUp)
		k.log.Reset()
		k.wantCrash(4, hold(1))
	})
	t.Run("clean exits", func(t *testing.T) {
		k := newTask(t, fromExponential())
		k.wantExit(0, hold(0.5))
		k.wantCrash(1, hold(0.5))
		k.wantCrash(2, hold(0.75))
		k.wantExit(3, hold(0.75))
	})
}

// A fresh BackOff has waited for nothing, so that its MaxElapsedTime bounds no
// more than one delay.
func TestFromBackOffMaxElapsedTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTask(t, fromExponential(backoff.WithMaxElapsedTime(time.Second)))
		k.wantCrash(0, hold(0.5))
		time.Sleep(time.Hour)
		k.wantCrash(1, hold(0.75))
		k.wantCrash(2, giveUp)
	})
}

// script is a BackOff of answers that are given in turn, and the last ever after.
type script struct {
	answers []time.Duration
	asked   *int
}

func (s *script) Reset() {}
func (s *script) NextBackOff() time.Duration {
	i := min(*s.asked, len(s.answers)-1)
	*s.asked++
	return s.answers[i]
}

func TestFromBackOffAsksAsOftenAsTheStreakIsLong(t *testing.T) {
	for streak, want := range map[uint64]int{1: 1, 2: 2, 1023: 1023, 1024: 1024, 1025: 1024, math.MaxInt32 / 2: 1024} {
		var asked int
		p := policy.FromBackOff(func() *script { return &script{[]time.Duration{1, 2, 3}, &asked} })
		if got := p.Decide(crashed(t, streak)); got.Delay != time.Duration(min(streak, 3)) || asked != want {
			t.Errorf("streak %d: %v after asking %d times, want a delay of %d after %d", streak, got, asked, min(streak, 3), want)
		}
	}
}

// A Stop on the way stands, whatever would be answered after it.
func TestFromBackOffStopsForGood(t *testing.T) {
	p := policy.FromBackOff(func() *script { return &script{[]time.Duration{5, backoff.Stop, 7}, new(int)} })
	k := newTask(t, p)
	k.wantCrash(0, policy.Decision{Delay: 5})
	k.wantCrash(1, giveUp)
	k.wantCrash(2, giveUp)
}

func TestFromBackOffPanics(t *testing.T) {
	wantPanic(t, "policy: FromBackOff: newBackOff is nil; give a function that makes a fresh BackOff", func() { policy.FromBackOff[policy.BackOff](nil) })
}

func TestToBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := policy.ToBackOff(policy.Classic())
		next := func(want time.Duration) {
			t.Helper()
			got := b.NextBackOff()
			if got != want {
				t.Errorf("NextBackOff = %v, want %v", got, want)
			}
			time.Sleep(got)
		}
		next(500 * time.Millisecond)
		next(time.Second)
		next(2 * time.Second)
		next(4 * time.Second)
		next(5 * time.Minute) // a crash loop
		next(500 * time.Millisecond)
		next(time.Second)

		time.Sleep(time.Minute - 1)
		next(2 * time.Second)
		time.Sleep(time.Minute) // a stable run
		next(500 * time.Millisecond)

		next(time.Second)
		b.Reset()
		next(500 * time.Millisecond)
	})
}

// The wait is no part of a run, be it longer than a stable run has to be.
func TestToBackOffDoesNotTakeAWaitForARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := policy.ToBackOff(policy.StableRun(time.Minute)(policy.Exponential(time.Hour, 2, 24*time.Hour)))
		for _, want := range []time.Duration{time.Hour, 2 * time.Hour, 4 * time.Hour} {
			if got := b.NextBackOff(); got != want {
				t.Errorf("NextBackOff = %v, want %v", got, want)
			}
			time.Sleep(want + time.Second)
		}
		time.Sleep(time.Minute)
		if got := b.NextBackOff(); got != time.Hour {
			t.Errorf("NextBackOff after a stable run = %v, want 1h", got)
		}
	})
}

func TestToBackOffFirstRunBeginsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ran []time.Duration
		b := policy.ToBackOff(policy.Func(func(h policy.History) policy.Decision {
			ran = append(ran, h.Ran())
			if !errors.Is(h.Err(), policy.ErrUnknown) {
				t.Errorf("Err = %v, want ErrUnknown", h.Err())
			}
			return hold(1)
		}))
		time.Sleep(3 * time.Second)
		b.NextBackOff()
		time.Sleep(5 * time.Second)
		b.NextBackOff()
		b.Reset()
		time.Sleep(2 * time.Second)
		b.NextBackOff()
		if want := []time.Duration{sec(3), sec(4), sec(2)}; !slices.Equal(ran, want) {
			t.Errorf("runs lasted %v, want %v", ran, want)
		}
	})
}

func TestToBackOffStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := policy.ToBackOff(policy.MaxCrashes(1, time.Hour)(policy.Constant(time.Second)))
		for i, want := range []time.Duration{time.Second, backoff.Stop, backoff.Stop} {
			if got := b.NextBackOff(); got != want {
				t.Errorf("NextBackOff %d = %v, want %v", i+1, got, want)
			}
		}
		b.Reset()
		if got := b.NextBackOff(); got != time.Second {
			t.Errorf("NextBackOff after Reset = %v, want 1s", got)
		}
	})
}

// backoff takes any negative delay but Stop for zero, and Stop is one.
func TestToBackOffOfStrangePolicies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct {
			policy policy.Func
			want   time.Duration
		}{
			{func(policy.History) policy.Decision { return policy.Decision{Delay: backoff.Stop} }, 0},
			{func(policy.History) policy.Decision { return policy.Decision{Delay: math.MaxInt64} }, math.MaxInt64},
			{func(policy.History) policy.Decision { return policy.Decision{Verdict: 9, Delay: 4} }, 4},
		} {
			if got := policy.ToBackOff(test.policy).NextBackOff(); got != test.want {
				t.Errorf("NextBackOff = %v, want %v", got, test.want)
			}
		}
		panics := policy.Func(func(policy.History) policy.Decision { panic("no") })
		if got := policy.ToBackOff(panics).NextBackOff(); got < 500*time.Millisecond || got > 550*time.Millisecond {
			t.Errorf("NextBackOff = %v, want what Default decides", got)
		}
	})
}

func TestToBackOffInRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var tried []time.Duration
		err := backoff.Retry(func() error {
			tried = append(tried, time.Since(begin))
			time.Sleep(time.Second)
			return errCrash
		}, policy.ToBackOff(policy.Compose(policy.Exponential(time.Second, 2, time.Minute), policy.MaxCrashes(3, time.Hour))))
		if !errors.Is(err, errCrash) {
			t.Errorf("Retry = %v, want %v", err, errCrash)
		}
		if want := []time.Duration{0, sec(2), sec(5), sec(10)}; !slices.Equal(tried, want) {
			t.Errorf("tried at %v, want %v", tried, want)
		}
	})
}

func TestToBackOffInRetryOfAPermanentError(t *testing.T) {
	tried := 0
	err := backoff.Retry(func() error {
		tried++
		return backoff.Permanent(errConfig)
	}, policy.ToBackOff(nil))
	if !errors.Is(err, errConfig) || tried != 1 {
		t.Errorf("Retry = %v after %d tries, want %v after 1", err, tried, errConfig)
	}
}

// From a BackOff and to one again, nothing is lost.
func TestBackOffThereAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := policy.ToBackOff(fromExponential(backoff.WithMaxElapsedTime(0)))
		want := backoff.NewExponentialBackOff(backoff.WithRandomizationFactor(0), backoff.WithMaxElapsedTime(0))
		for i := range 30 {
			if got, want := b.NextBackOff(), want.NextBackOff(); got != want {
				t.Errorf("delay %d = %v, want %v", i+1, got, want)
			}
		}
	})
}
