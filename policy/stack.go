package policy

// stack is Compose(delays, CrashLoop, StableRun) in one value: the same three
// rules in the same order, at the cost of one dynamic call. It is what a Config
// makes.
type stack struct {
	stableRule
	loopRule
	delays *steps
}

func (p *stack) Decide(h *History) Decision {
	if p.stable(h) {
		h.Forget()
	}
	if p.trips(h) {
		return Decision{CrashLooping, p.cooldown}
	}
	return Decision{Delay: p.delays.delay(h.Streak())}
}

func (p *stack) infallible() bool { return true }
