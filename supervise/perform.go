package supervise

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/holdfast-go/holdfast/supervise/internal/machine"
)

// tree is a supervisor while its Run runs. Whoever has an input steps the machine under
// the supervisor's mu; what is to be done then is queued, and done in order by one
// goroutine, that of Run, outside of any lock. The queue is bounded by the machine: it
// wants one thing of a task at a time, and nothing when it does not run.
type tree struct {
	s         *Supervisor
	env       *env                // of its tasks, but for those in own
	own       map[*Task]*env      // tasks with a logger or observers of their own; Run's own
	parent    *Task               // as which the supervisor runs; nil for the root
	self      context.Context     // of Run
	permits   *semaphore.Weighted // to start up; nil for any number
	ownsSaver bool                // env.saver ends with the tree
	nag       nag

	// guarded by the supervisor's mu
	cause    error   // why all tasks are to stop
	result   error   // what Run returns
	failures []error // what significant tasks have ended with
	ends     []error // real errors of stopped tasks
}

var (
	// ErrStopped matches the cause of a run that was stopped by [Task.Stop] or
	// [Task.Remove], and what such a task has ended with.
	ErrStopped = errors.New("supervise: stopped by an operator")

	errGroup     = errors.New("supervise: stopped, to be restarted with a task that crashed")
	errRestarted = errors.New("supervise: stopped, to be restarted by an operator")
	errPaused    = errors.New("supervise: stopped, as an operator has paused the task")
	errComplete  = errors.New("supervise: stopped, as a significant task has ended")
)

// queue notes what the machine wants done. It returns the number of the wish if a worker
// is to be renewed, which the operator's own goroutine does. Called with mu.
func (s *Supervisor) queue(effects []machine.Effect, cause error) (renew uint32) {
	for _, e := range effects {
		var t *Task
		if e.Do < machine.Settled {
			t = s.tasks[e.Index]
		}
		switch e.Do {
		case machine.Rested:
			s.announce(t)
			continue
		case machine.Forget:
			s.tasks[e.Index] = nil
			delete(s.names, t.leaf())
			delete(s.children, t)
			s.announce(t)
		case machine.Begun:
			s.begun(e, cause)
			continue
		case machine.RenewWorker:
			renew = e.Serial
			continue
		}
		if s.tree != nil {
			s.todo = append(s.todo, effect{e, t, cause})
		}
	}
	if len(s.todo) > 0 {
		s.nudge()
	}
	return renew
}

// begun records why all tasks are to be stopped. Called with mu.
func (s *Supervisor) begun(e machine.Effect, cause error) {
	tr := s.tree
	switch e.Why {
	case machine.ForAbandoned:
		cause = ErrAbandoned
	case machine.ForCompletion:
		tr.cause, tr.result = errComplete, join(tr.failures...)
		return
	}
	tr.cause, tr.result = cause, cause
}

// nudge has Run look what there is to do.
func (s *Supervisor) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// post has the machine take in something about a task that it has. cause is what the
// effects are done for, if an operator asks for them. It returns what queue does.
func (s *Supervisor) post(t *Task, in machine.Input, cause error) (renew uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.has(t) {
		return 0
	}
	in.Index = int(t.index)
	return s.queue(s.machine.Step(in), cause)
}

// has reports whether the task was not removed. Called with mu.
func (s *Supervisor) has(t *Task) bool {
	return int(t.index) < len(s.tasks) && s.tasks[t.index] == t
}

// shutDown has all tasks of a run of the supervisor stopped, unless that is over.
func (s *Supervisor) shutDown(tr *tree, cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tree == tr {
		s.queue(s.machine.Step(machine.Input{Kind: machine.Shutdown}), cause)
	}
}

