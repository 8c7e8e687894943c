package supervise

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/supervise/internal/machine"
)

// waitFor is what a worker waits for before a run.
type waitFor uint8

const (
	nothing waitFor = iota
	forStore
	forGate
	forAbandoned
	forAdmission
	forPermit
)

// Admission is asked before each run of a task, after the task's own gate has opened;
// see [WithAdmission].
type Admission interface {
	// Admit blocks until the run may begin and returns nil, or returns an error: the
	// run then counts as one that crashed with it, without the function being called.
	// ctx is the run's: it is done when the task is to stop, whereupon Admit has to
	// return.
	Admit(ctx context.Context) error
}

// AdmissionFunc is an adapter that makes an Admission of an ordinary function.
type AdmissionFunc func(ctx context.Context) error

// Admit calls f.
func (f AdmissionFunc) Admit(ctx context.Context) error { return f(ctx) }

// WithAdmission has a asked before each run. If a has a method String, [Status] shows
// by it what the task waits for. Admit is called on the task's goroutine; one that does
// not return when ctx is done is abandoned, as a run is.
// Defaults to none, as does nil. A supervisor's tasks have the one given to New, unless
// they are given one themselves.
func WithAdmission(a Admission) Option {
	return option(func(o *options) { o.admission = a })
}

// arrive waits at the gate before the first run.
func (w *worker) arrive() {
	t := w.task
	if t.opts.gate == nil && t.past.Load() == nil {
		w.stage = preparing
		return
	}
	if _, open := w.pass(time.Now(), t.needPast(w.env).gate.State()); open {
		w.stage = preparing
	}
}

// hold waits at the gate after a crash.
func (w *worker) hold(p *passage) {
	p.find(w.task)
	now, open := w.pass(p.now, p.state)
	switch {
	case !open:
	case w.env.grouped():
		w.endAs(machine.Opened, w.task.lastErr())
	case !w.behind && w.admission() == nil && w.env.permits() == nil:
		p.now, p.err = now, nil
		w.begin(p)
	default:
		w.stage = preparing
	}
}

// pass waits at the gate, held in state, and returns when it opened; false if the
// worker is to end.
func (w *worker) pass(now time.Time, state gate.State) (time.Time, bool) {
	if state.Phase() == gate.Idle {
		return now, true
	}
	g := w.task.past.Load().gate
	for ; state.Phase() != gate.Idle; state = g.State() {
		if state.Phase() == gate.GaveUp {
			w.giveUp(now)
			return now, false
		}
		err := g.Wait(w.waiting(forGate))
		now = time.Now()
		if err != nil || w.isToStop() { // while the gate's observers were called
			w.stopped(now)
			return now, false
		}
		if w.env.wants(KindRelease) {
			w.reportRelease(now, state)
		}
	}
	return now, true
}

// prepare waits for what a run needs beside the gate, and begins it.
func (w *worker) prepare(p *passage) {
	if w.behind && !w.awaitAbandoned() {
		w.stopped(time.Now())
		return
	}
	p.err = w.admitted()
	if p.err == nil && !w.takePermit() {
		w.stopped(time.Now())
		return
	}
	if w.task.gateState().Phase() == gate.Paused { // meanwhile
		w.givePermit()
		w.stage = arriving
		return
	}
	p.now = time.Now()
	w.begin(p)
}

// awaitAbandoned waits until the runs have returned that were abandoned, unless they
// may overlap, and reports whether another one may begin.
func (w *worker) awaitAbandoned() bool {
	left := w.leftBefore()
	if w.task.opts.overlap || left == nil {
		w.behind = false
		return true
	}
	ctx := w.waiting(forAbandoned)
	run := left.run
	defer w.mention(func() error { return fmt.Errorf("waits for its run %d to return, which was abandoned", run) })()
	for ; left != nil; left = left.before {
		select {
		case <-left.returned:
		case <-ctx.Done():
			return false
		}
	}
	w.behind = false
	return true
}

// admitted asks the admission, if there is one.
func (w *worker) admitted() error {
	a := w.admission()
	if a == nil {
		return nil
	}
	ctx := w.waiting(forAdmission)
	w.stage = refusing
	defer w.mention(func() error { return fmt.Errorf("waits for its admission: %s", nameOf(a)) })()
	return w.admit(ctx, a)
}

// admit contains a panic of the admission.
func (w *worker) admit(ctx context.Context, a Admission) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = newPanicError(v)
		}
	}()
	if err := a.Admit(ctx); err != nil {
		return fmt.Errorf("supervise: not admitted: %w", err)
	}
	return nil
}

func (w *worker) admission() Admission {
	if a := w.task.opts.admission; a != nil {
		return a
	}
	return w.env.admission
}

// nameOf returns what an admission says of itself.
func nameOf(a Admission) string {
	if s, ok := a.(fmt.Stringer); ok {
		return formatValue(s)
	}
	return fmt.Sprintf("%T", a)
}

// takePermit waits until the supervisor lets the task start up, and reports whether
// it does.
func (w *worker) takePermit() bool {
	permits := w.env.permits()
	if permits == nil || w.permit || permits.TryAcquire(1) {
		w.permit = permits != nil
		return true
	}
	ctx := w.waiting(forPermit)
	defer w.mention(func() error { return errors.New("waits until fewer tasks start up at once") })()
	w.permit = permits.Acquire(ctx, 1) == nil
	return w.permit
}

func (w *worker) givePermit() {
	if w.permit {
		w.permit = false
		w.env.permits().Release(1)
	}
}

// waiting notes what the worker waits for, and returns the context to wait with: that
// of the next run, which is cancelled when the task is to stop.
func (w *worker) waiting(what waitFor) context.Context {
	t := w.task
	t.mu.Lock()
	w.waits = what
	if what == forGate && w.env.tree == nil {
		t.mu.Unlock()
		return w.env.ctx
	}
	if !w.fresh {
		w.fresh = true
		w.run = w.nextContext()
	}
	cause := w.cause()
	t.mu.Unlock()
	if cause != nil {
		w.run.cancel(cause)
	}
	return w.run
}

// isToStop reports whether the task was asked to stop while it waited.
func (w *worker) isToStop() bool {
	w.task.mu.Lock()
	defer w.task.mu.Unlock()
	return w.task.life.Phase == machine.Leaving || w.number != w.task.life.Worker
}

// stopped ends a wait that was cut short.
func (w *worker) stopped(now time.Time) {
	done := w.done()
	w.task.mu.Lock()
	w.notice(done)
	w.task.mu.Unlock()
	w.quit(now, 0, nil)
}

// mention reports what the worker waits for, if that takes long, until the returned
// function is called. what may run code of a user's: it is called by nobody who waits.
func (w *worker) mention(what func() error) (done func()) {
	timer := time.AfterFunc(longWait, func() {
		if !w.isToStop() {
			w.env.reportWait(w.task, what())
		}
	})
	return func() { timer.Stop() }
}
