package policy_test

import (
	"math"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// onProbation has a crash loop of 10s at two crashes, then holds of 20s, 40s, 40s, …
func onProbation(t *testing.T) *task {
	return newTask(t, policy.Compose(policy.Exponential(time.Second, 2, time.Hour),
		policy.CrashLoop(2, time.Minute, 10*time.Second),
		policy.Probation(20*time.Second, 40*time.Second),
		policy.StableRun(time.Minute)))
}

func TestProbation(t *testing.T) {
	k := onProbation(t)
	k.wantCrash(0, hold(1))
	k.wantCrash(1, loop(10))
	k.wantCrash(11, loop(20))
	k.wantCrash(31, loop(40))
	k.wantCrash(71, loop(40))
	k.wantCrash(9999, loop(40)) // however much later
	if h := k.history(); h.Streak() != 6 || h.Trips() != 5 {
		t.Errorf("streak %d, %d trips; want 6, 5", h.Streak(), h.Trips())
	}
}

func TestProbationEndsWithAStableRun(t *testing.T) {
	k := onProbation(t)
	k.crash(0)
	k.crash(1)
	k.crash(11)
	k.start(31)
	k.wantCrash(90.999, loop(40)) // not quite
	k.start(200)
	k.wantCrash(260, fresh(hold(1)))
	k.wantCrash(261, loop(10))
}

func TestProbationEndsWithAForceRelease(t *testing.T) {
	k := onProbation(t)
	k.crash(0)
	k.crash(1)
	k.crash(11)
	k.log.Reset()
	k.wantCrash(12, hold(1))
	k.wantCrash(13, loop(10))
}

// A crash in a hold, of a task that someone started anyway, renews that hold.
func TestCrashInTheHoldOnProbation(t *testing.T) {
	k := onProbation(t)
	k.crash(0)
	k.wantCrash(1, loop(10))
	k.wantCrash(5, loop(10))
	k.wantCrash(14, loop(10)) // the hold was renewed until 15
	k.wantCrash(24, loop(20))
	k.wantCrash(30, loop(20))
	k.wantCrash(50, loop(40))
	if got := k.history().Trips(); got != 3 {
		t.Errorf("%d trips, want 3", got)
	}
}

func TestCleanExitsOnProbation(t *testing.T) {
	k := onProbation(t)
	k.crash(0)
	k.crash(1)
	k.start(11)
	k.wantExit(12, hold(2))
	k.start(14)
	k.wantCrash(15, loop(20))
}

// Without a crash loop inside, there is nothing to be on probation after.
func TestProbationAlone(t *testing.T) {
	k := newTask(t, policy.Probation(time.Minute)(policy.Constant(time.Second)))
	for i := range 10 {
		k.wantCrash(float64(i), hold(1))
	}
}

func TestProbationForever(t *testing.T) {
	k := newTask(t, policy.Compose(policy.Constant(0), policy.CrashLoop(1, 1, 1), policy.Probation(1, math.MaxInt64)))
	forever := policy.Decision{Verdict: policy.CrashLooping, Delay: math.MaxInt64}
	k.crash(0)
	k.crash(1)
	k.wantCrash(2, forever)
	k.wantCrash(1e8, forever)
	if !k.history().Looping() {
		t.Error("Looping = false in a hold without end")
	}
}

func TestProbationIsCopied(t *testing.T) {
	cooldowns := []time.Duration{time.Second, time.Minute}
	p := policy.Compose(policy.Constant(0), policy.CrashLoop(1, 1, 1), policy.Probation(cooldowns...))
	cooldowns[0] = time.Hour
	k := newTask(t, p)
	k.crash(0)
	k.wantCrash(1, loop(1))
}

func TestProbationPanics(t *testing.T) {
	for want, f := range map[string]func(){
		"policy: cooldowns is empty; give at least one, or leave Probation out":              func() { policy.Probation() },
		"policy: cooldowns: 1 (0s) is not positive; raise it, a minute is common":            func() { policy.Probation(0) },
		"policy: cooldowns: 2 (1s) is below the one before (1m0s); put the longer ones last": func() { policy.Probation(time.Minute, time.Second) },
		"policy: cooldowns: there are 1001, which is above 1000; leave some out":             func() { policy.Probation(make([]time.Duration, 1001)...) },
		"policy: Probation: the policy is nil; policy.Default() is a good one":               func() { policy.Probation(1)(nil) },
	} {
		wantPanic(t, want, f)
	}
}
