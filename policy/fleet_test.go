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
	defer func() {
		if recover() == nil {
			t.Error("a nil run does not panic")
		}
	}()
	policy.SimulateFleet(nil, 1, time.Second, nil)
}
