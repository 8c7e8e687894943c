package policy_test

import (
	"math"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
	"github.com/holdfast-go/holdfast/policy"
)

func crashLoop(threshold int, window, cooldown float64) policy.Policy {
	return policy.CrashLoop(threshold, sec(window), sec(cooldown))(policy.Constant(time.Second))
}

func TestCrashLoop(t *testing.T) {
	k := newTask(t, crashLoop(3, 60, 300))
	k.wantCrash(0, hold(1))
	k.wantCrash(1, hold(1))
	k.wantCrash(2, loop(300))
}

func TestCrashLoopWindowIsInclusive(t *testing.T) {
	k := newTask(t, crashLoop(2, 60, 300))
	k.wantCrash(0, hold(1))
	k.wantCrash(60.000000001, hold(1))
	k.wantCrash(120.000000001, loop(300))
}

func TestCrashLoopWindowSlides(t *testing.T) {
	k := newTask(t, crashLoop(3, 60, 300))
	for i, seconds := range []float64{0, 1, 100, 101, 180, 190, 260, 270} {
		k.wantCrash(seconds, hold(1))
		if got := k.history().Streak(); got != i+1 {
			t.Fatalf("streak = %d, want %d: the window does not end it", got, i+1)
		}
	}
	k.wantCrash(271, loop(300))
}

func TestCrashLoopOfOne(t *testing.T) {
	k := newTask(t, crashLoop(1, 60, 10))
	k.wantCrash(0, loop(10))
	k.wantCrash(20, fresh(loop(10)))
}

// The end of the hold itself belongs to the time after it.
func TestCrashLoopEndsInACleanSlate(t *testing.T) {
	k := newTask(t, policy.CrashLoop(3, time.Hour, 10*time.Second)(policy.Exponential(sec(0.5), 2, time.Minute)))
	k.wantCrash(0, hold(0.5))
	k.wantCrash(1, hold(1))
	k.wantCrash(2, loop(10))
	k.wantCrash(12, fresh(hold(0.5)))
	if h := k.history(); h.Streak() != 1 || h.Crashes() != 4 {
		t.Errorf("streak = %d of %d crashes, want 1 of 4", h.Streak(), h.Crashes())
	}
	k.wantCrash(13, hold(1))
	k.wantCrash(14, loop(10))
}

func TestCrashInTheHoldRenewsIt(t *testing.T) {
	k := newTask(t, crashLoop(3, 60, 300))
	for i := range 3 {
		k.crash(float64(i))
	}
	k.start(100)
	k.wantCrash(301.999, loop(300))
	if !k.history().Looping() {
		t.Error("Looping = false in the hold")
	}
	k.wantCrash(601.998, loop(300)) // in the hold that was renewed
	k.wantCrash(901.998, fresh(hold(1)))
	if k.history().Looping() {
		t.Error("Looping = true after the hold")
	}
}

// The longer hold prevails, whichever rule of the stack asks for it.
func TestCrashInTheHoldNeverShortensIt(t *testing.T) {
	var log history.Log
	log.ObserveCrash(at(0), errCrash)
	apply(&log, loop(1000))
	log.ObserveCrash(at(1), errCrash)
	if verdict, end := apply(&log, hold(5)); verdict != policy.CrashLooping || end != sec(1000) {
		t.Errorf("%v until %v, want crash looping until 1000s", verdict, end)
	}
	if got := log.LastDelay(); got != sec(999) {
		t.Errorf("LastDelay = %v, want the 999s that were left", got)
	}
}

func TestCleanExitDoesNotTripTheCrashLoop(t *testing.T) {
	k := newTask(t, crashLoop(3, 60, 300))
	for i := range 3 {
		k.crash(float64(i))
	}
	k.start(3)
	k.wantExit(4, hold(1))
	k.start(5)
	k.wantCrash(6, loop(300))
}

func TestCrashLoopForAsLongAsCanBe(t *testing.T) {
	k := newTask(t, policy.CrashLoop(2, math.MaxInt64, math.MaxInt64)(policy.Constant(0)))
	k.wantCrash(0, policy.Decision{})
	want := policy.Decision{Verdict: policy.CrashLooping, Delay: math.MaxInt64}
	k.wantCrash(5e8, want) // 16 years later
	k.wantCrash(5.1e8, want)
	if got := k.log.LastDelay(); got != math.MaxInt64-sec(5.1e8) {
		t.Errorf("LastDelay = %d, want what is left of all time", got)
	}
}

// A crash that is not there is not in the window, however long it is.
func TestCrashLoopOfMoreThanHaveBeen(t *testing.T) {
	k := newTask(t, policy.CrashLoop(history.MaxLookBack, math.MaxInt64, 1)(policy.Constant(0)))
	for i := range 100 {
		k.wantCrash(float64(i), policy.Decision{})
	}
}

func TestCrashLoopDeep(t *testing.T) {
	for _, threshold := range []int{8, 9, 16, 17, 64, 65, 100, 1000} {
		k := newTask(t, crashLoop(threshold, float64(threshold), 10))
		for i := range threshold - 1 {
			k.wantCrash(float64(i), hold(1))
		}
		k.wantCrash(float64(threshold-1), loop(10))
	}
}

func TestCrashLoopPanics(t *testing.T) {
	const s = time.Second
	for want, f := range map[string]func(){
		"policy: threshold (0) is below 1; 1 trips at the first crash":                           func() { policy.CrashLoop(0, s, s) },
		"policy: window (0s) is not positive; raise it, a minute is common":                      func() { policy.CrashLoop(1, 0, s) },
		"policy: cooldown (-1s) is not positive; raise it, half a minute is common":              func() { policy.CrashLoop(1, s, -s) },
		"policy: threshold (1048577) is above 1048576, the most crashes that are kept; lower it": func() { policy.CrashLoop(1048577, s, s) },
		"policy: CrashLoop: the policy is nil; policy.Default() is a good one":                   func() { policy.CrashLoop(1, s, s)(nil) },
		"policy: threshold (-1) is below 1; 1 trips at the first crash\npolicy: window (-1s) is not positive; raise it, a minute is common": func() {
			policy.CrashLoop(-1, -s, s)
		},
	} {
		wantPanic(t, want, f)
	}
}
