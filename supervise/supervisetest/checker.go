package supervisetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/supervise"
)

// maxViolations bounds what Violations returns.
const maxViolations = 100

// Checker is an observer that checks the rules of the package's doc as events come. Give
// it once, to the root of one tree, or to one [supervise.Run]; the supervisors below the
// root report to it, too.
//
// What the rules allow:
//
//   - double: a run that was abandoned may go on while another one begins, if the task
//     has [Overlap]. A path without a slash is taken for a task of supervise.Run, which
//     ends a run that the watchdog abandoned by its Crash; in a tree such a run goes on
//     until its Return. If that was in an earlier Run of the root the Return may be
//     reported late, and is judged by its instant.
//   - number: the first run of a task may have any number, since a store may have kept
//     it. What is reported between two runs has the number of the last one.
//   - early: a start within the hold of the Crash or Exit before it, if the hold was
//     ended by force (Forced, or By of the Release or the Start), or if a Stop, a GiveUp,
//     Stopped or Finish came between: who starts the task after that decides anew.
//   - ends: each Start is followed by one Crash, Exit, Stop or Abandon. After an Abandon
//     comes one Return, unless the process ends before. If the watchdog was the reason,
//     one Crash of that run comes, too; or, under supervise.Run, a Stop or a second
//     Abandon, when Run is stopped before the run has ended. A Crash with
//     [supervise.ErrDied] ends a run of an earlier process. A task that waits for a run
//     may be stopped, with a Ran of 0, any number of times, since nothing shows that it
//     was started again; but not for the reason that this very task gave up. A GiveUp is
//     not reported twice at one instant.
//   - release: a Release belongs to the hold of the Crash or Exit before it, or has a
//     State that shows another one, as a gate that is shared or paused may be held at
//     any time. A Start that follows a hold needs one before, unless it has a By.
//   - order: each event of a task is no older than the one before it; a Return, which
//     comes from another goroutine, than its Abandon. Fault and Store are not looked at.
//   - streak: it grows by one, begins again at 1, or stays as it was, for an uncounted
//     crash; see [Counted]. Leave out the rule for a gate that several tasks share.
//   - late: from Stopped, or the last end in the tree after it if that is later, to the
//     Stop or Abandon of a run. Without an order, more is allowed than is promised.
//   - lost: no run is under way, and no run was to follow, when Finish is called. Tasks
//     below one that was abandoned are left out.
//
// After an event that has Dropped each task's next event is taken as it is, and only
// the numbers of runs must still grow.
//
// The zero value checks all rules. It keeps some words for each task that it has heard
// of. A Checker must not be copied once used. Safe for concurrent use.
type Checker struct {
	waived  map[string][][]string // the paths of each Except, by the rule
	overlap [][]string            // the paths of each Overlap
	counted [][]string            // and of each Counted
	limits  []stopLimit

	// mu is taken last of all locks; nothing is called with it that is not of this
	// package. What looks into errors does so before.
	mu         sync.Mutex
	stories    map[any]*story
	order      []*story // as they were first heard of
	stopped    time.Time
	lastEnd    time.Time // of any run after stopped; else stopped
	missed     bool      // an event, at any time
	dropped    uint64    // events that were missed since the last Finish
	violations []*Violation
	more       int // violations that are not kept
}

// NewChecker returns a checker with options. A nil one is ignored.
func NewChecker(opts ...CheckOption) *Checker {
	c := &Checker{}
	for _, opt := range opts {
		if opt != nil {
			opt(c)
		}
	}
	return c
}

// Check checks all events of one tree, from the start of its root's Run to its end, and
// returns what [Checker.Finish] does.
func Check(events []supervise.Event, opts ...CheckOption) error {
	c := NewChecker(opts...)
	for _, e := range events {
		c.Observe(e)
	}
	return c.Finish()
}

// Observe implements [supervise.Observer].
func (c *Checker) Observe(e supervise.Event) {
	f := factOf(e)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.take(f)
}

// Stopped says that the root was asked to stop at an instant, which the events do not
// show. Call it just before; the rule "late" is checked from then on, for the tasks of
// StopTimeout.
func (c *Checker) Stopped(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped, c.lastEnd = at, at
	c.lift()
}

// lift forgets all holds: who starts a task now has decided to.
func (c *Checker) lift() {
	for _, s := range c.order {
		s.hold = hold{}
	}
}

// Finish says that the Run of the root has returned, and that the observer has received all,
// as it is then. It returns what Err does, after it has looked for what was lost. The
// root may be run again after it, and Finish be called again.
func (c *Checker) Finish() error {
	c.mu.Lock()
	stuck := c.stuck()
	for _, s := range c.order {
		c.finish(s, stuck)
	}
	if c.dropped > 0 {
		c.add(&Violation{Rule: ruleDropped.name, Reason: ruleDropped.reason,
			Seen: fmt.Sprintf("%d events were missed", c.dropped)})
		c.dropped = 0
	}
	c.lift()
	c.stopped = time.Time{}
	c.mu.Unlock()
	return c.Err()
}

// Err returns nil if no rule has been broken so far, or an error that joins all
// violations, each a [*Violation], up to 100 of them.
func (c *Checker) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	for _, v := range c.violations {
		errs = append(errs, v)
	}
	if c.more > 0 {
		errs = append(errs, fmt.Errorf("supervisetest: and %d violations more", c.more))
	}
	return errors.Join(errs...)
}

// Violations returns the violations so far, up to 100 of them.
func (c *Checker) Violations() []*Violation {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.violations)
}

// Waiting returns the paths of the tasks of which a run has ended, and another one is to
// follow: those that are held, and those that wait for their supervisor. When faults are
// off, and longer than any hold has passed, there should be none.
func (c *Checker) Waiting() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var paths []string
	for _, s := range c.order {
		if s.phase == between || s.phase == released {
			paths = append(paths, s.path)
		}
	}
	return paths
}

// add records a violation, unless its rule is left out for the task.
func (c *Checker) add(v *Violation) {
	switch {
	case isOf(c.waived[v.Rule], v.Task):
	case len(c.violations) >= maxViolations:
		c.more++
	default:
		c.violations = append(c.violations, v)
	}
}

// stuck returns the paths of the tasks of which an abandoned run goes on, with a slash.
func (c *Checker) stuck() []string {
	var paths []string
	for _, s := range c.order {
		if len(s.out) > 0 {
			paths = append(paths, s.path+"/")
		}
	}
	return paths
}
