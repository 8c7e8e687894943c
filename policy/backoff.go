package policy

import (
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
)

// BackOff is what github.com/cenkalti/backoff calls so, in any version: how long to
// wait before the next try, or a negative duration to stop.
type BackOff interface {
	NextBackOff() time.Duration
	Reset()
}

// maxAsked bounds how often FromBackOff asks one BackOff.
const maxAsked = 1024

// FromBackOff makes a policy of any [BackOff]. For each decision it makes a fresh
// one with newBackOff, resets it, and asks it as many times as the streak is long,
// 1024 at most, so that the policy stays a function of the history: the last answer
// is the delay, and a negative one, such as backoff.Stop, gives up.
//
// What a BackOff takes from elsewhere cannot be honoured. MaxElapsedTime of backoff
// v4 reads a clock, and a fresh BackOff has not waited yet, so it bounds no more than
// a single delay, a longer one of which gives up; set it to 0 and use [MaxCrashes]. A
// RandomizationFactor, which is 0.5 by default, draws anew each time the policy is
// asked; set it to 0 and add [Jitter] if the answers are to be replayed. newBackOff
// must be safe for concurrent use and return a BackOff that nothing else uses.
// FromBackOff panics if newBackOff is nil.
func FromBackOff[B BackOff](newBackOff func() B) Policy {
	if newBackOff == nil {
		panic("policy: FromBackOff: newBackOff is nil; give a function that makes a fresh BackOff")
	}
	return fromBackOff[B](newBackOff)
}

type fromBackOff[B BackOff] func() B

func (newBackOff fromBackOff[B]) String() string { return newBackOff.rule() }
func (newBackOff fromBackOff[B]) rule() string   { return "FromBackOff" }

func (newBackOff fromBackOff[B]) Decide(h History) Decision {
	b := newBackOff()
	b.Reset()
	var d time.Duration
	for range min(max(h.Streak(), 1), maxAsked) {
		if d = b.NextBackOff(); d < 0 {
			return Decision{Verdict: GiveUp}
		}
	}
	return Decision{Delay: d}
}

// stop is backoff.Stop, in all versions.
const stop time.Duration = -1

// ToBackOff makes a [BackOff] of any policy, for backoff.Retry and its kin. Each
// NextBackOff is a crash, at the time it is called, of a run that began when the
// delay before it was over; the first run begins now. Reset wipes the slate, as a
// force release does. Giving up is -1, which is backoff.Stop.
//
// A BackOff does not get the errors: every crash has [ErrUnknown], and rules that
// look at the error see that. A crash loop is a long delay. backoff.Retry itself
// stops at a permanent error. A nil p is [Default]. Not safe for concurrent use, as
// no BackOff is.
func ToBackOff(p Policy) BackOff {
	t := &toBackOff{policy: Guard(p, nil)}
	t.log.ObserveStart(time.Now())
	return t
}

type toBackOff struct {
	policy Policy
	log    history.Log
}

func (t *toBackOff) NextBackOff() time.Duration {
	t.log.ObserveCrash(time.Now(), ErrUnknown)
	verdict, end := apply(&t.log, t.policy)
	if verdict == GiveUp {
		return stop
	}
	delay := end - t.log.Last()
	t.log.Begin(end)
	return delay
}

func (t *toBackOff) Reset() {
	t.log.Reset()
	t.log.ObserveStart(time.Now())
}

// apply asks p about the run that has ended, and records what it decides.
func apply(log *history.Log, p Policy) (Verdict, time.Duration) {
	d := p.Decide(History(log.View()))
	w := log.Apply(uint8(d.Verdict), d.Delay, d.Fresh, d.Uncounted)
	return Verdict(w.Verdict()), w.End(log.Last())
}
