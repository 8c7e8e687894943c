package supervise

import (
	"context"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise/internal/machine"
)

// What an operator can do with a task. Each takes, optionally, who wants it and why:
// that goes with the events, the log, and the cause of a context.

// Stop stops the task, which then stays down until Restart; one under [Never] is
// forgotten. A hold goes on. It does not wait for that: see Wait.
func (t *Task) Stop(by ...gate.By) { t.request(machine.StopTask, ErrStopped, by) }

// Remove stops the task and has the supervisor forget it: its name is free at once for
// another when it has ended. It does not wait for that: see Wait.
func (t *Task) Remove(by ...gate.By) { t.request(machine.RemoveTask, ErrStopped, by) }

// Restart starts the task anew: one that runs is stopped and started again, which
// is no crash; one that is held is released, as by Release; one that is down, being
// stopped, or was forgotten, is started, if its name is free. It does not wait for that.
func (t *Task) Restart(by ...gate.By) {
	s := t.opts.sup
	if !s.knows(t) {
		t.pardon(first(by))
		t.unpause(first(by))
		t.move(s.prefix()) // which may be another one than when it was forgotten
		if s.insert(t, t.leaf(), false) != nil {
			return // its name is taken, or the supervisor is stopping
		}
		if child := supervisorOf(t.fn); child != nil {
			child.runAs(t)
		}
		return
	}
	cause := &stopCause{errRestarted, first(by), true}
	wish := s.post(t, machine.Input{Kind: machine.RenewTask}, cause)
	if wish == 0 {
		t.unpause(first(by))
	} else if !t.ask(machine.Renew, cause) { // its worker was about to end
		s.post(t, machine.Input{Kind: machine.RenewTask, Serial: wish}, cause)
	}
}

// unpause opens the task's gate if it is paused.
func (t *Task) unpause(by gate.By) {
	if g := t.theGate(); g != nil && g.State().Phase() == gate.Paused {
		g.ForceRelease(by)
	}
}

// Release ends a hold of the task and wipes its slate, as [gate.Gate.ForceRelease]
// does, and reports whether it was held.
func (t *Task) Release(by ...gate.By) bool {
	g := t.theGate()
	return g != nil && g.ForceRelease(by...)
}

// Probe ends a hold of the task for one run, and keeps the slate, as [gate.Gate.Probe]
// does: if that run crashes the hold goes on where it was. It reports whether the task
// was held.
func (t *Task) Probe(by ...gate.By) bool {
	g := t.theGate()
	return g != nil && g.Probe(by...)
}

// Pause holds the task until Release, Probe or Restart: a run under way is stopped,
// which is no crash, and no other begins. With a store that outlives the process. It
// reports whether the task was not paused already.
func (t *Task) Pause(by ...gate.By) bool {
	t.mu.Lock()
	w := t.worker
	t.mu.Unlock()
	e := &env{policy: t.opts.sup.policy()}
	if w != nil {
		e = w.env
	}
	paused := t.needPast(e).gate.Pause(by...)
	t.ask(machine.Cycle, &stopCause{errPaused, first(by), true})
	return paused
}

// Done returns a channel that is closed when the task has ended for good: it ended by
// itself, was stopped or removed, gave up, or its supervisor has ended. If it is
// started again after that, another call returns another channel. A task whose
// supervisor has not run yet has not ended.
func (t *Task) Done() <-chan struct{} { return t.opts.sup.doneOf(t) }

// Wait waits until the task has ended for good and returns what it ended with, or until
// ctx is done, and returns its cause. The result is nil after a clean exit; the error of
// the run under [Never]; a [*GaveUpError]; an [*AbandonedError]; or why it was stopped,
// such as [ErrStopped], joined with what the run returned then if that says more.
func (t *Task) Wait(ctx context.Context) error {
	select {
	case <-t.Done():
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.worker == nil {
		return ErrStopped
	}
	return plain(t.worker.cause())
}

// request has the supervisor's machine take in what an operator wants. If the
// supervisor does not run, its next Run begins with that.
func (t *Task) request(kind machine.Kind, why error, by []gate.By) {
	t.opts.sup.post(t, machine.Input{Kind: kind}, &stopCause{why: why, by: first(by)})
}

func first(by []gate.By) gate.By {
	if len(by) == 0 {
		return gate.By{}
	}
	return by[0]
}

// policy is that of the tasks that were given none: the nearest that was given to a
// supervisor from this one up.
func (s *Supervisor) policy() policy.Policy {
	for s != nil && s.opts.tasks.policy == nil {
		up := s.runsAs()
		if up == nil {
			return nil
		}
		s = up.opts.sup
	}
	if s == nil {
		return nil
	}
	return s.opts.tasks.policy
}

// knows reports whether the task was not removed.
func (s *Supervisor) knows(t *Task) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.has(t)
}

// doneOf returns what is closed when the task has ended for good.
func (s *Supervisor) doneOf(t *Task) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	done := s.waiting[t]
	if done == nil {
		done = make(chan struct{})
		if !s.has(t) || s.machine.Rests(int(t.index)) {
			close(done)
			return done
		}
		if s.waiting == nil {
			s.waiting = map[*Task]chan struct{}{}
		}
		s.waiting[t] = done
	}
	return done
}

// announce says that the task has ended for good. Called with mu.
func (s *Supervisor) announce(t *Task) {
	if done := s.waiting[t]; done != nil {
		close(done)
		delete(s.waiting, t)
	}
}
