package supervise

import (
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/supervise/internal/machine"
)

// How a task is stopped, and left behind if it does not stop. All of this is called by
// others than the worker's goroutine.

// leftBehind is a run that was abandoned.
type leftBehind struct {
	run      uint64 // its number; err may be about a task below
	err      *AbandonedError
	told     chan struct{} // closed when that was reported; the end of the run is reported after
	returned chan struct{} // closed when the run has returned
	before   *leftBehind   // an earlier one of the same task that may be there

	goroutine uint64
}

// leftBefore returns the last run of the task that was abandoned, or nil.
func (w *worker) leftBefore() *leftBehind {
	if s := w.task.opts.sup; s != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.left[w.task]
	}
	w.task.mu.Lock()
	defer w.task.mu.Unlock()
	return w.env.left
}

// stopTimer stops the stop timeout, if one is set.
func (e *ending) stopTimer() {
	if e.timer != nil {
		e.timer.Stop()
		e.timer = nil
	}
}

// back reports whether the run has returned.
func (l *leftBehind) back() bool {
	select {
	case <-l.returned:
		return true
	default:
		return false
	}
}

// closeRanks takes those out of the chain that have returned: else it would grow for as
// long as any has not. Called with the supervisor's mu.
func (l *leftBehind) closeRanks() {
	for l != nil && l.before != nil {
		if l.before.back() {
			l.before = l.before.before
		} else {
			l = l.before
		}
	}
}

// stopCause is why an operator has a task stopped.
type stopCause struct {
	why    error
	by     gate.By
	renews bool // it is to be started again
}

func (c *stopCause) Error() string {
	if by := c.by.String(); by != "" {
		return c.why.Error() + " (" + by + ")"
	}
	return c.why.Error()
}

func (c *stopCause) Unwrap() error { return c.why }

// stopCauseOf returns the stopCause behind a cause, or nil. It looks into our own errors
// alone: it is called under locks, and methods of others' errors are code of a user's.
func stopCauseOf(cause error) *stopCause {
	for {
		switch x := cause.(type) { //nolint:errorlint // see above
		case *stopCause:
			return x
		case *stoppedWith:
			cause = x.cause
		case *AbandonedError:
			cause = x.Cause
		default:
			return nil
		}
	}
}

// renews reports whether a worker that was stopped for that cause, and perhaps ended
// with an error beside, is followed by another.
func renews(cause error) bool {
	c := stopCauseOf(cause)
	return c != nil && c.renews
}

// actor returns who is behind a cause.
func actor(cause error) gate.By {
	if c := stopCauseOf(cause); c != nil {
		return c.by
	}
	return gate.By{}
}

// ask has the machine take in what is wanted of the task, and does what it says. It
// reports whether a worker was there to be asked.
func (t *Task) ask(kind machine.LifeKind, cause error) (served bool) {
	t.mu.Lock()
	w := t.worker
	served = t.life.Phase != machine.Idle
	effect := t.life.Step(machine.LifeInput{Kind: kind})
	if effect&machine.Cancel != 0 {
		w.ending().cause = cause
	}
	if effect&machine.Watch != 0 {
		w.watchEnd()
	}
	t.mu.Unlock()
	if effect&machine.Cancel != 0 {
		w.cancel(cause)
	}
	switch {
	case effect&machine.Release != 0:
		if g := t.theGate(); g != nil {
			g.ForceRelease(actor(cause))
		}
	case kind == machine.Renew:
		t.unpause(actor(cause))
	}
	return served
}

// cancel cancels the run under way, or the wait for the next.
func (w *worker) cancel(cause error) {
	w.task.mu.Lock()
	run := w.run
	w.task.mu.Unlock()
	if run != nil {
		run.cancel(cause)
	}
}

