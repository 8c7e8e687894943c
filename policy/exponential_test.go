package policy_test

import (
	"math"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

func TestExponential(t *testing.T) {
	const s = time.Second
	t.Run("doubles up to the max", func(t *testing.T) {
		wantDelays(t, policy.Exponential(s/2, 2, 3*s), s/2, s, 2*s, 3*s, 3*s, 3*s)
	})
	t.Run("max is a power", func(t *testing.T) {
		wantDelays(t, policy.Exponential(s, 2, 4*s), s, 2*s, 4*s, 4*s)
	})
	t.Run("initial is max", func(t *testing.T) {
		wantDelays(t, policy.Exponential(s, 2, s), s, s, s)
	})
	t.Run("factor 1", func(t *testing.T) {
		wantDelays(t, policy.Exponential(s, 1, 9*s), s, s, s)
	})
	t.Run("fraction", func(t *testing.T) {
		wantDelays(t, policy.Exponential(s, 1.5, 9*s), s, 1500*time.Millisecond, 2250*time.Millisecond)
	})
	t.Run("parts of a nanosecond are cut", func(t *testing.T) {
		wantDelays(t, policy.Exponential(1, 1.5, s), 1, 1, 2, 3, 5)
	})
	t.Run("initial 0", func(t *testing.T) {
		wantDelays(t, policy.Exponential(0, 2, s), 0, 0, 0)
	})
	t.Run("huge factor", func(t *testing.T) {
		wantDelays(t, policy.Exponential(1, math.MaxFloat64, math.MaxInt64), 1, math.MaxInt64, math.MaxInt64)
	})
}

func TestExponentialFarOut(t *testing.T) {
	for _, test := range []struct {
		name   string
		policy policy.Policy
		streak uint64
		want   time.Duration
	}{
		{"capped", policy.Exponential(500*time.Millisecond, 2, time.Minute), 1_000_000, time.Minute},
		{"saturated", policy.Exponential(1, 2, math.MaxInt64), 1_000_000, math.MaxInt64},
		{"last below saturation", policy.Exponential(1, 2, math.MaxInt64), 63, 1 << 62},
		{"first saturated", policy.Exponential(1, 2, math.MaxInt64), 64, math.MaxInt64},
		{"factor 1", policy.Exponential(7, 1, math.MaxInt64), math.MaxInt32 / 2, 7},
		{"initial 0", policy.Exponential(0, 9, math.MaxInt64), math.MaxInt32 / 2, 0},
		{"tiny factor, last in the table", policy.Exponential(1e9, 1.001, math.MaxInt64), 255, 1289008198},
		{"tiny factor, first past the table", policy.Exponential(1e9, 1.001, math.MaxInt64), 256, 1290297207},
		{"tiny factor, second past the table", policy.Exponential(1e9, 1.001, math.MaxInt64), 257, 1291587504},
		{"tiny factor, at its cap", policy.Exponential(1e9, 1.001, 2e9), 1000, 2e9},
		{"tiny factor, infinite power", policy.Exponential(1e9, 1.001, math.MaxInt64), math.MaxInt32 / 2, math.MaxInt64},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := test.policy.Decide(crashed(t, test.streak)); got != (policy.Decision{Delay: test.want}) {
				t.Errorf("%v, want a delay of %v (%d ns)", got, test.want, test.want)
			}
		})
	}
}

// Where the table ends, the delays go on as they grew.
func TestDelaysPastTheTableNeverShrink(t *testing.T) {
	p := policy.Exponential(time.Second, 1.0005, time.Hour)
	last := time.Duration(0)
	for streak := uint64(1); streak < 600; streak++ {
		d := p.Decide(crashed(t, streak)).Delay
		if want := float64(time.Second) * math.Pow(1.0005, float64(streak-1)); d <= last || math.Abs(float64(d)-want) > 1 {
			t.Fatalf("delay %d is %v after %v, want %v", streak, d, last, time.Duration(want))
		}
		last = d
	}
}

func TestSteps(t *testing.T) {
	delays := []time.Duration{5, 0, 7}
	p := policy.Steps(delays...)
	delays[0] = 99
	wantDelays(t, p, 5, 0, 7, 7, 7)
	wantDelays(t, policy.Steps(3), 3, 3)
}

func TestConstant(t *testing.T) {
	wantDelays(t, policy.Constant(3), 3, 3, 3)
	wantDelays(t, policy.Constant(0), 0, 0)
	wantDelays(t, policy.Constant(math.MaxInt64), math.MaxInt64, math.MaxInt64)
}

// A clean exit is held for as long as the last crash was, or at first as the
// first crash would be.
func TestDelayAfterACleanExit(t *testing.T) {
	for name, p := range map[string]policy.Policy{
		"Exponential": policy.Exponential(time.Second, 2, time.Minute),
		"Steps":       policy.Steps(time.Second, 2*time.Second, 4*time.Second),
	} {
		t.Run(name, func(t *testing.T) {
			k := newTask(t, p)
			k.wantExit(0, hold(1))
			k.wantCrash(1, hold(1))
			k.wantExit(2, hold(1))
			k.wantCrash(3, hold(2))
			k.wantExit(4, hold(2))
			k.wantCrash(5, hold(4))
		})
	}
}

func TestDelayConstructorsPanic(t *testing.T) {
	for want, f := range map[string]func(){
		"policy: initial (-1s) is negative; use 0 to restart at once":         func() { policy.Exponential(-time.Second, 2, 1) },
		"policy: max (1s) is below initial (5s); raise max":                   func() { policy.Exponential(5*time.Second, 2, time.Second) },
		"policy: max (-1s) is negative; raise max, a minute is common":        func() { policy.Exponential(0, 2, -time.Second) },
		"policy: factor (0.5) is below 1; use 1 for a constant delay":         func() { policy.Exponential(1, 0.5, 1) },
		"policy: factor (NaN) is not a finite number; 2 is common":            func() { policy.Exponential(1, math.NaN(), 1) },
		"policy: steps: there are 1001, which is above 1000; leave some out":  func() { policy.Steps(make([]time.Duration, 1001)...) },
		"policy: factor (+Inf) is not a finite number; 2 is common":           func() { policy.Exponential(1, math.Inf(1), 1) },
		"policy: steps is empty; give at least one delay":                     func() { policy.Steps() },
		"policy: steps: delay 2 (-1ns) is negative; use 0 to restart at once": func() { policy.Steps(0, -1) },
		"policy: Constant: d (-1s) is negative; use 0 to restart at once":     func() { policy.Constant(-time.Second) },
		"policy: initial (-1ns) is negative; use 0 to restart at once\npolicy: max (-2ns) is negative; raise max, a minute is common\npolicy: factor (0) is below 1; use 1 for a constant delay": func() {
			policy.Exponential(-1, 0, -2)
		},
	} {
		wantPanic(t, want, f)
	}
}
