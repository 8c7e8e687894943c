package policy

import (
	"fmt"
	"math"
	"time"
)

// Policy decides how long a task is held after a run has ended.
//
// Decide is called once for each run that has ended: after a crash h.Err() is not
// nil, after a clean exit it is. It must be a function of h alone: no clock, no
// lock, no random source, no state of its own ([Budget] and [Switch] are the
// exceptions among those built in). It must not keep h, which is valid only until
// Decide returns.
//
// One Policy value may serve any number of tasks; implementations must be
// safe for concurrent use with different histories. A Decide that panics is
// contained by the gate, which then holds the task as [Default] would; see
// [Guard]. Package policytest checks an implementation against this contract.
//
// A policy with a method String() string is shown by it wherever a stack is
// printed.
type Policy interface {
	Decide(h History) Decision
}

// Func is an adapter that makes a Policy of an ordinary function. A nil Func
// panics when it is asked. It is as safe for concurrent use as the function is.
type Func func(h History) Decision

// Decide returns f(h).
func (f Func) Decide(h History) Decision { return f(h) }

// String returns "Func".
func (f Func) String() string { return "Func" }

// Decorator wraps a Policy in another that adds one rule to it. It returns a
// new Policy and leaves the given one as it was. The decorators of this
// package have a method Unwrap() Policy that shows what they wrap, and may be
// used any number of times.
type Decorator func(inner Policy) Policy

// Compose wraps base in the decorators, each around all those before it. The
// last one sees a run first, and may answer without asking those inside:
//
//	Compose(Exponential(…), CrashLoop(…), StableRun(…))
//
//	run ended ─► StableRun ─► CrashLoop ─► Exponential
//	             clean slate? too many?    how long?
//
// The result prints in that order. Compose panics if base or a decorator is nil.
func Compose(base Policy, outward ...Decorator) Policy {
	p := mustPolicy("Compose", base)
	for i, d := range outward {
		if d == nil {
			panic(fmt.Sprintf("policy: Compose: decorator %d is nil; leave it out", i+1))
		}
		p = mustPolicy("Compose", d(p))
	}
	return p
}

// Verdict is what a Policy wants done with a task.
type Verdict uint8

// The verdicts, from mildest to most severe.
const (
	// Restart runs the task again: at once, or after a back-off where the
	// decision has a delay.
	Restart Verdict = iota
	// CrashLooping trips the crash-loop gate, for the decision's delay.
	CrashLooping
	// GiveUp does not run the task again unless an operator insists.
	GiveUp
)

// String returns "restart", "crash looping" or "give up".
func (v Verdict) String() string {
	switch v {
	case Restart:
		return "restart"
	case CrashLooping:
		return "crash looping"
	case GiveUp:
		return "give up"
	}
	return fmt.Sprintf("verdict(%d)", uint8(v))
}

// Decision is a Policy's answer. The zero value means: restart now. Decisions are
// comparable.
type Decision struct {
	Verdict Verdict
	// Delay is how long the task is held, counted from the end of its run. A
	// negative one counts as zero, and the longest (math.MaxInt64) as forever.
	// It has no meaning with GiveUp.
	Delay time.Duration
	// Fresh has the slate wiped before the decision is recorded, so that the crash
	// at hand is the first of a new streak. A rule that decides by h.Fresh() sets
	// it.
	Fresh bool
	// Uncounted has the end of the run count as neither a crash nor a clean exit:
	// the streak, the last delay and the number of crashes stay what they were.
	Uncounted bool
}

// String returns the decision in words, such as "restart after 500ms" or "crash
// looping, held forever".
func (d Decision) String() string {
	switch {
	case d.Verdict == GiveUp:
		return "give up"
	case d.Delay == math.MaxInt64:
		return d.Verdict.String() + ", held forever"
	case d.Verdict == Restart && d.Delay <= 0:
		return "restart now"
	case d.Verdict == Restart:
		return "restart after " + short(d.Delay)
	}
	return d.Verdict.String() + " for " + short(d.Delay)
}

func mustPolicy(caller string, p Policy) Policy {
	if p == nil {
		panic("policy: " + caller + ": the policy is nil; policy.Default() is a good one")
	}
	return p
}
