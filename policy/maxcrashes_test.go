package policy_test

import (
	"math"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

func maxCrashes(n int, window float64) policy.Policy {
	return policy.MaxCrashes(n, sec(window))(policy.Constant(time.Second))
}

func TestMaxCrashes(t *testing.T) {
	k := newTask(t, maxCrashes(3, 10))
	for i := range 3 {
		k.wantCrash(float64(i), hold(1))
	}
	k.wantCrash(3, giveUp)
	k.wantCrash(4, giveUp)
}

func TestMaxCrashesWindowIsInclusive(t *testing.T) {
	k := newTask(t, maxCrashes(1, 10))
	k.wantCrash(0, hold(1))
	k.wantCrash(10.000000001, hold(1))
	k.wantCrash(20.000000001, giveUp)
}

func TestMaxCrashesOfNone(t *testing.T) {
	newTask(t, maxCrashes(0, 1)).wantCrash(0, giveUp)
}

func TestMaxCrashesCountsNoCleanExits(t *testing.T) {
	k := newTask(t, maxCrashes(1, 10))
	k.wantExit(0, hold(1))
	k.wantCrash(1, hold(1))
	k.wantExit(2, hold(1))
	k.wantExit(3, hold(1))
	k.wantCrash(4, giveUp)
	k.wantExit(5, hold(1))
}

// A clean slate starts the count anew: that of a stable run, of a force release,
// of the end of a crash loop.
func TestMaxCrashesStartsAnew(t *testing.T) {
	k := newTask(t, policy.StableRun(time.Minute)(maxCrashes(1, 1000)))
	k.wantCrash(0, hold(1))
	k.start(0)
	k.wantCrash(60, hold(1))
	k.Reset()
	k.wantCrash(61, hold(1))
	k.Apply(loop(1))
	k.wantCrash(62, hold(1))
	k.wantCrash(63, giveUp)
}

func TestMaxCrashesWithoutBounds(t *testing.T) {
	k := newTask(t, policy.MaxCrashes(2, math.MaxInt64)(policy.Constant(time.Second)))
	k.wantCrash(0, hold(1))
	k.wantCrash(4e9, hold(1))
	k.wantCrash(9e9, giveUp)

	k = newTask(t, policy.MaxCrashes(math.MaxInt, math.MaxInt64)(policy.Constant(time.Second)))
	for i := range 100 {
		k.wantCrash(float64(i), hold(1))
	}
}

func TestMaxCrashesPanics(t *testing.T) {
	for want, f := range map[string]func(){
		"policy: MaxCrashes: n (-1) is negative; 0 gives up at the first crash":        func() { policy.MaxCrashes(-1, 1) },
		"policy: MaxCrashes: window (0s) is not positive; raise it, an hour is common": func() { policy.MaxCrashes(1, 0) },
		"policy: MaxCrashes: the policy is nil; policy.Default() is a good one":        func() { policy.MaxCrashes(1, 1)(nil) },
	} {
		wantPanic(t, want, f)
	}
}
