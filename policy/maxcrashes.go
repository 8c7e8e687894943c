package policy

import (
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
)

// MaxCrashes gives up when a task crashes too often: n crashes in the window,
// inclusive at its far edge, are tolerated, and the next one ends it. With n = 0
// the first crash does. All crashes count, of any streak: neither a stable run nor a
// crash loop starts the count anew, but a force release does.
//
// These are Erlang/OTP's restart intensity (n) and period (window), for one
// task and with the clock's full resolution. The window must leave room for the
// holds between n+1 crashes, or the rule never trips; [Vet] finds that out.
// MaxCrashes panics if n is negative or above 1,048,575, or window is not positive.
func MaxCrashes(n int, window time.Duration) Decorator {
	if err := checkMaxCrashes(n, window); err != nil {
		panic(err)
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

func (p *maxCrashes) String() string { return printed(p) }
func (p *maxCrashes) rule() string   { return fmt.Sprintf("MaxCrashes(%d in %s)", p.n, short(p.window)) }

func (p *maxCrashes) Decide(h History) Decision {
	if h.Err() != nil && history.View(h).SpanAny(p.n+1) <= p.window {
		return Decision{Verdict: GiveUp}
	}
	return p.inner.Decide(h)
}

func checkMaxCrashes(n int, window time.Duration) error {
	var faults []error
	if n < 0 {
		faults = append(faults, fmt.Errorf("policy: max_crashes: n (%d) is negative; 0 gives up at the first crash", n))
	}
	if n >= history.MaxLookBack {
		faults = append(faults, fmt.Errorf("policy: max_crashes: n (%d) is above %d, what can be counted; lower it", n, history.MaxLookBack-1))
	}
	if window <= 0 {
		faults = append(faults, fmt.Errorf("policy: max_crashes: window (%v) is not positive; raise it, an hour is common", window))
	}
	return errors.Join(faults...)
}
