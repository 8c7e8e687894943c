package policy_test

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// A fleet of one task does what Simulate says.
func TestFleetOfOneIsSimulate(t *testing.T) {
	err := errors.New("boom")
	p := policy.Compose(policy.Exponential(time.Second, 2, time.Minute), policy.CrashLoop(4, time.Minute, time.Minute), policy.Jitter(policy.FullJitter, time.Minute))
	const end = 10 * time.Minute
	want := make([]int, end/time.Second)
	for _, step := range policy.Simulate(p, slices.Repeat([]policy.Run{{For: time.Second, Err: err}}, 500)) {
		if step.Start < end {
			want[step.Start/time.Second]++
		}
	}
	got := policy.SimulateFleet(p, 1, end, func(int, time.Duration) policy.Run { return policy.Run{For: time.Second, Err: err} })
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// The tasks of a fleet draw on one budget.
func TestFleetSharesABudget(t *testing.T) {
	p := policy.Compose(policy.Constant(0), policy.Budget(10, 1))
	got := policy.SimulateFleet(p, 100, 8*time.Second, func(_ int, at time.Duration) policy.Run {
		if at > 0 {
			return policy.Run{For: math.MaxInt64}
		}
		return policy.Run{For: time.Second, Err: errors.New("boom")}
	})
	if want := []int{100, 10, 10, 10, 10, 10, 10, 10}; !slices.Equal(got, want) {
		t.Errorf("starts %v, want %v", got, want)
	}
}

func TestFleetEnds(t *testing.T) {
	once := func(int, time.Duration) policy.Run { return policy.Run{} }
	if got := policy.SimulateFleet(policy.Constant(0), 1, time.Second+1, once); !slices.Equal(got, []int{1000, 1}) {
		t.Errorf("starts %v of runs that take no time", got)
	}
	giveUp := policy.Compose(policy.Constant(0), policy.MaxCrashes(1, time.Hour))
	fails := func(int, time.Duration) policy.Run { return policy.Run{Err: errors.New("boom")} }
	if got := policy.SimulateFleet(giveUp, 3, time.Second, fails); !slices.Equal(got, []int{6}) {
		t.Errorf("starts %v under a policy that gives up at the second crash", got)
	}
	for _, none := range [][]int{policy.SimulateFleet(nil, 0, time.Hour, once), policy.SimulateFleet(nil, 1, 0, once)} {
		if none != nil {
			t.Errorf("starts %v of no tasks, or in no time", none)
		}
	}
}

// Absurd input is refused, or simulated for what it is.
func TestFleetOfAbsurdInput(t *testing.T) {
	const century = 100 * 365 * 24 * time.Hour
	once := func(int, time.Duration) policy.Run { return policy.Run{} }
	for want, f := range map[string]func(){
		"policy: SimulateFleet: run is nil; give the function that says how a run goes":         func() { policy.SimulateFleet(nil, 1, time.Second, nil) },
		"policy: SimulateFleet: tasks (10000001) is above 10000000; simulate fewer":             func() { policy.SimulateFleet(nil, 10_000_001, time.Second, once) },
		"policy: SimulateFleet: end (876000h0m0s) is above 87600h0m0s; simulate a shorter time": func() { policy.SimulateFleet(nil, 1, century, once) },
	} {
		wantPanic(t, want, f)
	}
	if got := policy.SimulateFleet(nil, math.MinInt, time.Hour, once); got != nil {
		t.Errorf("starts %v of less than no tasks", got)
	}
	if got := policy.SimulateFleet(nil, 1, math.MinInt64, once); got != nil {
		t.Errorf("starts %v in less than no time", got)
	}
	for name, test := range map[string]struct {
		run    time.Duration
		policy policy.Policy
		want   []int
	}{
		"runs that end before they start": {math.MinInt64, policy.Constant(0), []int{1000, 500}},
		"runs without end":                {math.MaxInt64, policy.Constant(0), []int{1, 0}},
		"holds without end":               {0, policy.Constant(math.MaxInt64), []int{1, 0}},
		"delays below zero":               {0, policy.Func(func(policy.History) policy.Decision { return hold(-1) }), []int{1000, 500}},
		"no verdict":                      {0, policy.Func(func(policy.History) policy.Decision { return policy.Decision{Verdict: 9, Delay: time.Second} }), []int{1, 1}},
		"nothing counted":                 {0, policy.Ignore(func(error) bool { return true })(policy.Constant(time.Second)), []int{1000, 500}},
	} {
		run := func(int, time.Duration) policy.Run { return policy.Run{For: test.run, Err: errCrash} }
		if got := policy.SimulateFleet(test.policy, 1, 1500*time.Millisecond, run, nil, policy.WithSeed(math.MaxUint64)); !slices.Equal(got, test.want) {
			t.Errorf("%s: starts %v, want %v", name, got, test.want)
		}
	}
}
