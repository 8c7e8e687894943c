package supervise

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/gate"
)

// approach waits at the gate before the first run.
func (w *worker) approach() (time.Time, bool) {
	t := w.task
	if w.env.saver != nil {
		w.recall()
	}
	now := time.Now()
	if t.opts.gate == nil && t.past == nil {
		return now, true
	}
	return w.hold(now, t.needPast(w.env).gate.State())
}

// hold waits at the gate, held in state, and returns when it opened.
func (w *worker) hold(now time.Time, state gate.State) (time.Time, bool) {
	t := w.task
	for g := t.past.gate; state.Phase() != gate.Idle; state = g.State() {
		if state.Phase() == gate.GaveUp {
			return now, w.giveUp(now)
		}
		err := g.Wait(w.waiting())
		now = time.Now()
		if err != nil {
			return now, w.stop(now, 0, err, nil)
		}
		if w.env.wants(KindRelease) {
			w.env.tellRelease(t, now, state)
		}
	}
	return now, true
}

// waiting returns a context for the worker's own waiting, which is cancelled when
// the worker is to stop.
func (w *worker) waiting() context.Context {
	if w.env.tree == nil {
		return w.env.ctx
	}
	return w.prepare()
}
