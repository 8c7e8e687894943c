package policy_test

import (
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

func wantAllocs(t *testing.T, want float64, what string, f func()) {
	t.Helper()
	if got := testing.AllocsPerRun(100, f); got != want {
		t.Errorf("%s: %v allocations, want %v", what, got, want)
	}
}

func TestDecideDoesNotAllocate(t *testing.T) {
	const s = time.Second
	for name, p := range map[string]policy.Policy{
		"Default": policy.Default(),
		"all that need no error": policy.Compose(policy.Exponential(s, 1.0001, time.Hour), policy.Jitter(policy.FullJitter, s),
			policy.MaxCrashes(3, s), policy.CrashLoop(2, s, s), policy.Budget(1e6, 1), policy.StableRun(s)),
		"Match": policy.Match(isConfig, policy.Constant(s))(policy.Steps(s)),
	} {
		var h policy.History
		h.ObserveCrash(start, errCrash)
		p.Decide(&h) // may make room for what the policy looks back on
		wantAllocs(t, 0, name, func() { p.Decide(&h) })
	}
}

func TestCrashesAfterTheFirstDoNotAllocate(t *testing.T) {
	var h policy.History
	now := start
	wantAllocs(t, 0, "runs before the first crash", func() {
		now = now.Add(time.Second)
		h.ObserveStart(now)
		h.ObserveCleanExit(now)
	})
	h.ObserveCrash(now, errCrash)
	wantAllocs(t, 0, "crashes", func() {
		for range 20 {
			now = now.Add(time.Second)
			h.ObserveStart(now)
			h.ObserveCrash(now, errCrash)
			h.Since(5)
			h.Apply(policy.Decision{Delay: 1})
		}
		h.Forget()
	})
	wantAllocs(t, 1, "the first crash", func() {
		var h policy.History
		h.ObserveCrash(now, errCrash)
		for range 20 {
			h.ObserveCrash(now, errCrash)
		}
	})
}