// ended records that a worker has ended. Called with the task's mu.
func (s *Supervisor) ended(w *worker, how machine.End) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, tr := w.task, w.env.tree
	if s.tree != tr || !s.has(t) {
		return
	}
	switch {
	case how == machine.Failed && t.opts.significant:
		tr.failures = append(tr.failures, &taskError{t.Name(), w.cause()})
	case how <= machine.Renewed && s.machine.Closing():
		if with, ok := w.cause().(*stoppedWith); ok { //nolint:errorlint // it is never wrapped
			tr.ends = append(tr.ends, &taskError{t.Name(), with.real})
		}
	}
	s.queue(s.machine.Step(machine.Input{Kind: machine.Ended, Index: int(t.index), End: how}), w.cause())
}

// abandon records that a run was left behind.
func (s *Supervisor) abandon(t *Task, left *leftBehind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	left.before = s.left[t]
	s.left[t] = left
	s.queue(s.machine.Step(machine.Input{Kind: machine.Left}), nil)
}

// takeBack records that a run has returned that was left behind.
func (s *Supervisor) takeBack(t *Task) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.left[t]
	for last != nil && last.back() {
		last = last.before
	}
	if s.left[t] = last; last == nil {
		delete(s.left, t)
	}
	if t.opts.overlap { // else a worker may be waiting for one after another
		last.closeRanks()
	}
	s.queue(s.machine.Step(machine.Input{Kind: machine.Returned}), nil)
}

// perform does what there is to do, and reports whether that was the last.
func (tr *tree) perform() (finished bool) {
	s := tr.s
	s.mu.Lock()
	todo := s.todo
	s.todo = nil
	wait, blocker := s.waitsFor()
	s.mu.Unlock()
	tr.nag.watch(tr, wait, blocker)
	starts := starts{tree: tr}
	for _, e := range todo {
		switch e.Do {
		case machine.Start:
			starts.start(e.task, e.Serial)
		case machine.Halt:
			e.task.ask(machine.Stop, tr.causeOf(e))
		case machine.Pardon:
			e.task.pardonAside(actor(e.cause))
		case machine.Close:
			tr.envOf(e.task).reportAside(e.task, Event{Kind: KindStop, Run: e.task.runNumber(), At: time.Now(),
				Err: tr.causeOf(e), By: actor(e.cause)})
		case machine.Forget:
			tr.forget(e.task)
		case machine.Settled:
			tr.ready()
		case machine.Finish:
			finished = true
		}
	}
	return finished
}

// causeOf returns why a task is stopped.
func (tr *tree) causeOf(e effect) error {
	if e.Why == machine.ForGroup {
		return errGroup
	}
	if c, ok := e.cause.(*stopCause); ok && e.Why == machine.Asked { //nolint:errorlint // it is ours
		return c
	}
	tr.s.mu.Lock()
	defer tr.s.mu.Unlock()
	if tr.cause != nil {
		return tr.cause
	}
	return ErrStopped
}

// ready says that all tasks are up.
func (tr *tree) ready() {
	tr.s.mu.Lock()
	select {
	case <-tr.s.settled:
	default:
		close(tr.s.settled)
	}
	tr.s.mu.Unlock()
	if tr.parent != nil {
		Ready(tr.self)
	}
}

// stuckBelow returns the task for whose end the supervisor waits that runs as t; nil
// for none.
func (s *Supervisor) stuckBelow(t *Task) *Task {
	if s == nil {
		return nil
	}
	child := s.child(t)
	if child == nil {
		return nil
	}
	for _, below := range child.list() {
		below.mu.Lock()
		phase := below.life.Phase
		below.mu.Unlock()
		if phase != machine.Stopping && phase != machine.Leaving { // those before it run, and wait for their turn
			continue
		}
		if deeper := child.stuckBelow(below); deeper != nil {
			return deeper
		}
		return below
	}
	return nil
}

// taskError is what a task has ended with, as its supervisor returns it.
type taskError struct {
	task string
	err  error
}

func (e *taskError) Error() string { return e.task + ": " + e.err.Error() }
func (e *taskError) Unwrap() error { return e.err }
