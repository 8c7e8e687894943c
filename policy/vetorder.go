package policy

import "fmt"

// What follows finds rules that stand in the wrong place, or beside one that makes
// them needless.

func checkStableOutside(s *vetted, i int) string {
	if _, ok := s.rules[i].(*stableRun); !ok {
		return ""
	}
	if c, ok := counter(s.outside(i), false); ok {
		return fmt.Sprintf("%s is inside %s, which counts the crashes from before a stable run; put StableRun outside it", name(s.rules[i]), name(c))
	}
	return ""
}

func checkProbationAround(s *vetted, i int) string {
	if _, ok := s.rules[i].(*probation); !ok {
		return ""
	}
	if c, ok := find[*crashLoop](s.outside(i)); ok {
		return fmt.Sprintf("%s is inside %s, which wipes the slate once its hold is over; put Probation outside it", name(s.rules[i]), name(c))
	}
	if !has[*crashLoop](s.inside(i)) && !foreign(s.inside(i)) {
		return fmt.Sprintf("%s has no CrashLoop inside, so it never begins; put one inside it", name(s.rules[i]))
	}
	return ""
}

func checkProbationEnds(s *vetted, i int) string {
	if _, ok := s.rules[i].(*probation); !ok || has[*stableRun](s.rules) || foreign(s.outside(i)) {
		return ""
	}
	return fmt.Sprintf("%s has no StableRun outside, so a task that has tripped once stays on probation forever; put one outside it", name(s.rules[i]))
}

func checkProbationBegins(s *vetted, i int) string {
	p, ok := s.rules[i].(*probation)
	c, found := find[*crashLoop](s.inside(i))
	if !ok || !found || p.cooldowns[0] >= c.cooldown {
		return ""
	}
	return fmt.Sprintf("%s begins with a shorter hold than the %s of %s, which it follows; raise its first cool-down to that", name(p), short(c.cooldown), name(c))
}

func checkSpreadOutside(s *vetted, i int) string {
	if _, ok := s.rules[i].(*spread); !ok || has[*spread](s.outside(i)) {
		return ""
	}
	if c, ok := counter(s.outside(i), false); ok {
		return fmt.Sprintf("%s is inside %s, whose holds it does not spread; put Spread outside it", name(s.rules[i]), name(c))
	}
	return ""
}

func checkIgnoreOutside(s *vetted, i int) string {
	if _, ok := s.rules[i].(*ignore); !ok {
		return ""
	}
	if c, ok := counter(s.outside(i), true); ok {
		return fmt.Sprintf("Ignore is inside %s, which counts what it ignores; put Ignore outside it", name(c))
	}
	return ""
}

// checkAddsSomething finds a rule that another one of its kind makes needless.
func checkAddsSomething(s *vetted, i int) string {
	for j, other := range s.rules {
		if j == i || j > i && j < s.from {
			continue
		}
		if s.needless(i, j) {
			return fmt.Sprintf("%s changes nothing beside %s; leave it out", name(s.rules[i]), name(other))
		}
	}
	return ""
}

// needless reports whether rule j makes rule i needless, being outside it (j < i) or
// inside.
func (s *vetted) needless(i, j int) bool {
	switch rule := s.rules[i].(type) {
	case *stableRun:
		return s.needlessStable(i, j, rule)
	case *maxCrashes:
		return s.needlessLimit(i, j, rule)
	case *probation:
		return j < i && has[*probation](s.rules[j:j+1])
	case *retryAfter:
		other, ok := s.rules[j].(*retryAfter)
		return ok && (other.max > rule.max || other.max == rule.max && j < i) && (j < i || s.alwaysAsks(i, j))
	}
	return false
}

func (s *vetted) needlessStable(i, j int, rule *stableRun) bool {
	other, ok := s.rules[j].(*stableRun)
	if !ok {
		return false
	}
	if j < i {
		return other.after <= rule.after
	}
	return other.after < rule.after && !s.countsBetween(i, j)
}

func (s *vetted) needlessLimit(i, j int, rule *maxCrashes) bool {
	other, ok := s.rules[j].(*maxCrashes)
	if !ok || other.n > rule.n || other.window < rule.window {
		return false
	}
	same := other.n == rule.n && other.window == rule.window
	return j < i || !same && s.alwaysAsks(i, j)
}

// countsBetween reports whether something between two rules counts crashes.
func (s *vetted) countsBetween(i, j int) bool {
	_, ok := counter(s.rules[i+1:j], false)
	return ok || foreign(s.rules[i+1:j])
}

// alwaysAsks reports whether rule j is asked whenever rule i is, which is outside it,
// unless something gives up.
func (s *vetted) alwaysAsks(i, j int) bool {
	between := s.rules[i+1 : j]
	_, counts := counter(between, false)
	return !counts && !has[*match](between) && !has[*ignore](between) && !foreign(between)
}
