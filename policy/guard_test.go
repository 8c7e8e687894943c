package policy_test

import (
	"slices"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/holdfast-go/holdfast/policy"
)

func TestGuardOfAPolicyThatPanics(t *testing.T) {
	var reported []any
	p := policy.Guard(policy.Func(func(h policy.History) policy.Decision {
		if h.Streak() == 2 {
			return hold(42)
		}
		panic(h.Streak())
	}), func(v any) { reported = append(reported, v) })

	k := newTask(t, p)
	k.wantCrash(0, k.byDefault(0))
	k.wantCrash(1, hold(42))
	k.wantCrash(2, k.byDefault(2))
	k.wantCrash(3, k.byDefault(3))
	k.wantCrash(4, k.byDefault(4))
	if d := k.exit(5); d.Verdict != policy.Restart || d.Delay < sec(8) {
		t.Errorf("a clean exit: %v, want what Default decides", d)
	}
	if want := []any{1, 3, 4, 5, 5}; !slices.Equal(reported, want) {
		t.Errorf("reported %v, want %v", reported, want)
	}
}

func TestGuardWithoutAReport(t *testing.T) {
	var f policy.Func // panics when asked
	k := newTask(t, policy.Guard(f, nil))
	k.wantCrash(0, k.byDefault(0))
}

func TestGuardOfNil(t *testing.T) {
	if got := policy.Guard(nil, nil); got != policy.Default() {
		t.Errorf("Guard(nil) = %v, want Default", got)
	}
}

// What calls no code of others is not slowed down.
func TestGuardLeavesTheInfallibleAsTheyAre(t *testing.T) {
	const s = time.Second
	stack := policy.Compose(policy.Exponential(1, 2, s), policy.Jitter(policy.FullJitter, s), policy.MaxCrashes(3, s),
		policy.CrashLoop(2, s, s), policy.Probation(s), policy.Budget(1, 1), policy.StableRun(s), policy.Spread(1))
	for name, p := range map[string]policy.Policy{
		"Default":     policy.Default(),
		"Classic":     policy.Classic(),
		"Config":      mustPolicy(t, policy.DefaultConfig()),
		"Exponential": policy.Exponential(1, 1.5, s),
		"Steps":       policy.Steps(1, 2),
		"a stack":     stack,
	} {
		if got := policy.Guard(p, nil); got != p {
			t.Errorf("%s: is guarded", name)
		}
	}
}

func TestGuardOfTheFallible(t *testing.T) {
	const s = time.Second
	base := policy.Constant(s)
	fallible := policy.Match(func(error) bool { return true }, base)(base)
	for name, p := range map[string]policy.Policy{
		"Match":           fallible,
		"PermanentErrors": policy.PermanentErrors()(base),
		"RetryAfter":      policy.RetryAfter(s)(base),
		"CrashLoop":       policy.CrashLoop(1, s, s)(fallible),
		"Probation":       policy.Probation(s)(fallible),
		"Spread":          policy.Spread(1)(fallible),
		"Ignore":          policy.Ignore(isConfig)(base),
		"Switch":          policy.NewSwitch(base),
		"StableRun":       policy.StableRun(s)(fallible),
		"Jitter":          policy.Jitter(policy.FullJitter, s)(fallible),
		"MaxCrashes":      policy.MaxCrashes(1, s)(fallible),
		"Budget":          policy.Budget(1, 1)(fallible),
		"guarded":         policy.Guard(fallible, nil),
	} {
		if got := policy.Guard(p, nil); got == p {
			t.Errorf("%s: is not guarded, though it calls code of others", name)
		}
	}
	fromNil := policy.FromBackOff(func() backoff.BackOff { return nil })
	k := newTask(t, policy.Guard(fromNil, nil))
	k.wantCrash(0, k.byDefault(0))
}

// byDefault is what Default decides on a crash.
func (k *task) byDefault(seconds float64) policy.Decision {
	log := k.log.Clone()
	log.ObserveCrash(at(seconds), errCrash)
	return policy.Default().Decide(view(log))
}

// A report that panics, too, goes no further.
func TestGuardOfAReportThatPanics(t *testing.T) {
	reported := 0
	k := newTask(t, policy.Guard(policy.Func(func(policy.History) policy.Decision { panic("first") }), func(any) {
		reported++
		panic("second")
	}))
	k.wantCrash(0, k.byDefault(0))
	if reported != 1 {
		t.Errorf("reported %d times, want once", reported)
	}
}
