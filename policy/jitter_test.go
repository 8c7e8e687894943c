package policy_test

import (
	"math"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
	"github.com/holdfast-go/holdfast/policy"
)

// draws has many tasks, each of a seed of its own, crash once before this
// crash, and returns the delays decided on.
func draws(t *testing.T, p policy.Policy, last time.Duration) (delays []time.Duration) {
	t.Helper()
	for seed := range uint64(4000) {
		var log history.Log
		log.Seed(seed + 1)
		log.ObserveCrash(at(0), errCrash)
		apply(&log, policy.Decision{Delay: last})
		log.ObserveCrash(at(1), errCrash)
		d := p.Decide(view(&log))
		if again := p.Decide(view(&log)); again != d {
			t.Fatalf("seed %d: first %v, asked again %v", seed, d, again)
		}
		if d.Verdict != policy.Restart {
			t.Fatalf("seed %d: %v", seed, d)
		}
		delays = append(delays, d.Delay)
	}
	return delays
}

func TestJitterRanges(t *testing.T) {
	const s = time.Second
	for _, test := range []struct {
		name                 string
		kind                 policy.JitterKind
		max                  time.Duration
		delay, last          time.Duration
		least, most, average time.Duration
	}{
		{"full", policy.FullJitter, time.Hour, 10 * s, 0, 0, 10 * s, 5 * s},
		{"equal", policy.EqualJitter, time.Hour, 10 * s, 0, 5 * s, 10 * s, 7500 * time.Millisecond},
		{"decorrelated, at first", policy.DecorrelatedJitter, time.Hour, 10 * s, 0, 10 * s, 30 * s, 20 * s},
		{"decorrelated, after a shorter hold", policy.DecorrelatedJitter, time.Hour, 10 * s, 5 * s, 10 * s, 30 * s, 20 * s},
		{"decorrelated, after a longer hold", policy.DecorrelatedJitter, time.Hour, 10 * s, 50 * s, 10 * s, 150 * s, 80 * s},
		{"full, capped at half", policy.FullJitter, 5 * s, 10 * s, 0, 0, 5 * s, 3750 * time.Millisecond},
		{"equal, capped", policy.EqualJitter, 5 * s, 10 * s, 0, 5 * s, 5 * s, 5 * s},
		{"full, of all time", policy.FullJitter, math.MaxInt64, math.MaxInt64, 0, 0, math.MaxInt64, math.MaxInt64 / 2},
		{"decorrelated, of all time", policy.DecorrelatedJitter, math.MaxInt64, math.MaxInt64, math.MaxInt64, math.MaxInt64, math.MaxInt64, math.MaxInt64},
	} {
		t.Run(test.name, func(t *testing.T) {
			delays := draws(t, policy.Jitter(test.kind, test.max)(policy.Constant(test.delay)), test.last)
			sum, least, most := 0.0, time.Duration(math.MaxInt64), time.Duration(0)
			for _, d := range delays {
				least, most = min(least, d), max(most, d)
				sum += float64(d) / float64(len(delays))
			}
			if least < test.least || most > test.most {
				t.Errorf("from %v to %v, want from %v to %v", least, most, test.least, test.most)
			}
			// The seeds are fixed, so this is no matter of luck.
			span := float64(test.most - test.least)
			if float64(least-test.least) > span/100 || float64(test.most-most) > span/100 {
				t.Errorf("from %v to %v, which does not reach from %v to %v", least, most, test.least, test.most)
			}
			if math.Abs(sum-float64(test.average)) > span/50+1e-9*sum {
				t.Errorf("mean %v, want about %v", time.Duration(sum), test.average)
			}
		})
	}
}

func TestJitterIsAFunctionOfSeedAndCrash(t *testing.T) {
	p := policy.Jitter(policy.FullJitter, time.Hour)(policy.Constant(time.Minute))
	life := func(seed uint64) (delays [20]time.Duration) {
		var log history.Log
		log.Seed(seed)
		for i := range delays {
			log.ObserveCrash(at(float64(i)), errCrash)
			delays[i] = p.Decide(view(&log)).Delay
		}
		return delays
	}
	one := life(1)
	if one != life(1) {
		t.Error("a replay differs")
	}
	other := life(2)
	seen := make(map[time.Duration]bool)
	for i := range one {
		seen[one[i]], seen[other[i]] = true, true
	}
	if len(seen) != 2*len(one) {
		t.Errorf("two tasks of 20 crashes have %d different delays, want 40", len(seen))
	}
}

