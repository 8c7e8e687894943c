package policy

import "github.com/holdfast-go/holdfast/internal/history"

// stack is a stack of the usual rules in one value, and what a Config makes: see
// history.Rules. It answers as composed does.
type stack struct {
	rules    history.Rules
	composed Policy // of the same rules, to be printed and looked through
}

func (p *stack) infallible() bool { return true }
func (p *stack) Unwrap() Policy   { return p.composed }
func (p *stack) String() string   { return describe(p.composed) }

// Rules is for gates, which then need not ask.
func (p *stack) Rules() *history.Rules { return &p.rules }

func (p *stack) Decide(h History) Decision {
	verdict, delay, fresh := p.rules.Decide(history.View(h))
	return Decision{Verdict: Verdict(verdict), Delay: delay, Fresh: fresh}
}