// fault has the machine take in that the run under way does not what it is to do in
// time, unless it is another run by now.
func (c *runContext) fault(kind machine.LifeKind, cause error) {
	w, t := c.worker, c.worker.task
	t.mu.Lock()
	effect := t.life.Step(machine.LifeInput{Kind: kind, Worker: w.number, Run: c.run})
	if effect&machine.Watch != 0 {
		w.watchEnd()
	}
	t.mu.Unlock()
	if effect&machine.Cancel != 0 {
		c.cancel(cause)
	}
}

// watchEnd sets the stop timeout on the run under way, or the one that waits to
// begin. Called with the task's mu.
func (w *worker) watchEnd() {
	if d := w.stopTimeout(); d >= 0 {
		run := w.task.life.Pending()
		if w.task.life.Phase == machine.Leaving {
			d += leaveTime
		}
		w.ending().timer = time.AfterFunc(d, func() { w.overdue(run) })
	}
}

// leaveTime is how much longer a task may take that was stopped between two runs, where
// it waits in a way that ends at once, unless an Admission or an observer of its gate
// blocks.
const leaveTime = time.Second

// overdue leaves the worker behind if that run was cancelled and has not returned.
func (w *worker) overdue(run uint64) {
	t := w.task
	t.mu.Lock()
	fault := t.life.Fault
	effect := t.life.Step(machine.LifeInput{Kind: machine.Overdue, Worker: w.number, Run: run})
	if effect&machine.Abandon == 0 {
		t.mu.Unlock()
		return
	}
	left := &leftBehind{run: run, told: make(chan struct{}), returned: make(chan struct{}), goroutine: w.ending().goroutine}
	left.err = &AbandonedError{Task: t.Name(), Run: run, Cause: w.cause()}
	if effect&machine.Replace != 0 {
		left.err.Cause = blame(fault, nil)
	}
	w.ending().left = left
	var next *worker
	if effect&machine.Replace != 0 {
		next = &worker{task: t, env: w.env, number: t.life.Worker, serial: w.serial, behind: true, stage: judging}
		t.worker = next
	}
	if t.opts.sup == nil {
		left.before, w.env.left = w.env.left, left
	}
	t.mu.Unlock()
	if s := t.opts.sup; s != nil {
		s.abandon(t, left)
	}
	left.err.locate(t, left.goroutine)
	w.env.reportAside(t, Event{Kind: KindAbandon, Run: run, At: time.Now(), Err: left.err, Injected: w.wasInjected()})
	if next == nil {
		w.env.reportAside(t, Event{Kind: KindStop, Run: run, At: time.Now(), Err: left.err, By: actor(left.err)})
	}
	close(left.told)
	if next == nil {
		left.end(w)
		return
	}
	p := t.pastOfRun(w.env)
	t.mu.Lock()
	p.last = left.err.Cause
	t.mu.Unlock()
	go next.work(nil)
}

// end records that the task has ended, though its run has not.
func (l *leftBehind) end(w *worker) {
	t := w.task
	t.mu.Lock()
	w.end.cause = l.err
	if w.env.tree != nil {
		how := machine.Stopped
		if renews(l.err) {
			how = machine.Renewed
		}
		w.env.tree.s.ended(w, how)
	}
	t.mu.Unlock()
	w.env.serves(-1)
	if w.env.done != nil {
		close(w.env.done)
	}
}

// returned reports that the run has ended of a worker that was left behind, with err.
func (w *worker) returned(now time.Time, err error) {
	w.stage = gone
	w.task.mu.Lock()
	left := w.end.left
	w.task.mu.Unlock()
	<-left.told
	w.env.reportAside(w.task, Event{Kind: KindReturn, Run: left.run, At: now, Err: err})
	w.comeBack()
}

// comeBack records that a worker has ended that was left behind.
func (w *worker) comeBack() {
	w.task.mu.Lock()
	left := w.end.left
	w.task.mu.Unlock()
	close(left.returned)
	if s := w.task.opts.sup; s != nil {
		s.takeBack(w.task)
	}
}
