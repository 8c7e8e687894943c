package policy_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
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

// A clean slate does not start the count anew: neither that of a stable run nor that
// of a crash loop. A force release does.
func TestMaxCrashesCountsAcrossSlates(t *testing.T) {
	stack := func(n int) *task {
		return newTask(t, policy.Compose(policy.Constant(time.Second), policy.MaxCrashes(n, 1000*time.Second),
			policy.CrashLoop(2, time.Minute, 10*time.Second), policy.StableRun(time.Minute)))
	}
	k := stack(4)
	k.wantCrash(0, hold(1))
	k.wantCrash(1, loop(10))
	k.wantCrash(20, fresh(hold(1)))
	k.start(21)
	k.wantCrash(100, fresh(hold(1)))
	k.start(101)
	k.wantCrash(200, fresh(giveUp))

	k = stack(4)
	for i := range 4 {
		k.crash(float64(100 * i))
	}
	k.log.Reset()
	k.wantCrash(401, hold(1))
	k.wantCrash(501, hold(1))
}

// Where MaxCrashes stands beside CrashLoop and Probation, a task that fails at once is
// given up, at the crash that is one too many.
func TestMaxCrashesBesideACrashLoop(t *testing.T) {
	c := policy.DefaultConfig()
	c.MaxCrashes = policy.Limit{N: 20, Window: 2 * time.Hour}
	for name, p := range map[string]policy.Policy{
		"default": mustPolicy(t, c),
		"classic": policy.Compose(policy.Classic(), policy.MaxCrashes(20, time.Hour)),
	} {
		got := policy.Simulate(p, slices.Repeat([]policy.Run{{Err: errCrash}}, 100))
		if len(got) != 21 || got[20].Verdict != policy.GiveUp {
			t.Errorf("%s: %d crashes, the last: %v; want the 21st given up", name, len(got), got[len(got)-1].Verdict)
		}
	}
}

func TestMaxCrashesWithoutBounds(t *testing.T) {
	k := newTask(t, policy.MaxCrashes(2, math.MaxInt64)(policy.Constant(time.Second)))
	k.wantCrash(0, hold(1))
	k.wantCrash(3e8, hold(1))
	k.wantCrash(5e8, giveUp)

	k = newTask(t, policy.MaxCrashes(history.MaxLookBack-1, math.MaxInt64)(policy.Constant(time.Second)))
	for i := range 100 {
		k.wantCrash(float64(i), hold(1))
	}
}

func TestMaxCrashesPanics(t *testing.T) {
	for want, f := range map[string]func(){
		"policy: max_crashes: n (-1) is negative; 0 gives up at the first crash":           func() { policy.MaxCrashes(-1, 1) },
		"policy: max_crashes: window (0s) is not positive; raise it, an hour is common":    func() { policy.MaxCrashes(1, 0) },
		"policy: max_crashes: n (1048576) is above 1048575, what can be counted; lower it": func() { policy.MaxCrashes(1<<20, 1) },
		"policy: MaxCrashes: the policy is nil; policy.Default() is a good one":            func() { policy.MaxCrashes(1, 1)(nil) },
	} {
		wantPanic(t, want, f)
	}
}
