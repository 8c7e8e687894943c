package policy

import "slices"

// Vet returns warnings about a policy that defeats itself: its rules are sound one by
// one, but not together, or not with these figures. Each is a line that names the
// rule, the figure and a fix, such as
//
//	MaxCrashes(20 in 1h) never gives up on a task that fails at once: 21 crashes take 1h16m at least; raise its window above that, or lower its n
//
// There is none where all is well, as in [Default], which nil stands for. Vet looks
// into the policies of this package and those with a method Unwrap() Policy, and has
// the policy decide on some hundred crashes, a millisecond's work. These do not
// happen: they have the error [ErrUnknown], and a [Budget] is not charged. A policy of
// your own that keeps state, or takes its time, does so here, too.
func Vet(p Policy) []string {
	if p == nil {
		p = Default()
	}
	var v vetting
	v.stack(nil, p)
	return v.warnings
}

type vetting struct {
	warnings []string
	stacks   int
}

// maxStacks bounds the stacks that are vetted of a policy with many a Match.
const maxStacks = 32

// stack vets p, which is inside the rules around it, and then the other policy of
// each Match in it.
func (v *vetting) stack(around []Policy, p Policy) {
	if v.stacks++; v.stacks > maxStacks {
		return
	}
	s := &vetted{rules: slices.Clip(around), from: len(around), root: p}
	for q := p; q != nil && len(s.rules) < maxLayers; q = unwrap(q) {
		if !transparent(q) {
			s.rules = append(s.rules, q)
		}
	}
	for i := s.from; i < len(s.rules); i++ {
		for _, check := range checks {
			if w := check(s, i); w != "" && !slices.Contains(v.warnings, w) {
				v.warnings = append(v.warnings, w)
			}
		}
	}
	for i := s.from; i < len(s.rules); i++ {
		if m, ok := s.rules[i].(*match); ok {
			v.stack(s.rules[:i], m.other)
		}
	}
}

// transparent reports whether p adds nothing to what it wraps.
func transparent(p Policy) bool {
	switch p.(type) {
	case *stack, *guard, *Switch:
		return true
	}
	return false
}

// vetted is a stack of rules.
type vetted struct {
	rules []Policy // outermost first
	from  int      // those before are around the Match that has the others
	root  Policy   // what rules[from:] make together

	rehearsals []rehearsal // of root, once asked for
}

// checks return a warning about one rule of a stack, or nothing.
var checks = []func(s *vetted, i int) string{
	checkPanics,
	checkStableOutside,
	checkProbationAround,
	checkProbationEnds,
	checkProbationBegins,
	checkSpreadOutside,
	checkIgnoreOutside,
	checkAddsSomething,
	checkLoopTrips,
	checkLoopHolds,
	checkGivesUp,
	checkJitterFits,
	checkStartsOver,
}

func (s *vetted) outside(i int) []Policy { return s.rules[:i] }
func (s *vetted) inside(i int) []Policy  { return s.rules[i+1:] }

// ruled is a policy of this package.
type ruled interface {
	Policy
	rule() string // the policy in words, without what it wraps
}

// name returns a rule of this package in words.
func name(p Policy) string { return p.(ruled).rule() }

// find returns the first of the rules that is a T.
func find[T Policy](rules []Policy) (found T, ok bool) {
	for _, r := range rules {
		if found, ok = r.(T); ok {
			return found, true
		}
	}
	return found, false
}

func has[T Policy](rules []Policy) bool {
	_, ok := find[T](rules)
	return ok
}

// foreign reports whether one of the rules is not of this package, so that nobody
// knows what it does.
func foreign(rules []Policy) bool {
	return slices.ContainsFunc(rules, func(p Policy) bool {
		_, ours := p.(ruled)
		return !ours
	})
}

// counter returns the first of the rules that counts crashes of the streak, or those
// of any streak if total is set.
func counter(rules []Policy, total bool) (Policy, bool) {
	for _, r := range rules {
		switch r.(type) {
		case *crashLoop, *probation:
			return r, true
		case *maxCrashes:
			if total {
				return r, true
			}
		}
	}
	return nil, false
}
