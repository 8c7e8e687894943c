package policy

import (
	"fmt"
	"time"
)

// StableRun wipes the slate when a run has lasted at least that long, however
// it ended: the crash that ends a stable run counts as the first. Time spent
// held is never part of a run, and a run whose start was not seen is not
// stable. It belongs outside all rules that count crashes, so that none counts
// those from before a stable run. StableRun panics if after is not positive.
func StableRun(after time.Duration) Decorator {
	if err := checkStable(after); err != nil {
		panic(err)
	}
	return func(inner Policy) Policy {
		return &stableRun{mustPolicy("StableRun", inner), stableRule{after}}
	}
}

type stableRun struct {
	inner Policy
	stableRule
}

func (p *stableRun) Unwrap() Policy   { return p.inner }
func (p *stableRun) infallible() bool { return infallible(p.inner) }
func (p *stableRun) String() string   { return printed(p) }

func (p *stableRun) Decide(h History) Decision {
	if !p.stable(h) {
		return p.inner.Decide(h)
	}
	d := p.inner.Decide(h.Fresh())
	d.Fresh = true
	return d
}

type stableRule struct{ after time.Duration }

func (r *stableRule) stable(h History) bool { return h.Ran() >= r.after }

func (r *stableRule) rule() string { return "StableRun(" + short(r.after) + ")" }

func checkStable(after time.Duration) error {
	if after <= 0 {
		return fmt.Errorf("policy: stable_after (%v) is not positive; raise it, a minute is common", after)
	}
	return nil
}
