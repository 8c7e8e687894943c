package policy

import (
	"fmt"
	"time"
)

// MaxCrashes gives up when a task crashes too often: n crashes of the streak in
// the window, inclusive at its far edge, are tolerated, and the next one ends
// it. With n = 0 the first crash does. A crash that ends a streak's past (see
// [StableRun], [CrashLoop]) starts the count anew.
//
// These are Erlang/OTP's restart intensity (n) and period (window), for one
// task and with the clock's full resolution. MaxCrashes panics if n is negative
// or window is not positive.
func MaxCrashes(n int, window time.Duration) Decorator {
	if n < 0 {
		panic(fmt.Sprintf("policy: MaxCrashes: n (%d) is negative; 0 gives up at the first crash", n))
	}
	if window <= 0 {
		panic(fmt.Sprintf("policy: MaxCrashes: window (%v) is not positive; raise it, an hour is common", window))
	}
	return func(inner Policy) Policy {
		return &maxCrashes{mustPolicy("MaxCrashes", inner), n, min(window, longest)}
	}
}

type maxCrashes struct {
	inner  Policy
	n      int
	window time.Duration
}

func (p *maxCrashes) Unwrap() Policy   { return p.inner }
func (p *maxCrashes) infallible() bool { return infallible(p.inner) }

func (p *maxCrashes) Decide(h *History) Decision {
	if h.err != nil && h.span(p.n+1) <= p.window {
		return Decision{Verdict: GiveUp}
	}
	return p.inner.Decide(h)
}