func TestJitterAfterCleanExits(t *testing.T) {
	k := newTask(t, policy.Jitter(policy.FullJitter, time.Hour)(policy.Constant(time.Minute)))
	if a, b := k.exit(0), k.exit(1); a == b {
		t.Errorf("two clean exits are both held as %v", a)
	}
}

func TestJitterChangesRestartsOnly(t *testing.T) {
	for _, want := range []policy.Decision{loop(300), giveUp, {}, {Delay: -5}} {
		p := policy.Jitter(policy.EqualJitter, time.Second)(policy.Func(func(policy.History) policy.Decision { return want }))
		newTask(t, p).wantCrash(0, want)
	}
}

// Over a constant, the previous hold makes decorrelated jitter grow, to its cap.
func TestDecorrelatedJitterGrows(t *testing.T) {
	k := newTask(t, policy.Jitter(policy.DecorrelatedJitter, time.Minute)(policy.Constant(time.Second)))
	longest := time.Duration(0)
	for i := range 200 {
		d := k.crash(float64(i)).Delay
		if d < time.Second || d > time.Minute {
			t.Fatalf("delay %d is %v, want 1s to 1m", i, d)
		}
		longest = max(longest, d)
	}
	if longest != time.Minute {
		t.Errorf("longest delay of 200 = %v, want 1m", longest)
	}
}

func TestJitterKindString(t *testing.T) {
	for kind, want := range map[policy.JitterKind]string{
		policy.FullJitter: "full", policy.EqualJitter: "equal", policy.DecorrelatedJitter: "decorrelated", 0: "none", 9: "jitter(9)",
	} {
		if got := kind.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestJitterPanics(t *testing.T) {
	for want, f := range map[string]func(){
		"policy: Jitter: kind (0) is unknown; use FullJitter, EqualJitter or DecorrelatedJitter": func() { policy.Jitter(0, 1) },
		"policy: Jitter: kind (4) is unknown; use FullJitter, EqualJitter or DecorrelatedJitter": func() { policy.Jitter(4, 1) },
		"policy: Jitter: max (0s) is not positive; raise it, it bounds the delay after jitter":   func() { policy.Jitter(policy.FullJitter, 0) },
		"policy: Jitter: the policy is nil; policy.Default() is a good one":                      func() { policy.Jitter(policy.FullJitter, 1)(nil) },
	} {
		wantPanic(t, want, f)
	}
}

// The hold before is of no account once the slate is wiped.
func TestDecorrelatedJitterAfterAStableRun(t *testing.T) {
	const s = time.Second
	p := policy.Compose(policy.Constant(s), policy.StableRun(time.Minute), policy.Jitter(policy.DecorrelatedJitter, time.Hour))
	var longest time.Duration
	for seed := range uint64(200) {
		var log history.Log
		log.Seed(seed + 1)
		log.ObserveCrash(at(0), errCrash)
		apply(&log, policy.Decision{Delay: time.Hour})
		log.ObserveStart(at(3600))
		log.ObserveCrash(at(7200), errCrash)
		longest = max(longest, p.Decide(view(&log)).Delay)
	}
	if longest > 3*s || longest < 2*s {
		t.Errorf("the longest hold is %v, want nearly 3s: the first of a new slate", longest)
	}
}

func TestJitterKindText(t *testing.T) {
	for kind := range policy.JitterKind(4) {
		text, err := kind.MarshalText()
		var read policy.JitterKind
		if err != nil || read.UnmarshalText(text) != nil || read != kind {
			t.Errorf("%v is read back as %v, %v", kind, read, err)
		}
	}
	if _, err := policy.JitterKind(4).MarshalText(); err == nil || err.Error() != "policy: jitter (4) is unknown; use one of the constants" {
		t.Errorf("MarshalText of no kind: %v", err)
	}
	kind := policy.EqualJitter
	if err := kind.UnmarshalText([]byte("Full")); err == nil || kind != policy.EqualJitter ||
		err.Error() != "Full is not a kind of jitter; use full, equal, decorrelated or none" {
		t.Errorf("UnmarshalText of no kind: %v, %v", kind, err)
	}
}
