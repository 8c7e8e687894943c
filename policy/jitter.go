package policy

import (
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/jsonobj"
)

// JitterKind is a way to spread delays, so that tasks that crashed together do
// not come back together. The kinds and their names are those of the AWS
// Architecture Blog's "Exponential Backoff And Jitter". With d the inner
// policy's delay and U a uniform draw, they are the constants below.
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

var jitterKinds = [...]string{"none", "full", "equal", "decorrelated"}

// String returns "full", "equal" or "decorrelated", and "none" for zero.
func (k JitterKind) String() string {
	if int(k) < len(jitterKinds) {
		return jitterKinds[k]
	}
	return fmt.Sprintf("jitter(%d)", uint8(k))
}

// MarshalText returns the word of String. An unknown kind is an error.
func (k JitterKind) MarshalText() ([]byte, error) {
	if int(k) >= len(jitterKinds) {
		return nil, fmt.Errorf("policy: jitter (%d) is unknown; use one of the constants", uint8(k))
	}
	return []byte(jitterKinds[k]), nil
}

// UnmarshalText reads the word of String; k is unchanged on an error.
func (k *JitterKind) UnmarshalText(text []byte) error {
	for i, name := range jitterKinds {
		if name == string(text) {
			*k = JitterKind(i)
			return nil
		}
	}
	return fmt.Errorf("%s is not a kind of jitter; use full, equal, decorrelated or none", jsonobj.Quote(text))
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

func (p *jitter) String() string { return printed(p) }
func (p *jitter) rule() string   { return fmt.Sprintf("Jitter(%v ≤ %s)", p.kind, short(p.max)) }

func (p *jitter) Decide(h History) Decision {
	d := p.inner.Decide(h)
	if d.Verdict != Restart || d.Delay <= 0 {
		return d
	}
	if d.Fresh { // the hold before is of a slate that is wiped
		h = h.Fresh()
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
