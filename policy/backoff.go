package policy

import (
	"time"

	"github.com/cenkalti/backoff/v4"
)

// maxAsked bounds how often FromBackOff asks one BackOff.
const maxAsked = 1024

// FromBackOff makes a policy of any [backoff.BackOff]. For each decision it
// makes a fresh one with newBackOff and asks it as many times as the streak is
// long, 1024 at most, so that the policy stays a function of the history: the
// last answer is the delay, and [backoff.Stop] among the answers gives up.
//
// What a BackOff takes from elsewhere cannot be honoured: MaxElapsedTime reads
// a clock, and a fresh BackOff has not waited yet, so it bounds no more than a
// single delay, a longer one of which gives up; set it to 0 and use
// [MaxCrashes] or [backoff.WithMaxRetries]. A RandomizationFactor, which is 0.5
// by default, draws anew each time the policy is asked; set it to 0 and add
// [Jitter] if the answers are to be replayed. newBackOff must be safe for
// concurrent use and return a BackOff that nothing else uses. FromBackOff
// panics if newBackOff is nil. Safe for concurrent use.
func FromBackOff(newBackOff func() backoff.BackOff) Policy {
	if newBackOff == nil {
		panic("policy: FromBackOff: newBackOff is nil; give a function that makes a fresh BackOff")
	}
	return fromBackOff(newBackOff)
}

type fromBackOff func() backoff.BackOff

func (newBackOff fromBackOff) Decide(h *History) Decision {
	b := newBackOff()
	var d time.Duration
	for range min(max(h.Streak(), 1), maxAsked) {
		if d = b.NextBackOff(); d == backoff.Stop {
			return Decision{Verdict: GiveUp}
		}
	}
	return Decision{Delay: d}
}

// ToBackOff makes a [backoff.BackOff] of any policy, for [backoff.Retry] and
// its kin. Each NextBackOff is a crash, at the time it is called, of a run that
// began when the delay before it was over; the first run begins now. Reset
// wipes the slate, as a force release does. Giving up is [backoff.Stop].
//
// A BackOff is not told of errors: every crash carries [ErrUnknown], and rules
// that look at the error see that. A crash loop is a long delay. backoff.Retry
// itself stops at a [backoff.Permanent] error. A nil p is [Default]. As
// [backoff.BackOff] has it, not safe for concurrent use.
func ToBackOff(p Policy) backoff.BackOff {
	t := &toBackOff{policy: Guard(p, nil)}
	t.history.ObserveStart(time.Now())
	return t
}

type toBackOff struct {
	policy  Policy
	history History
}

func (t *toBackOff) NextBackOff() time.Duration {
	h := &t.history
	h.ObserveCrash(time.Now(), ErrUnknown)
	verdict, end := h.Apply(t.policy.Decide(h))
	if verdict == GiveUp {
		return backoff.Stop
	}
	h.begin(end)
	return h.delay
}

func (t *toBackOff) Reset() {
	t.history.Reset()
	t.history.ObserveStart(time.Now())
}
