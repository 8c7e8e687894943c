package policy

import (
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
)

// CrashLoop trips the crash-loop gate when a rolling window holds too many
// crashes: if the window that ends with the crash at hand, inclusive at its far
// edge, contains threshold crashes of the streak, the task is held for
// cooldown. Otherwise the inner policy decides.
//
// Once that hold has run out, the next crash starts from a clean slate; with
// [Probation] around it, it does not. A crash before its end, of a task that
// someone started anyway, renews the hold and never shortens it.
//
// Counting in a window is the rule of systemd's StartLimitBurst and
// StartLimitIntervalSec, but there a unit that trips it stays down. CrashLoop
// panics if threshold is below 1 or above 1,048,576, or window or cooldown is not
// positive.
func CrashLoop(threshold int, window, cooldown time.Duration) Decorator {
	if err := checkCrashLoop(threshold, window, cooldown); err != nil {
		panic(err)
	}
	return func(inner Policy) Policy {
		return &crashLoop{mustPolicy("CrashLoop", inner), newLoopRule(threshold, window, cooldown)}
	}
}

type crashLoop struct {
	inner Policy
	loopRule
}

func (p *crashLoop) Unwrap() Policy   { return p.inner }
func (p *crashLoop) infallible() bool { return infallible(p.inner) }
func (p *crashLoop) String() string   { return printed(p) }

func (p *crashLoop) Decide(h History) Decision {
	over := looped(h)
	if over {
		h = h.Fresh()
	}
	d := Decision{Verdict: CrashLooping, Delay: p.cooldown}
	if !p.trips(h) {
		d = p.inner.Decide(h)
	}
	d.Fresh = d.Fresh || over
	return d
}

// looped reports whether the crash at hand is the first since the hold of a crash
// loop was over.
func looped(h History) bool { return h.Trips() > 0 && !h.Looping() && h.Err() != nil }

type loopRule struct {
	threshold        int
	window, cooldown time.Duration
}

func newLoopRule(threshold int, window, cooldown time.Duration) loopRule {
	return loopRule{threshold, min(window, longest), cooldown}
}

func (r *loopRule) trips(h History) bool {
	return h.Looping() || h.Err() != nil && history.View(h).Span(r.threshold) <= r.window
}

func (r *loopRule) rule() string {
	return fmt.Sprintf("CrashLoop(%d in %s: %s)", r.threshold, short(r.window), short(r.cooldown))
}

func checkCrashLoop(threshold int, window, cooldown time.Duration) error {
	var faults []error
	if threshold < 1 {
		faults = append(faults, fmt.Errorf("policy: threshold (%d) is below 1; 1 trips at the first crash", threshold))
	}
	if threshold > history.MaxLookBack {
		faults = append(faults, fmt.Errorf("policy: threshold (%d) is above %d, the most crashes that are kept; lower it", threshold, history.MaxLookBack))
	}
	if window <= 0 {
		faults = append(faults, fmt.Errorf("policy: window (%v) is not positive; raise it, a minute is common", window))
	}
	if cooldown <= 0 {
		faults = append(faults, fmt.Errorf("policy: cooldown (%v) is not positive; raise it, half a minute is common", cooldown))
	}
	return errors.Join(faults...)
}
