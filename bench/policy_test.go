package bench_test

import (
	"testing"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

// policies are each rule alone, around a constant delay where it needs one.
var policies = []struct {
	name string
	make func() policy.Policy
}{
	{"Constant", constant},
	{"Exponential", func() policy.Policy { return policy.Exponential(500*time.Millisecond, 2, time.Minute) }},
	{"Steps", func() policy.Policy { return policy.Steps(time.Second, time.Minute) }},
	{"CrashLoop", around(policy.CrashLoop(5, time.Minute, 5*time.Minute))},
	{"StableRun", around(policy.StableRun(time.Minute))},
	{"FullJitter", around(policy.Jitter(policy.FullJitter, time.Minute))},
	{"EqualJitter", around(policy.Jitter(policy.EqualJitter, time.Minute))},
	{"DecorrelatedJitter", around(policy.Jitter(policy.DecorrelatedJitter, time.Minute))},
	{"MaxCrashes", around(policy.MaxCrashes(5, time.Minute))},
	{"PermanentErrors", around(policy.PermanentErrors())},
	{"RetryAfter", around(policy.RetryAfter(time.Minute))},
	{"Match", around(policy.Match(func(error) bool { return false }, constant()))},
	{"FromBackOff", func() policy.Policy {
		return policy.FromBackOff(func() backoff.BackOff { return backoff.NewConstantBackOff(time.Second) })
	}},
	{"default", policy.Default},
}

func constant() policy.Policy { return policy.Constant(time.Second) }

func around(d policy.Decorator) func() policy.Policy {
	return func() policy.Policy { return policy.Compose(constant(), d) }
}

// BenchmarkDecide is of the rule alone, at the third crash of a streak.
func BenchmarkDecide(b *testing.B) {
	for _, p := range policies {
		b.Run("policy="+p.name, func(b *testing.B) {
			tracker := gate.NewTracker(nil)
			for i := range 3 {
				tracker.ObserveCrash(start.Add(time.Duration(i)*time.Second), errCrash)
			}
			rule, history := p.make(), tracker.History()
			b.ReportAllocs()
			for b.Loop() {
				rule.Decide(history)
			}
		})
	}
}
