package policy_test

import (
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

func TestIgnore(t *testing.T) {
	k := newTask(t, policy.Compose(policy.Exponential(time.Second, 2, time.Hour), policy.CrashLoop(3, time.Minute, time.Hour),
		policy.MaxCrashes(3, time.Hour), policy.Ignore(isConfig)))
	ignored := policy.Decision{Uncounted: true}
	fail := func(seconds float64) {
		t.Helper()
		for range 20 {
			if got := k.fail(seconds, errConfig); got != ignored {
				t.Errorf("an error that matches: %+v, want it ignored", got)
			}
		}
	}
	fail(0)
	k.wantCrash(1, hold(1))
	fail(2)
	k.wantCrash(3, hold(2))
	if h := k.history(); h.Streak() != 2 || h.Crashes() != 2 || h.LastDelay() != sec(2) {
		t.Errorf("streak %d of %d crashes, last delay %v; want 2 of 2, 2s", h.Streak(), h.Crashes(), h.LastDelay())
	}
	fail(4)
	k.wantCrash(5, loop(3600))
	fail(6)
	k.wantCrash(7, giveUp)
	k.wantExit(8, hold(8))
}

func TestIgnoreIsNotAskedAboutCleanExits(t *testing.T) {
	k := newTask(t, policy.Ignore(func(err error) bool {
		if err == nil {
			t.Error("asked about nil")
		}
		return true
	})(policy.Constant(time.Second)))
	k.wantExit(0, hold(1))
}

// A stable run earns a clean slate, whatever ends it.
func TestStableRunThatEndsIgnored(t *testing.T) {
	k := newTask(t, policy.Compose(policy.Exponential(time.Second, 2, time.Hour), policy.Ignore(isConfig), policy.StableRun(time.Minute)))
	k.crash(0)
	k.crash(1)
	k.start(2)
	if got, want := k.fail(100, errConfig), (policy.Decision{Fresh: true, Uncounted: true}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if h := k.history(); h.Streak() != 0 || h.Crashes() != 2 {
		t.Errorf("streak %d of %d crashes, want 0 of 2", h.Streak(), h.Crashes())
	}
	k.wantCrash(101, hold(1))
}

func TestIgnorePanics(t *testing.T) {
	for want, f := range map[string]func(){
		"policy: Ignore: pred is nil; give the function that says which errors to ignore": func() { policy.Ignore(nil) },
		"policy: Ignore: the policy is nil; policy.Default() is a good one":               func() { policy.Ignore(isConfig)(nil) },
	} {
		wantPanic(t, want, f)
	}
}
