package policy

import (
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
)

// stack is Compose(Exponential, CrashLoop, Probation, StableRun, Spread) in one
// value, the last and Probation being optional: the same rules in the same order, at
// the cost of one dynamic call. It is what a Config makes.
type stack struct {
	stableRule
	loopRule
	probation *probationRule // nil for none
	spread    *spreadRule    // nil for none
	delays    *exponential
	composed  Policy // of its rules, to be printed and looked through
}

func (p *stack) infallible() bool { return true }
func (p *stack) Unwrap() Policy   { return p.composed }
func (p *stack) String() string   { return describe(p.composed) }

func (p *stack) Decide(h History) Decision {
	var d Decision
	if p.stable(h) {
		h, d.Fresh = h.Fresh(), true
	}
	if h.Trips() > 0 || history.View(h).Span(p.threshold) <= p.window {
		return p.loop(h, d)
	}
	d.Delay = p.delays.delay(h.Streak())
	if p.spread != nil {
		d.Delay = p.spread.lengthen(h, d.Delay)
	}
	return d
}

// loop decides where a crash loop has tripped, or may trip now.
func (p *stack) loop(h History, d Decision) Decision {
	var cooldown time.Duration
	if p.probation != nil {
		cooldown = p.probation.cooldown(h)
	}
	if cooldown == 0 {
		if looped(h) {
			h, d.Fresh = h.Fresh(), true
		}
		if p.trips(h) {
			cooldown = p.cooldown
		}
	}
	if cooldown > 0 {
		d.Verdict, d.Delay = CrashLooping, cooldown
	} else {
		d.Delay = p.delays.delay(h.Streak())
	}
	if p.spread != nil {
		d.Delay = p.spread.lengthen(h, d.Delay)
	}
	return d
}
