package policy_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

func TestComposeOrder(t *testing.T) {
	var saw []string
	see := func(name string) policy.Decorator {
		return func(inner policy.Policy) policy.Policy {
			return policy.Func(func(h policy.History) policy.Decision {
				saw = append(saw, name)
				return inner.Decide(h)
			})
		}
	}
	base := policy.Constant(5)
	p := policy.Compose(base, see("inside"), see("between"), see("outside"))
	newTask(t, p).wantCrash(0, policy.Decision{Delay: 5})
	if want := []string{"outside", "between", "inside"}; !slices.Equal(saw, want) {
		t.Errorf("the run was seen by %v, want %v", saw, want)
	}
	if got := policy.Compose(base); got != base {
		t.Errorf("Compose of a base alone is %v, want the base", got)
	}
}

func TestUnwrap(t *testing.T) {
	const s = time.Second
	base := policy.Constant(s)
	for name, d := range map[string]policy.Decorator{
		"CrashLoop":       policy.CrashLoop(1, s, s),
		"StableRun":       policy.StableRun(s),
		"Jitter":          policy.Jitter(policy.FullJitter, s),
		"MaxCrashes":      policy.MaxCrashes(1, s),
		"Probation":       policy.Probation(s),
		"Spread":          policy.Spread(1),
		"Ignore":          policy.Ignore(isConfig),
		"Switch":          func(p policy.Policy) policy.Policy { return policy.NewSwitch(p) },
		"PermanentErrors": policy.PermanentErrors(),
		"RetryAfter":      policy.RetryAfter(s),
		"Match":           policy.Match(func(error) bool { return true }, policy.Default()),
		"Budget":          policy.Budget(1, 1),
		"Guard": func(p policy.Policy) policy.Policy {
			return policy.Guard(policy.RetryAfter(s)(p), nil).(unwrapper).Unwrap()
		},
	} {
		if got := d(base).(unwrapper).Unwrap(); got != base {
			t.Errorf("%s: Unwrap = %v, want what it wraps", name, got)
		}
	}
}

type unwrapper interface{ Unwrap() policy.Policy }

func TestComposePanics(t *testing.T) {
	base := policy.Constant(1)
	for want, f := range map[string]func(){
		"policy: Compose: the policy is nil; policy.Default() is a good one": func() { policy.Compose(nil) },
		"policy: Compose: decorator 2 is nil; leave it out":                  func() { policy.Compose(base, policy.StableRun(1), nil) },
	} {
		wantPanic(t, want, f)
	}
	wantPanic(t, "policy: Compose: the policy is nil; policy.Default() is a good one", func() {
		policy.Compose(base, func(policy.Policy) policy.Policy { return nil })
	})
}

func TestStrings(t *testing.T) {
	for d, want := range map[policy.Decision]string{
		{}:                                 "restart now",
		{Delay: -1}:                        "restart now",
		hold(0.5):                          "restart after 500ms",
		loop(300):                          "crash looping for 5m",
		giveUp:                             "give up",
		{Verdict: policy.GiveUp, Delay: 5}: "give up",
		{Verdict: 7, Delay: 1}:             "verdict(7) for 1ns",
		{Delay: math.MaxInt64}:             "restart, held forever",
		{Verdict: policy.CrashLooping}:     "crash looping for 0s",
	} {
		if got := d.String(); got != want {
			t.Errorf("%#v: %q, want %q", d, got, want)
		}
	}
	for v, want := range map[policy.Verdict]string{
		policy.Restart: "restart", policy.CrashLooping: "crash looping", policy.GiveUp: "give up", 3: "verdict(3)",
	} {
		if got := v.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
