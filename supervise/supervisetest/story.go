package supervisetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/supervise"
)

// story is what a Checker knows of one task. It is guarded by the mu of the Checker.
type story struct {
	path  string
	phase storyPhase
	run   uint64              // the number of the last run
	began time.Time           // when that did
	last  supervise.Event     // that changed the phase
	hold  hold                // that a start must respect
	out   map[uint64]*absence // runs that were abandoned and have not returned

	hung   bool   // the last run was abandoned for the watchdog, and its Crash is to come
	back   uint64 // the last run that has returned, before its Abandon was reported
	over   bool   // the run that was abandoned has ended, though its Return may come
	streak int    // after the last crash; -1 if it is not known
	hazy   bool   // events were missed: what comes next is not judged by what came before
}

// storyPhase is where the story of a task stands.
type storyPhase uint8

const (
	unheard   storyPhase = iota
	running              // a run is under way
	between              // a run has ended, and another one is to follow
	released             // as before, and the hold is over
	abandoned            // the run was abandoned
	ended                // for good, unless the task is started again
)

// absence is an abandoned run that has not returned.
type absence struct {
	since   time.Time
	earlier bool      // the root's Run has returned since: the Return may be reported late
	next    time.Time // when the first run after that began
}

// hold is until when no run may begin. The zero value is none.
type hold struct {
	state gate.State
	run   uint64 // that ended
}

func (h hold) isSet() bool { return h.state.Phase() != gate.Idle }

// storyOf returns the story of the event's task. Events that were made by hand have no
// key, and are distinguished by the path.
func (c *Checker) storyOf(e fact) *story {
	key := e.Key()
	if key == (supervise.Event{}).Key() {
		key = e.Task
	}
	s := c.stories[key]
	if s == nil {
		if c.stories == nil {
			c.stories = map[any]*story{}
		}
		s = &story{streak: -1, hazy: c.missed}
		c.stories[key] = s
		c.order = append(c.order, s)
	}
	s.path = e.Task // a supervisor may run at another place than before
	return s
}

// take judges an event, and goes on with the story of its task.
func (c *Checker) take(e fact) {
	s := c.storyOf(e)
	if e.Dropped > 0 {
		c.dropped, c.missed = c.dropped+e.Dropped, true
		for _, other := range c.order {
			other.forget()
		}
	}
	switch e.Kind {
	case supervise.KindStart, supervise.KindCrash, supervise.KindExit, supervise.KindRelease,
		supervise.KindGiveUp, supervise.KindStop, supervise.KindAbandon:
		if e.At.Before(s.last.At) {
			c.breaks(s, e, ruleOrder, s.last.At, "a %v comes after a %v that is %v younger", e.Kind, s.last.Kind, s.last.At.Sub(e.At))
		}
		c.goOn(s, e)
		s.last, s.hazy = e.Event, false
	case supervise.KindReturn:
		c.returned(s, e)
	default: // it is not about a run
	}
}

// forget is for events that were missed: of all that is known, only the number of the
// last run still holds.
func (s *story) forget() {
	s.hazy, s.streak, s.out = true, -1, nil
	s.hold, s.hung, s.over = hold{}, false, false
}

func (c *Checker) goOn(s *story, e fact) {
	switch e.Kind {
	case supervise.KindStart:
		c.start(s, e)
	case supervise.KindCrash, supervise.KindExit:
		c.end(s, e)
	case supervise.KindRelease:
		c.release(s, e)
	case supervise.KindGiveUp:
		c.giveUp(s, e)
	case supervise.KindStop:
		c.stop(s, e)
	case supervise.KindAbandon:
		c.abandon(s, e)
	default:
	}
}

// breaks records that an event breaks a rule, unless events were missed.
func (c *Checker) breaks(s *story, e fact, r rule, since time.Time, format string, args ...any) {
	if s.hazy {
		return
	}
	c.add(&Violation{Rule: r.name, Task: s.path, Run: e.Run, At: e.At, Since: since,
		Seen: fmt.Sprintf(format, args...), Reason: r.reason})
}

// lacks records that something is missing, which no event shows.
func (c *Checker) lacks(s *story, format string, args ...any) {
	if s.hazy {
		return
	}
	c.add(&Violation{Rule: ruleLost.name, Task: s.path, Run: s.run, Since: s.last.At,
		Seen: fmt.Sprintf(format, args...), Reason: ruleLost.reason})
}

// stands says in words where the story stands, for violations that show the instant of
// the last event.
func (s *story) stands() string {
	switch s.phase {
	case unheard:
		return "nothing was heard of the task before"
	case running:
		return fmt.Sprintf("run %d is under way", s.run)
	default:
		return fmt.Sprintf("no run is under way since the %v of run %d", s.last.Kind, s.last.Run)
	}
}

// alone reports whether the task is one of supervise.Run, and not of a tree.
func (s *story) alone() bool { return !strings.Contains(s.path, "/") }

// numbered checks that what happens between two runs has the number of the last one.
func (c *Checker) numbered(s *story, e fact) {
	if s.phase != unheard && s.phase != running && e.Run != s.run {
		c.breaks(s, e, ruleNumber, s.last.At, "a %v has number %d, and the last run had %d", e.Kind, e.Run, s.run)
	}
	s.run = max(s.run, e.Run)
}

// ran records that the run has ended, whatever comes then.
func (c *Checker) ran(at time.Time) {
	if !c.stopped.IsZero() && at.After(c.lastEnd) {
		c.lastEnd = at
	}
}

// finish looks for what the end of the root has lost. What is below the stuck tasks may
// go on.
func (c *Checker) finish(s *story, stuck []string) {
	if slices.ContainsFunc(stuck, func(path string) bool { return strings.HasPrefix(s.path, path) }) {
		return
	}
	for _, a := range s.out {
		a.earlier = true
	}
	switch s.phase {
	case running:
		c.lacks(s, "the root has returned, and the run that began last is under way")
	case between, released:
		c.lacks(s, "the root has returned, and the task has no end after the %v: a run was to follow", s.last.Kind)
	case unheard, abandoned, ended:
		return
	}
	s.phase = ended
}
