package policy_test

import (
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
	"github.com/holdfast-go/holdfast/policy"
)

func TestDecideDoesNotAllocate(t *testing.T) {
	const s = time.Second
	for name, p := range map[string]policy.Policy{
		"Default": policy.Default(),
		"Classic": policy.Classic(),
		"all that need no error": policy.Compose(policy.Exponential(s, 1.0001, time.Hour), policy.Jitter(policy.FullJitter, s),
			policy.MaxCrashes(3, s), policy.CrashLoop(2, s, s), policy.Probation(s, time.Minute), policy.Budget(1e6, 1),
			policy.StableRun(s), policy.Spread(0.5)),
		"Match and Ignore": policy.Compose(policy.Steps(s), policy.Match(isConfig, policy.Constant(s)), policy.Ignore(isConfig)),
		"Switch":           policy.NewSwitch(nil),
	} {
		var log history.Log
		log.ObserveCrash(start, errCrash)
		h := view(&log)
		p.Decide(h) // may make room for what the policy looks back on
		if got := testing.AllocsPerRun(100, func() { p.Decide(h) }); got != 0 {
			t.Errorf("%s: %v allocations, want 0", name, got)
		}
	}
}
