package policy_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/holdfast-go/holdfast/policy"
)

// stranger is a policy of someone else, without a String method.
type stranger struct{}

func (stranger) Decide(policy.History) policy.Decision { return policy.Decision{} }

func TestPoliciesPrintAsWhatTheyDo(t *testing.T) {
	const s = time.Second
	base := policy.Constant(0)
	long := make([]time.Duration, 1000)
	for i := range long {
		long[i] = time.Duration(i+1) * s
	}
	for want, p := range map[string]policy.Policy{
		"StableRun(1m) ─► CrashLoop(5 in 1m: 5m) ─► Exponential(500ms ×2 ≤ 1m)":                                             policy.Classic(),
		"Spread(10%) ─► StableRun(1m) ─► Probation(1m, 2m30s, 5m) ─► CrashLoop(5 in 1m: 30s) ─► Exponential(500ms ×2 ≤ 1m)": policy.Default(),
		"Constant(0s)":                                    policy.Constant(0),
		"Constant(1h30m)":                                 policy.Constant(90 * time.Minute),
		"Constant(1h0m1s)":                                policy.Constant(time.Hour + s),
		"Constant(2562047h47m16.854775807s)":              policy.Constant(1<<63 - 1),
		"Constant(7s)":                                    policy.Exponential(7*s, 1, time.Hour),
		"Exponential(1s ×1.5 ≤ 1h)":                       policy.Exponential(s, 1.5, time.Hour),
		"Steps(0s, 1s, 1m)":                               policy.Steps(0, s, time.Minute),
		"Steps(1s, 2s, 3s, 4s, 5s, 6s, …, 16m40s)":        policy.Steps(long...),
		"Steps(1s, 2s, 3s, 4s, 5s, 6s, 7s, 8s)":           policy.Steps(long[:8]...),
		"FromBackOff":                                     policy.FromBackOff(func() backoff.BackOff { return &backoff.ZeroBackOff{} }),
		"Func":                                            policy.Func(nil),
		"policy_test.stranger":                            stranger{},
		"Jitter(full ≤ 30s) ─► Constant(0s)":              policy.Jitter(policy.FullJitter, 30*s)(base),
		"CrashLoop(3 in 10s: 1h) ─► Constant(0s)":         policy.CrashLoop(3, 10*s, time.Hour)(base),
		"Probation(1m) ─► Constant(0s)":                   policy.Probation(time.Minute)(base),
		"MaxCrashes(20 in 1h) ─► Constant(0s)":            policy.MaxCrashes(20, time.Hour)(base),
		"PermanentErrors ─► Constant(0s)":                 policy.PermanentErrors()(base),
		"RetryAfter(≤ 10m) ─► Constant(0s)":               policy.RetryAfter(10 * time.Minute)(base),
		"Ignore ─► Constant(0s)":                          policy.Ignore(isConfig)(base),
		"Match(Steps(1s, 2s)) ─► Constant(0s)":            policy.Match(isConfig, policy.Steps(s, 2*s))(base),
		"Budget(0.5 a second, 3 at once) ─► Constant(0s)": policy.Budget(0.5, 3)(base),
		"StableRun(1h) ─► Constant(0s)":                   policy.StableRun(time.Hour)(base),
		"Spread(12.5%) ─► Constant(0s)":                   policy.Spread(0.125)(base),
		"Switch ─► Constant(0s)":                          policy.NewSwitch(base),
		"Spread(50%) ─► Func":                             policy.Guard(policy.Spread(0.5)(policy.Func(nil)), nil), // a guard is not a rule
	} {
		if _, foreign := p.(stranger); foreign {
			p = policy.Spread(1)(p)
			want = "Spread(100%) ─► " + want
		}
		if got := fmt.Sprint(p); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
