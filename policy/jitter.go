package policy

import (
	"fmt"
	"time"
)

// JitterKind is a way to spread delays, so that tasks that crashed together do
// not come back together. The kinds and their names are those of the AWS
// Architecture Blog's "Exponential Backoff And Jitter". With d the inner
// policy's delay and U a uniform draw, they are the constants below. Safe for
// concurrent use.
type JitterKind uint8

const (
	// FullJitter is U[0, d]. It spreads most and waits least.
	FullJitter JitterKind = iota + 1
	// EqualJitter is d/2 + U[0, d/2]. It always waits for at least half.
	EqualJitter
	// DecorrelatedJitter is U[d, 3 × the previous hold, or 3 × d if that is
	// more]. Over [Constant] it is the blog's formula, and grows by itself.
	DecorrelatedJitter
)

// String returns "full", "equal" or "decorrelated".
func (k JitterKind) String() string {
	switch k {
	case FullJitter:
		return "full"
	case EqualJitter:
		return "equal"
	case DecorrelatedJitter:
		return "decorrelated"
	}
	return fmt.Sprintf("jitter(%d)", uint8(k))
}

// Jitter draws a delay around that of the inner policy; the result is never
// above max. It changes only restarts: a crash loop's cool-down, and the
// decision to give up, stay as they are.
//
// The draw is [History.Rand], so that the policy stays a pure function: asked
// again about the same crash it answers the same, and a replay with the same
// seed gives the same delays. Jitter panics if kind is none of the three or max
// is not positive.
func Jitter(kind JitterKind, max time.Duration) Decorator {
	if kind < FullJitter || kind > DecorrelatedJitter {
		panic(fmt.Sprintf("policy: Jitter: kind (%d) is unknown; use FullJitter, EqualJitter or DecorrelatedJitter", kind))
	}
	if max <= 0 {
		panic(fmt.Sprintf("policy: Jitter: max (%v) is not positive; raise it, it bounds the delay after jitter", max))
	}
	return func(inner Policy) Policy { return &jitter{mustPolicy("Jitter", inner), kind, max} }
}

type jitter struct {
	inner Policy
	kind  JitterKind
	max   time.Duration
}

func (p *jitter) Unwrap() Policy   { return p.inner }
func (p *jitter) infallible() bool { return infallible(p.inner) }

func (p *jitter) Decide(h *History) Decision {
	d := p.inner.Decide(h)
	if d.Verdict != Restart || d.Delay <= 0 {
		return d
	}
	var low, high float64
	switch delay := float64(d.Delay); p.kind {
	case FullJitter:
		high = delay
	case EqualJitter:
		low, high = delay/2, delay
	case DecorrelatedJitter:
		low, high = delay, 3*max(delay, float64(h.LastDelay()))
	}
	if drawn := low + h.Rand()*(high-low); drawn < float64(p.max) {
		d.Delay = time.Duration(drawn)
	} else {
		d.Delay = p.max
	}
	return d
}
