package supervise

import (
	"time"

	"github.com/holdfast-go/holdfast/gate"
)

// group is the restart of several tasks, because one of them crashed. First those
// that run are stopped, in reverse order; then the gates of those that crashed
// must open, the latest of them; then all are wanted again. A task that crashes
// meanwhile joins, and if more tasks are to be stopped for it, they are.
type group struct {
	from     int // the first task of the order that belongs to it
	culprits []culprit
	timer    *time.Timer
	unwatch  []func() // of the culprits' gates
}

type culprit struct {
	task *Task
	hold gate.State
}

// gather has a task that crashed restarted with those that belong to it.
func (tr *tree) gather(t *Task) {
	from := int(t.place.index)
	if tr.s.opts.strategy == OneForAll {
		from = 0
	}
	if tr.group == nil {
		tr.group = &group{from: from}
	}
	g := tr.group
	g.from = min(g.from, from)
	g.culprits = append(g.culprits, culprit{t, t.theGate().State()})
	g.unwatch = append(g.unwatch, t.theGate().OnTransition(func(gate.Transition) { tr.s.inbox.nudge() }))
	t.place.state = held
}

// regroup does what is next for the group, and reports whether it is complete.
func (tr *tree) regroup() bool {
	g := tr.group
	for i := len(tr.s.tasks) - 1; i >= g.from; i-- {
		t := tr.s.tasks[i]
		if t == nil || t.place.worker == nil {
			continue
		}
		then := waiting
		if t.opts.restart == never {
			then = down
		}
		if !t.place.asked {
			tr.stop(t, errGroup, then)
		}
		return false
	}
	now := time.Now()
	if wait := g.hold(now); wait != 0 {
		if wait > 0 {
			g.timer = time.AfterFunc(wait, tr.s.inbox.nudge)
		}
		return false
	}
	g.end()
	tr.group = nil
	for _, c := range g.culprits {
		c.task.theGate().MaybeRelease(now)
		tr.envOf(c.task).tellRelease(c.task, now, c.hold)
		if c.task.place.state == held {
			tr.want(c.task, waiting)
		}
	}
	return true
}

// hold returns how long the gates of the group are still held: 0 when all are
// open, negative when one is held without an end.
func (g *group) hold(now time.Time) time.Duration {
	var longest time.Duration
	for _, c := range g.culprits {
		s := c.task.theGate().State()
		if s.Admissible(now) {
			continue
		}
		until, ends := s.ReleaseAt()
		if !ends {
			return -1
		}
		longest = max(longest, until.Sub(now))
	}
	return longest
}

func (g *group) end() {
	if g.timer != nil {
		g.timer.Stop()
	}
	for _, stop := range g.unwatch {
		stop()
	}
}
