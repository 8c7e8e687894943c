// Package policytest checks an implementation of [policy.Policy] against the
// contract that gates and supervisors rely on, as testing/slogtest does for
// slog's handlers. One line in a test is enough:
//
//	func TestConformance(t *testing.T) { policytest.Run(t, mypackage.NewPolicy()) }
//
// The rules, by the names that [Except] takes:
//
//	panic       Decide does not panic on a crash
//	delay       the delay is never negative
//	verdict     the verdict is one of the three
//	pure        the same history gets the same decision, however often
//	clean       a clean exit, and a history of nothing, are decided on too
//	overflow    neither long streaks, runs nor spans make a delay overflow
//	odd         nor do odd instants: the zero time, 1970, the year 9999
//	concurrent  many goroutines get the decisions that one gets
//	forget      a decision that wipes the slate is what a clean slate gets
//	uncounted   what is not counted does not trip a crash loop
//	saved       a history that was saved and loaded gets the same decision
//
// There is no rule that a policy must leave its history as it is: one that does not
// cannot be compiled. Run the test with -race as well: only then are data races found.
package policytest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-go/holdfast/policy"
)

// Option changes what [Run] and [Check] do.
type Option func(*checker)

// Except leaves out the rules of these names, for a policy that breaks them on
// purpose. Except("pure") is for one that keeps state, such as [policy.Budget]:
// "concurrent", "forget" and "saved" then ask as ever, but do not compare what
// is decided. Except panics if there is no rule of a name.
func Except(rules ...string) Option {
	for _, name := range rules {
		if !slices.Contains(names(), name) {
			panic(fmt.Sprintf("policytest: Except: there is no rule %q; the rules are %s", name, strings.Join(names(), ", ")))
		}
	}
	rules = slices.Clone(rules)
	return func(c *checker) {
		for _, name := range rules {
			c.waived[name] = true
		}
	}
}

// Run fails t, which goes on, with the error of [Check] if there is one.
func Run(t testing.TB, p policy.Policy, opts ...Option) {
	t.Helper()
	if err := Check(p, opts...); err != nil {
		t.Error(err)
	}
}

// Check returns nil if p keeps the rules, or an error that joins one for each
// rule that it breaks. Each names the rule, what was seen first to break it,
// and the reason for the rule. What follows from one broken rule is not
// reported as another. A nil p is an error.
func Check(p policy.Policy, opts ...Option) error {
	if p == nil {
		return errors.New("policytest: the policy is nil; gates take that for policy.Default()")
	}
	c := &checker{policy: p, waived: make(map[string]bool)}
	for _, opt := range opts {
		opt(c)
	}
	var broken []error
	for _, r := range rules {
		if c.waived[r.name] {
			continue
		}
		if seen := r.check(c); seen != "" {
			broken = append(broken, fmt.Errorf("policytest: rule %q is broken: %s; %s", r.name, seen, r.reason))
			c.waived[r.name] = true
		}
	}
	return errors.Join(broken...)
}

// checker checks one policy.
type checker struct {
	policy policy.Policy
	waived map[string]bool // rules that do not hold, or need not
}

// answer is what a policy does when asked: it decides, or it panics.
type answer struct {
	policy.Decision
	panicked string
}

func (a answer) String() string {
	if a.panicked != "" {
		return "panic: " + a.panicked
	}
	text := fmt.Sprintf("%v with a delay of %v", a.Verdict, a.Delay) // unlike Decision's, also shows a negative one
	if a.Fresh {
		text += " and a clean slate"
	}
	if a.Uncounted {
		text += ", uncounted"
	}
	return text
}

// about asks about a copy of a past.
func (c *checker) about(p past) answer { return c.ask(policy.History(p.log.Clone().View())) }

// aboutFresh asks about a copy with a clean slate.
func (c *checker) aboutFresh(p past) answer {
	return c.ask(policy.History(p.log.Clone().View()).Fresh())
}

func (c *checker) ask(h policy.History) (a answer) {
	defer func() {
		if v := recover(); v != nil {
			a = answer{panicked: fmt.Sprint(v)}
		}
	}()
	return answer{Decision: c.policy.Decide(h)}
}
