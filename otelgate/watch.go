package otelgate

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/gate"
)

// Watch tells of a gate that package supervise does not use, under the name of the
// task behind it, until stop is called, which ends what is open. A gate that is not
// used any more can go without that, but is still counted in holdfast.task.count.
//
// It tells what the transitions of the gate show: its traces last from a crash
// until the gate opens, and of a crash that does not hold the gate they show
// nothing. It works on the goroutine that causes the transition, outside the
// gate's lock: an exporter that blocks, blocks that. It panics if g is nil.
func (o *Observer) Watch(g *gate.Gate, task string) (stop func()) {
	if g == nil {
		panic("otelgate: Watch: g is nil; give the gate to watch")
	}
	t := o.newTask(task)
	t.mu.Lock()
	defer t.mu.Unlock()
	var last *restart
	unwatch := g.OnTransition(func(tr gate.Transition) {
		t.mu.Lock()
		defer t.mu.Unlock()
		if !t.left {
			last = t.transit(g, tr, last)
		}
	})
	t.setPhase(g.State().Phase())
	return func() {
		unwatch()
		t.mu.Lock()
		defer t.mu.Unlock()
		t.leave(time.Now())
	}
}

var howOpened = map[gate.Cause]outcome{
	gate.CauseCrash:     crashed,
	gate.CauseCleanExit: restarted,
	gate.CauseStart:     restarted,
	gate.CauseElapsed:   elapsed,
	gate.CauseForce:     forced,
	gate.CauseRestore:   restored,
}

// transit tells of a transition. It returns the restart of the last crash, which
// last was before.
func (t *task) transit(g *gate.Gate, tr gate.Transition, last *restart) *restart {
	t.o.silent.listen()
	t.count()
	how := howOpened[tr.Cause]
	t.unhold(tr.At, how)
	if tr.To.Phase() == gate.Idle {
		t.setPhase(gate.Idle)
		t.resolve(tr.At, released)
		return last
	}
	if t.restart != nil {
		t.resolve(tr.At, how)
	}
	e := end{at: tr.At, ran: -1, state: tr.To, err: tr.Err}
	if tr.Cause == gate.CauseCrash {
		h := g.History()
		e.streak = h.Streak()
		if ran := h.Ran(); ran > 0 {
			e.ran = ran
		}
	}
	if tr.Cause == gate.CauseCrash || tr.Cause == gate.CauseRestore {
		t.follow(t.o.begin(context.Background(), t.name, &crash{at: tr.At, streak: e.streak, before: last}))
		last = t.restart
	}
	if tr.Cause == gate.CauseCrash {
		t.crash(e)
	} else {
		t.held(&e)
	}
	if tr.To.Phase() == gate.GaveUp {
		t.giveUp(e)
	}
	return last
}
