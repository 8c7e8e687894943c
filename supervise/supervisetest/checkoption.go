package supervisetest

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// CheckOption changes what a [Checker] takes for right. Paths are as that of [Fault];
// none are for all tasks. Options add up, and a malformed path panics.
type CheckOption func(*Checker)

// Except leaves out a rule, for the tasks of the paths. It panics if there is no rule of
// that name.
func Except(rule string, paths ...string) CheckOption {
	mustRule(rule)
	mustPaths("Except", paths)
	paths = slices.Clone(paths)
	return func(c *Checker) {
		if c.waived == nil {
			c.waived = map[string][][]string{}
		}
		c.waived[rule] = append(c.waived[rule], paths)
	}
}

// Overlap says that the tasks have [supervise.Overlap], so that a run may begin while
// one that was abandoned goes on.
func Overlap(paths ...string) CheckOption {
	mustPaths("Overlap", paths)
	paths = slices.Clone(paths)
	return func(c *Checker) { c.overlap = append(c.overlap, paths) }
}

// Counted says that each crash of the tasks counts: no policy of theirs has
// policy.Ignore, or another rule that leaves a crash uncounted. Then the rule "streak"
// does not allow a streak that stays as it was.
func Counted(paths ...string) CheckOption {
	mustPaths("Counted", paths)
	paths = slices.Clone(paths)
	return func(c *Checker) { c.counted = append(c.counted, paths) }
}

// StopTimeout says that the tasks have [supervise.WithStopTimeout] of limit, for the
// rule "late". The grace is what may pass in addition until that is noticed: 0 in a
// bubble of testing/synctest. Of several options that are for a task the last one
// counts. It panics if limit or grace is negative.
func StopTimeout(limit, grace time.Duration, paths ...string) CheckOption {
	if limit < 0 || grace < 0 {
		panic(fmt.Sprintf("supervisetest: StopTimeout: limit (%v) or grace (%v) is negative; give 0 or more", limit, grace))
	}
	mustPaths("StopTimeout", paths)
	paths = slices.Clone(paths)
	if grace > math.MaxInt64-limit {
		grace = math.MaxInt64 - limit
	}
	return func(c *Checker) { c.limits = append(c.limits, stopLimit{paths, limit + grace}) }
}

// stopLimit is how long tasks may take to stop.
type stopLimit struct {
	paths []string
	limit time.Duration
}

// stopLimit returns how long a task may take to stop, and false if nothing bounds that.
func (c *Checker) stopLimit(task string) (time.Duration, bool) {
	for _, l := range slices.Backward(c.limits) {
		if matchesAny(l.paths, task) {
			return l.limit, true
		}
	}
	return 0, false
}

// isOf reports whether one of several options is for the task.
func isOf(options [][]string, task string) bool {
	return slices.ContainsFunc(options, func(paths []string) bool { return matchesAny(paths, task) })
}
