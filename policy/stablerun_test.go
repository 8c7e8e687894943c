package policy_test

import (
	"math"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// stableMinute takes a run of a minute for stable.
var stableMinute = policy.StableRun(time.Minute)(policy.Exponential(time.Second, 2, time.Hour))

func TestStableRun(t *testing.T) {
	k := newTask(t, stableMinute)
	k.wantCrash(0, hold(1))
	k.start(1)
	k.wantCrash(60.999999999, hold(2))
	k.start(61)
	k.wantCrash(121, fresh(hold(1))) // as long as asked for
	k.start(122)
	k.wantCrash(500, fresh(hold(1)))
	if got := k.history().Crashes(); got != 4 {
		t.Errorf("Crashes = %d, want 4", got)
	}
}

func TestStableRunThatEndsClean(t *testing.T) {
	k := newTask(t, stableMinute)
	k.crash(0)
	k.crash(1)
	k.start(2)
	k.wantExit(3, hold(2))
	k.start(3)
	k.wantExit(63, fresh(hold(1)))
	if got := k.history().Streak(); got != 0 {
		t.Errorf("streak = %d, want 0", got)
	}
	k.wantCrash(64, hold(1))
}

// What is timed is the run. Neither a hold nor the time before a start that was
// not seen belongs to it.
func TestTimeHeldIsNotARun(t *testing.T) {
	k := newTask(t, stableMinute)
	k.crash(0)
	k.start(1000)
	k.wantCrash(1001, hold(2))
	k.wantCrash(5000, hold(4))
}

func TestStableRunFreesFromACrashLoop(t *testing.T) {
	k := newTask(t, policy.Compose(policy.Exponential(time.Second, 2, time.Hour),
		policy.CrashLoop(2, time.Minute, time.Hour), policy.StableRun(time.Minute)))
	k.crash(0)
	k.wantCrash(1, loop(3600))
	k.start(2)
	k.wantCrash(62, fresh(hold(1)))
	k.wantCrash(63, loop(3600))
}

func TestStableRunWipesOnce(t *testing.T) {
	k := newTask(t, stableMinute)
	k.start(0)
	k.wantCrash(100, fresh(hold(1)))
	k.wantCrash(101, hold(2)) // its start was not seen
}

func TestStableRunPanics(t *testing.T) {
	for want, f := range map[string]func(){
		"policy: stable_after (0s) is not positive; raise it, a minute is common":  func() { policy.StableRun(0) },
		"policy: stable_after (-1s) is not positive; raise it, a minute is common": func() { policy.StableRun(-time.Second) },
		"policy: StableRun: the policy is nil; policy.Default() is a good one":     func() { policy.StableRun(1)(nil) },
	} {
		wantPanic(t, want, f)
	}
	k := newTask(t, policy.StableRun(math.MaxInt64)(policy.Steps(1, 2)))
	k.start(0)
	k.crash(4e8)
	k.wantCrash(5e8, policy.Decision{Delay: 2})
}
