package supervise

import (
	"time"

	"github.com/holdfast-go/holdfast/gate"
)

// What tells the observers. These are called only when somebody wants to know,
// where that is likely not to be so: most goroutines then do with the small stack
// that they began with.

func (e *env) wants(k Kind) bool { return anyWants(e.feeds, k) }

// serves enters that so many tasks more are served.
func (e *env) serves(more int64) {
	for _, f := range e.feeds {
		f.tasks.Add(more)
	}
}

// emit tells the observers of an event. It must be called without locks.
func (e *env) emit(t *Task, event Event) {
	t.lock()
	event.Task, event.task = t.name, t
	if t.past != nil {
		event.note = t.past.note
	}
	t.unlock()
	if event.Kind == KindCrash {
		event.note = e.annotate(t, event)
	}
	for _, f := range e.feeds {
		if f.wants(event.Kind) {
			f.emit(event)
		}
	}
}

// annotate has the observers that want to make a context of a crash do so, and
// returns it, or nil if none did.
func (e *env) annotate(t *Task, crash Event) *note {
	var made *note
	for _, f := range e.feeds {
		if f.annotate == nil || !f.wants(KindCrash) {
			continue
		}
		ctx := e.ctx
		if made != nil {
			ctx = made.ctx
		}
		if ctx = f.annotated(ctx, crash); ctx != nil {
			made = &note{ctx}
		}
	}
	if made != crash.note {
		t.lock()
		t.past.note = made
		t.unlock()
	}
	return made
}

func (e *env) tellStart(t *Task, now time.Time) {
	e.emit(t, Event{Kind: KindStart, Run: t.runs, At: now})
}

func (e *env) tellCrash(t *Task, now time.Time, ran time.Duration, state gate.State) {
	p := t.past
	e.emit(t, Event{Kind: KindCrash, Run: t.runs, At: now, Ran: ran, Err: p.last, State: state, Streak: p.gate.History().Streak(),
		Last: t.opts.restart == never && t.runs > 0})
}

func (e *env) tellExit(t *Task, now time.Time, ran time.Duration, state gate.State) {
	e.emit(t, Event{Kind: KindExit, Run: t.runs, At: now, Ran: ran, State: state, Last: t.opts.restart != always})
}

// tellRelease tells that a hold has ended, in which the gate was in state.
func (e *env) tellRelease(t *Task, now time.Time, state gate.State) {
	e.emit(t, Event{Kind: KindRelease, Run: t.runs, At: now, State: state, Forced: now.Before(state.Until())})
}

func (e *env) tellStop(t *Task, now time.Time, ran time.Duration, err error) {
	e.emit(t, Event{Kind: KindStop, Run: t.runs, At: now, Ran: ran, Err: err})
}

// tellGiveUp tells that the policy has given up, and returns that as an error.
func (e *env) tellGiveUp(t *Task, now time.Time) *GaveUpError {
	h := t.past.gate.History()
	err := &GaveUpError{t.path(), int(h.Crashes()), t.past.last}
	if t.runs == 0 { // it had given up before
		err.Err = h.Err()
	}
	e.emit(t, Event{Kind: KindGiveUp, Run: t.runs, At: now, Err: err.Err})
	return err
}

// tellStore tells that the task's gate cannot be loaded or saved, or with nil that
// all can be again.
func (e *env) tellStore(t *Task, err error) {
	e.emit(t, Event{Kind: KindStore, At: time.Now(), Err: err})
}

// tellStuck tells of a run that was asked to end and has not.
func (w *worker) tellStuck(run uint64, stack []byte, cause error) *AbandonedError {
	err := &AbandonedError{Task: w.task.path(), Run: run, Stack: stack, Cause: cause}
	w.env.emit(w.task, Event{Kind: KindAbandon, Run: run, At: time.Now(), Err: err})
	return err
}

// tellReturn tells that a run has ended which was abandoned.
func (w *worker) tellReturn(now time.Time, err error) {
	w.env.emit(w.task, Event{Kind: KindReturn, Run: w.run.run, At: now, Err: err})
}

// tellFault tells of the first panic of the policy. It is called by the worker,
// with the gate locked, and does not wait for whoever is told.
func (t *Task) tellFault(v any) {
	if !t.past.faulty {
		t.past.faulty = true
		t.past.env.emit(t, Event{Kind: KindFault, Run: t.runs, At: time.Now(), Err: newPanicError(v)})
	}
}
