package policy

import (
	"fmt"
	"slices"
	"time"
)

// What follows rehearses a stack, and finds rules whose figures do not fit those of
// the others.

func checkPanics(s *vetted, i int) string {
	if i > s.from || !slices.ContainsFunc(s.rehearse(), func(r rehearsal) bool { return r.panicked }) {
		return ""
	}
	return "the policy panics on a crash, and gates then decide as policy.Default() does; package policytest finds out more"
}

func checkLoopTrips(s *vetted, i int) string {
	c, ok := s.rules[i].(*crashLoop)
	if !ok {
		return ""
	}
	if other, ok := s.tripsFirst(i, c); ok {
		return fmt.Sprintf("%s never trips, since %s comes first; leave one of them out, or use Probation for holds that grow", name(c), name(other))
	}
	if m, ok := s.givesUpFirst(i, c); ok {
		return fmt.Sprintf("%s never trips, since %s gives up first; raise its n to %d at least, or leave one of them out", name(c), name(m), c.threshold)
	}
	var all []rehearsal
	reached, streak := false, 0
	for _, seed := range seeds {
		r := rehearse(s.root, seed, func(h History) {
			if looped(h) {
				h = h.Fresh()
			}
			reached = reached || c.trips(h)
		})
		all = append(all, r)
		streak = max(streak, slices.Max(append(r.streaks, 0)))
		reached = reached || r.gaveUp()
	}
	least := leastSpan(all, c.threshold)
	switch {
	case reached || !sound(all):
		return ""
	case all[0].complete() && streak < min(c.threshold, rehearsed):
		return fmt.Sprintf("%s never trips on a task that fails at once: the slate is wiped after %d crashes; lower its threshold to that, or use Probation for holds that grow", name(c), streak)
	case least > c.window:
		return fmt.Sprintf("%s never trips on a task that fails at once: %s", name(c), takes(c.threshold, least, "threshold"))
	}
	return ""
}

// takes says how long so many crashes take at least, and what to change in a rule that
// waits for them in a shorter window.
func takes(crashes int, least time.Duration, number string) string {
	if least == forever {
		return fmt.Sprintf("there are no %d crashes, as one before is held forever; bound that hold, or lower its %s", crashes, number)
	}
	const precision = time.Millisecond
	if up := least.Round(precision); up < least {
		least = up + precision
	} else {
		least = up
	}
	return fmt.Sprintf("%d crashes take %s at least; raise its window above that, or lower its %s", crashes, short(least), number)
}

// tripsFirst returns a crash loop that trips whenever c would, or before that.
func (s *vetted) tripsFirst(i int, c *crashLoop) (*crashLoop, bool) {
	for j, rule := range s.rules {
		o, ok := rule.(*crashLoop)
		if ok && o.window >= c.window && (j < i && o.threshold <= c.threshold || j > i && o.threshold < c.threshold && s.alwaysAsks(i, j)) {
			return o, true
		}
	}
	return nil, false
}

// givesUpFirst returns a limit that is reached whenever c would trip, or before that.
func (s *vetted) givesUpFirst(i int, c *crashLoop) (*maxCrashes, bool) {
	for j, rule := range s.rules {
		m, ok := rule.(*maxCrashes)
		if ok && m.window >= c.window && (j < i && m.n < c.threshold || j > i && m.n+1 < c.threshold && s.alwaysAsks(i, j)) {
			return m, true
		}
	}
	return nil, false
}

func checkLoopHolds(s *vetted, i int) string {
	c, ok := s.rules[i].(*crashLoop)
	if !ok {
		return ""
	}
	least := forever
	for _, seed := range seeds {
		r := rehearse(c.inner, seed, func(History) {})
		if r.panicked || len(r.decisions) < min(c.threshold, rehearsed) {
			return ""
		}
		d := r.decisions[min(c.threshold, rehearsed)-1]
		if d.Verdict != Restart {
			return ""
		}
		least = min(least, d.Delay)
	}
	if least <= c.cooldown {
		return ""
	}
	return fmt.Sprintf("%s holds for less than the delay that it replaces, which is %s by then; raise its cool-down above that", name(c), short(least))
}

func checkGivesUp(s *vetted, i int) string {
	m, ok := s.rules[i].(*maxCrashes)
	all := s.rehearse()
	if !ok || !sound(all) || slices.ContainsFunc(all, func(r rehearsal) bool { return r.gaveUp() }) {
		return ""
	}
	if least := leastSpan(all, m.n+1); least > m.window {
		return fmt.Sprintf("%s never gives up on a task that fails at once: %s", name(m), takes(m.n+1, least, "n"))
	}
	around := s.outside(i)
	for _, rule := range around {
		c, isLoop := rule.(*crashLoop)
		_, isProbation := rule.(*probation)
		if isProbation || isLoop && c.threshold == 1 {
			return fmt.Sprintf("%s is inside %s, which answers without asking it; put MaxCrashes outside it", name(m), name(rule))
		}
	}
	return ""
}

func checkJitterFits(s *vetted, i int) string {
	j, ok := s.rules[i].(*jitter)
	if !ok {
		return ""
	}
	if longest := s.longestDelay(); longest > j.max {
		return fmt.Sprintf("%s cuts the delays inside it short, which are up to %s; raise its max to that", name(j), words(longest))
	}
	return ""
}

// base is the innermost rule.
func (s *vetted) base() Policy { return s.rules[len(s.rules)-1] }

// longestDelay is the longest of the base, before anything else changes it.
func (s *vetted) longestDelay() (longest time.Duration) {
	r := rehearse(s.base(), seeds[0], func(History) {})
	for _, d := range r.decisions {
		if d.Verdict == Restart {
			longest = max(longest, d.Delay)
		}
	}
	return longest
}

func words(d time.Duration) string {
	if d == forever {
		return "forever"
	}
	return short(d)
}

func checkStartsOver(s *vetted, i int) string {
	if has[*stableRun](s.rules) || foreign(s.rules) {
		return ""
	}
	if j, ok := s.rules[i].(*jitter); ok && j.kind == DecorrelatedJitter {
		return fmt.Sprintf("%s grows from hold to hold, and nothing makes it start over; add StableRun, outside the rules that count", name(j))
	}
	if i < len(s.rules)-1 {
		return ""
	}
	r := rehearse(s.base(), seeds[0], func(History) {})
	if len(r.decisions) == 0 || r.decisions[0].Delay >= s.longestDelay() {
		return ""
	}
	return fmt.Sprintf("%s grows up to %s, and nothing makes it start over; add StableRun, outside the rules that count", name(s.base()), words(s.longestDelay()))
}
