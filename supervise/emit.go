package supervise

import (
	"time"

	"github.com/holdfast-go/holdfast/gate"
)

// What reports events. Most of it is called only when somebody wants to know, where
// that is seldom so, and kept out of its callers: most goroutines then do with the
// small stack that they began with.

func (e *env) wants(k Kind) bool { return anyWants(e.channels, k) }

// emit puts an event into the feeds of those who want it. It must be called without
// locks, as it calls code of a user's: Enabled, and at a crash Annotate.
func (e *env) emit(t *Task, event Event) {
	p := t.past.Load()
	t.mu.Lock()
	event.Task, event.task = t.Name(), t
	if p != nil {
		event.note = p.note
	}
	t.mu.Unlock()
	if event.Kind == KindCrash {
		event.note = e.annotate(t, event)
	}
	for _, f := range e.channels {
		if f.wants(event.Kind) {
			f.Put(event)
		}
	}
}

// reportAside emits an event on a goroutine of its own, and returns when it has: what
// calls it must go on even if an observer's Enabled ends the goroutine.
func (e *env) reportAside(t *Task, event Event) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.emit(t, event)
	}()
	<-done
}

// wantsAside asks on a goroutine of its own; where an observer ends that, somebody may
// want the event.
func (e *env) wantsAside(k Kind) bool {
	wants := make(chan bool, 1)
	go func() {
		wanted := true
		defer func() { wants <- wanted }()
		wanted = e.wants(k)
	}()
	return <-wants
}

// annotate has the observers that want to make a context of a crash do so, and
// returns it, or nil if none did.
func (e *env) annotate(t *Task, crash Event) *note {
	var made *note
	for _, f := range e.channels {
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
		t.mu.Lock()
		t.past.Load().note = made
		t.mu.Unlock()
	}
	return made
}

//go:noinline
func (e *env) reportStart(t *Task, now time.Time) {
	e.emit(t, Event{Kind: KindStart, Run: t.runNumber(), At: now})
}

//go:noinline
func (w *worker) reportCrash(now time.Time, ran time.Duration, state gate.State) {
	t := w.task
	p := t.past.Load()
	run := t.runNumber()
	h := p.gate.History()
	streak := h.Streak()
	if total := h.Crashes(); total > p.counted {
		p.counted = total
		streak = max(streak, 1) // the gate may have been released just now
	}
	w.env.emit(t, Event{Kind: KindCrash, Run: run, At: now, Ran: ran, Err: t.lastErr(), State: state, Streak: streak,
		Last: t.opts.restart == Never && !w.fresh, Injected: w.wasInjected()})
}

//go:noinline
func (w *worker) reportExit(now time.Time, ran time.Duration, state gate.State) {
	w.env.emit(w.task, Event{Kind: KindExit, Run: w.task.runNumber(), At: now, Ran: ran, State: state,
		Last: w.task.opts.restart != Always, Injected: w.wasInjected()})
}

// reportRelease reports that a hold has ended, in which the gate was in state.
//
//go:noinline
func (w *worker) reportRelease(now time.Time, state gate.State) {
	event := Event{Kind: KindRelease, Run: w.task.runNumber(), At: now, State: state, Forced: now.Before(state.Until())}
	if _, by, ok := w.task.theGate().OpenedBy(); ok {
		event.By = by
	}
	w.env.emit(w.task, event)
}

//go:noinline
func (w *worker) reportStop(now time.Time, ran time.Duration, cause error) {
	w.env.emit(w.task, Event{Kind: KindStop, Run: w.task.runNumber(), At: now, Ran: ran, Err: cause, By: actor(cause)})
}

// reportGiveUp reports that the policy gave up, and returns that as an error.
//
//go:noinline
func (w *worker) reportGiveUp(now time.Time) *GaveUpError {
	t := w.task
	h := t.past.Load().gate.History()
	run, last := t.runNumber(), t.lastErr()
	if last == nil { // it had given up before
		last = h.Err()
	}
	err := &GaveUpError{t.Name(), int(h.Crashes()), last}
	w.stage = leaving // for one who loses the goroutine
	w.env.emit(t, Event{Kind: KindGiveUp, Run: run, At: now, Err: last})
	return err
}

// reportStore reports that the task's gate cannot be loaded or saved, or with nil that
// all can be again.
func (e *env) reportStore(t *Task, err error) {
	e.emit(t, Event{Kind: KindStore, At: time.Now(), Err: err})
}

// reportWait reports what a task has been waiting for.
func (e *env) reportWait(t *Task, what error) {
	e.emit(t, Event{Kind: KindWait, Run: t.runNumber(), At: time.Now(), Err: what})
}

// reportFault reports the first panic of the task's policy.
//
//go:noinline
func (w *worker) reportFault(p *past) {
	p.faulty = true
	fault := *p.fault.Load()
	fault.text = describe(fault.Value)
	w.env.emit(w.task, Event{Kind: KindFault, Run: w.task.runNumber(), At: time.Now(), Err: &fault})
}

// wasInjected reports whether a fault was injected on purpose into the last run.
func (w *worker) wasInjected() bool {
	w.task.mu.Lock()
	defer w.task.mu.Unlock()
	return w.injected
}
