package supervise

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/gate"
)

// approach waits at the gate before the first run.
func (w *worker) approach() (time.Time, bool) {
	now := time.Now()
	if w.task.opts.gate != nil && w.task.gate == nil {
		w.task.makeGate()
	}
	if g := w.task.gate; g != nil {
		return w.hold(now, g.State())
	}
	return w.proceed(now)
}

// proceed lets the next run begin, unless the worker is to stop.
func (w *worker) proceed(now time.Time) (time.Time, bool) {
	if cause := w.asked(); cause != nil {
		return now, w.stop(now, 0, cause, nil)
	}
	return now, true
}

// hold waits at the gate, held in state, and returns when it opened.
func (w *worker) hold(now time.Time, state gate.State) (time.Time, bool) {
	t := w.task
	for ; state.Phase != gate.Idle; state = t.gate.State() {
		if state.Phase == gate.GaveUp {
			return now, w.giveUp(now)
		}
		err := w.wait()
		now = time.Now()
		if err != nil {
			return now, w.stop(now, 0, err, nil)
		}
		if t.wants(KindRelease) {
			t.emit(Event{Kind: KindRelease, Run: t.runs, At: now, State: state, Forced: now.Before(state.Until)})
		}
	}
	return w.proceed(now)
}

// wait waits until the gate is open, or the worker is to stop.
func (w *worker) wait() error {
	if w.tree == nil {
		return w.task.gate.Wait(w.ctx)
	}
	ctx, cancel := w.interruptible()
	defer cancel(nil)
	return w.task.gate.Wait(ctx)
}

// interruptible returns a context for the worker's own waiting, which is
// cancelled when the worker is to stop.
func (w *worker) interruptible() (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(w.ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cause != nil {
		cancel(w.cause)
	}
	w.interrupt = cancel
	return ctx, cancel
}
