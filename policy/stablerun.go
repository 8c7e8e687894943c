package policy

import (
	"fmt"
	"time"
)

// StableRun wipes the slate when a run has lasted at least that long, however
// it ended: the crash that ends a stable run counts as the first. Time spent
// held is never part of a run, and a run whose start was not seen is not
// stable. It is worth being the outermost decorator, so that no other counts
// crashes from before a stable run. StableRun panics if after is not positive.
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

func (p *stableRun) Decide(h *History) Decision {
	if p.stable(h) {
		h.Forget()
	}
	return p.inner.Decide(h)
}

type stableRule struct{ after time.Duration }

func (r *stableRule) stable(h *History) bool { return h.ran >= r.after }

func checkStable(after time.Duration) error {
	if after <= 0 {
		return fmt.Errorf("policy: stable_after (%v) is not positive; raise it, a minute is common", after)
	}
	return nil
}
