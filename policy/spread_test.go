package policy_test

import (
	"math"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
	"github.com/holdfast-go/holdfast/policy"
)

// spreads has many tasks crash once under a spread around one decision.
func spreads(fraction float64, d policy.Decision) (delays []time.Duration) {
	p := policy.Spread(fraction)(policy.Func(func(policy.History) policy.Decision { return d }))
	for seed := range uint64(4000) {
		var log history.Log
		log.Seed(seed + 1)
		log.ObserveCrash(at(0), errCrash)
		delays = append(delays, p.Decide(view(&log)).Delay)
	}
	return delays
}

func TestSpread(t *testing.T) {
	const s = time.Second
	for name, d := range map[string]policy.Decision{"restart": hold(100), "crash loop": loop(100)} {
		var least, most, sum time.Duration = math.MaxInt64, 0, 0
		delays := spreads(0.1, d)
		for _, d := range delays {
			least, most, sum = min(least, d), max(most, d), sum+d
		}
		// The seeds are fixed, so this is no matter of luck.
		if least < 100*s || least > 100*s+s/50 || most > 110*s || most < 110*s-s/50 {
			t.Errorf("%s: from %v to %v, want from 100s to 110s", name, least, most)
		}
		if mean := sum / time.Duration(len(delays)); (mean - 105*s).Abs() > s/5 {
			t.Errorf("%s: mean %v, want about 105s", name, mean)
		}
	}
}

func TestSpreadLeavesAlone(t *testing.T) {
	for _, want := range []policy.Decision{giveUp, {Verdict: policy.GiveUp, Delay: time.Hour}, {}, {Delay: -5}, {Uncounted: true}, fresh(hold(0)), {Delay: math.MaxInt64}} {
		p := policy.Spread(1)(policy.Func(func(policy.History) policy.Decision { return want }))
		newTask(t, p).wantCrash(0, want)
	}
}

func TestSpreadKeepsTheRestOfADecision(t *testing.T) {
	p := policy.Spread(1)(policy.Func(func(policy.History) policy.Decision { return fresh(loop(10)) }))
	d := newTask(t, p).crash(0)
	if d.Delay <= sec(10) || d.Delay > sec(20) {
		t.Errorf("%v, want from 10s to 20s", d)
	}
	if d.Delay = sec(10); d != fresh(loop(10)) {
		t.Errorf("%+v is changed in more than its delay", d)
	}
}

func TestSpreadSaturates(t *testing.T) {
	for _, delay := range []time.Duration{math.MaxInt64, math.MaxInt64 - 1, math.MaxInt64 / 2} {
		for _, d := range spreads(1, policy.Decision{Delay: delay}) {
			if d < delay {
				t.Fatalf("%v becomes %v", delay, d)
			}
		}
	}
}

// The draw is a function of the crash, and another one than that of Jitter.
func TestSpreadIsAFunction(t *testing.T) {
	p := policy.Spread(1)(policy.Constant(time.Hour))
	h := crashOnce(errCrash)
	first := p.Decide(h)
	for range 3 {
		if again := p.Decide(h); again != first {
			t.Errorf("first %v, asked again %v", first, again)
		}
	}
	jittered := policy.Jitter(policy.FullJitter, time.Hour)(policy.Constant(time.Hour)).Decide(h)
	if first.Delay-time.Hour == jittered.Delay {
		t.Errorf("Spread adds %v, which is what Jitter draws", jittered.Delay)
	}
	k := newTask(t, p)
	if k.crash(0) == k.crash(1) {
		t.Error("two crashes have the same draw")
	}
	if k.exit(2) == k.exit(3) {
		t.Error("two clean exits have the same draw")
	}
}

func TestSpreadPanics(t *testing.T) {
	const words = " is not above 0 and at most 1; 0.1 adds up to a tenth"
	for want, f := range map[string]func(){
		"policy: spread (0)" + words:                                        func() { policy.Spread(0) },
		"policy: spread (1.1)" + words:                                      func() { policy.Spread(1.1) },
		"policy: spread (NaN)" + words:                                      func() { policy.Spread(math.NaN()) },
		"policy: spread (-Inf)" + words:                                     func() { policy.Spread(math.Inf(-1)) },
		"policy: Spread: the policy is nil; policy.Default() is a good one": func() { policy.Spread(1)(nil) },
	} {
		wantPanic(t, want, f)
	}
}
