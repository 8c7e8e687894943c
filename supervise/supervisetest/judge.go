package supervisetest

import (
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/supervise"
)

// What each kind of event may follow, and where it leads.

func (c *Checker) start(s *story, e fact) {
	c.checkDouble(s, e)
	c.checkNumber(s, e)
	c.checkHold(s, e)
	if s.over {
		delete(s.out, s.run)
	}
	s.phase, s.run, s.began = running, e.Run, e.At
	s.hold, s.hung, s.over = hold{}, false, false
}

func (c *Checker) checkDouble(s *story, e fact) {
	if s.phase == running {
		c.breaks(s, e, ruleDouble, s.began, "it begins while run %d is under way", s.run)
		return
	}
	if isOf(c.overlap, s.path) {
		return
	}
	for run, a := range s.out {
		switch {
		case run == s.run && s.over:
		case !a.earlier:
			c.breaks(s, e, ruleDouble, a.since, "it begins while run %d goes on, which was abandoned and has not returned", run)
			return
		case a.next.IsZero():
			a.next = e.At // its Return will show
		}
	}
}

func (c *Checker) checkNumber(s *story, e fact) {
	switch {
	case e.Run == 0:
		c.breaks(s, e, ruleNumber, time.Time{}, "a run has number 0, and they count from 1")
	case s.phase != unheard && e.Run != s.run+1:
		if e.Run <= s.run {
			s.hazy = false // however many events were missed
		}
		c.breaks(s, e, ruleNumber, s.began, "a run has number %d after run %d", e.Run, s.run)
	}
}

// checkHold checks that the start e respects the hold before it.
func (c *Checker) checkHold(s *story, e fact) {
	if !s.hold.isSet() || e.By != (gate.By{}) {
		return
	}
	if until := s.hold.state.Until(); e.At.Before(until) {
		c.breaks(s, e, ruleEarly, until, "it begins %v before the end of the hold after run %d, which nobody has ended", until.Sub(e.At), s.hold.run)
	} else if s.phase == between {
		c.breaks(s, e, ruleRelease, until, "it begins after the hold of run %d, whose end was not reported", s.hold.run)
	}
}

// end is of a Crash or an Exit.
func (c *Checker) end(s *story, e fact) {
	switch {
	case s.phase == running && e.Run == s.run:
	case s.hung && e.Run == s.run && e.Kind == supervise.KindCrash:
		s.over = s.alone()
	case e.died && s.phase != running:
	default:
		c.breaks(s, e, ruleEnds, s.last.At, "a %v of run %d has no beginning: %s", e.Kind, e.Run, s.stands())
	}
	if e.Kind == supervise.KindCrash {
		c.checkStreak(s, e)
		s.streak = e.Streak
	}
	s.phase, s.run, s.hung, s.hold = between, max(s.run, e.Run), false, hold{e.State, e.Run}
	if e.Last {
		s.phase, s.hold = ended, hold{}
	}
	c.ran(e.At)
}

func (c *Checker) checkStreak(s *story, e fact) {
	counts := isOf(c.counted, s.path)
	switch {
	case e.Streak < 0 || counts && e.Streak == 0:
		c.breaks(s, e, ruleStreak, time.Time{}, "the streak is %d after a crash", e.Streak)
	case s.streak < 0 || e.Streak <= 1 || e.Streak == s.streak+1:
	case e.Streak == s.streak && !counts:
	default:
		c.breaks(s, e, ruleStreak, time.Time{}, "the streak is %d after a crash, and was %d before", e.Streak, s.streak)
	}
}

func (c *Checker) release(s *story, e fact) {
	free := e.Forced || e.By != (gate.By{})
	switch {
	case s.phase == running:
		c.breaks(s, e, ruleRelease, s.began, "a hold ends while run %d is under way", s.run)
	case s.phase != between && e.State.Phase() == gate.Idle:
		c.breaks(s, e, ruleRelease, s.last.At, "a hold ends that there was not: %s", s.stands())
	case !free && e.At.Before(e.State.Until()):
		c.breaks(s, e, ruleEarly, e.State.Until(), "a hold ends %v before its time, and not by force", e.State.Until().Sub(e.At))
	case !free && e.At.Before(s.hold.state.Until()):
		until := s.hold.state.Until()
		c.breaks(s, e, ruleEarly, until, "the hold after run %d ends %v before its time, and not by force", s.hold.run, until.Sub(e.At))
	}
	c.numbered(s, e)
	s.phase, s.hold, s.hung = released, hold{}, false
}

func (c *Checker) giveUp(s *story, e fact) {
	switch {
	case s.phase == running:
		c.breaks(s, e, ruleEnds, s.began, "the task is given up while run %d is under way", s.run)
	case s.last.Kind == e.Kind && s.last.At.Equal(e.At):
		c.breaks(s, e, ruleEnds, s.last.At, "it is given up twice")
	}
	c.numbered(s, e)
	s.phase, s.hold, s.hung = ended, hold{}, false
}

func (c *Checker) stop(s *story, e fact) {
	under := s.phase == running && e.Run == s.run
	switch {
	case under:
		c.checkLate(s, e)
	case s.hung && s.alone() && e.Run == s.run:
		s.over = true // supervise.Run waits for the run that the watchdog has cancelled
	case s.phase == running || e.Ran > 0:
		c.breaks(s, e, ruleEnds, s.last.At, "a run %d is stopped that has no beginning: %s", e.Run, s.stands())
	case e.ownEnd && s.last.Kind == supervise.KindGiveUp:
		c.breaks(s, e, ruleEnds, s.last.At, "it is stopped for having given up, and has ended by that")
	}
	c.numbered(s, e)
	s.phase, s.hold, s.hung = ended, hold{}, false
	c.ran(e.At)
}

func (c *Checker) abandon(s *story, e fact) {
	switch {
	case s.phase == running && e.Run == s.run, s.hazy:
		c.checkLate(s, e)
		s.hung = e.watchdog
		if s.out == nil {
			s.out = map[uint64]*absence{}
		}
		if s.back != e.Run {
			s.out[e.Run] = &absence{since: e.At}
		}
	case s.hung && !e.watchdog && e.Run == s.run: // and then supervise.Run was asked to stop
	default:
		c.breaks(s, e, ruleEnds, s.last.At, "a run %d is abandoned that has no beginning: %s", e.Run, s.stands())
	}
	s.phase, s.run = abandoned, max(s.run, e.Run)
	c.ran(e.At)
}

// returned is of a Return, which is no part of the story of the runs that follow.
func (c *Checker) returned(s *story, e fact) {
	a := s.out[e.Run]
	switch {
	case a == nil && c.missed:
	case a == nil:
		s.back = e.Run // what follows from this is not reported, too
		c.breaks(s, e, ruleEnds, time.Time{}, "run %d returns late, and was not abandoned", e.Run)
	case e.At.Before(a.since):
		c.breaks(s, e, ruleOrder, a.since, "it returns before it was abandoned")
	case !a.next.IsZero() && e.At.After(a.next):
		c.breaks(s, e, ruleDouble, a.next, "it returns when another run has begun")
	}
	delete(s.out, e.Run)
	c.ran(e.At)
}

// checkLate checks that a run ends in time after the root was stopped.
func (c *Checker) checkLate(s *story, e fact) {
	limit, bounded := c.stopLimit(s.path)
	if !bounded || c.stopped.IsZero() {
		return
	}
	if took := e.At.Sub(c.lastEnd); took > limit {
		c.breaks(s, e, ruleLate, c.lastEnd, "its %v comes %v after it was to stop, and it has %v", e.Kind, took, limit)
	}
}
