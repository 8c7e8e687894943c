package supervise

import (
	"context"
	"time"
)

// begin starts the accounts of a run, if one is to follow.
func (w *worker) begin(now time.Time, proceed bool) bool {
	if !proceed {
		return false
	}
	t := w.task
	permit, err := w.permit()
	if err != nil {
		return w.stop(now, 0, err, nil)
	}
	t.lock()
	t.runs++
	t.began, t.running = now, true
	t.unlock()
	w.run = w.nextContext()
	if w.tree != nil || t.opts.stopTimeout >= 0 {
		w.enter()
	}
	if t.opts.limit > 0 {
		w.watch(now)
	}
	if t.opts.readyTimeout > 0 || permit != nil {
		w.run.startup = newStartup(t.opts.readyTimeout, permit, w.run.cancel)
	}
	if t.gate != nil {
		t.gate.ObserveStart(now)
	}
	if t.wants(KindStart) {
		t.emit(Event{Kind: KindStart, Run: t.runs, At: now})
	}
	return true
}

// permit waits until the supervisor lets the task start up, and returns how to
// give that back.
func (w *worker) permit() (giveBack func(), err error) {
	if w.tree == nil || w.tree.permits == nil {
		return nil, nil
	}
	ctx, cancel := w.interruptible()
	defer cancel(nil)
	if w.tree.permits.Acquire(ctx, 1) != nil {
		return nil, context.Cause(ctx)
	}
	return func() { w.tree.permits.Release(1) }, nil
}

// enter makes the run one that can be stopped, and abandoned.
func (w *worker) enter() {
	w.mu.Lock()
	w.current = w.run
	cause := w.cause
	w.mu.Unlock()
	if cause != nil {
		w.run.cancel(cause)
	}
}

// leave reports whether the run has ended before it was abandoned.
func (w *worker) leave() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.current = nil
	return !w.abandoned
}

// contextChunk is how many contexts are made at once, at most. A context can
// outlive its run, in a goroutine that the function has left behind, so it is
// never used again.
const contextChunk = 32

func (w *worker) nextContext() *runContext {
	t := w.task
	c := &w.first
	if w.run != nil {
		if w.unused == nil {
			w.unused = new([]runContext)
		}
		if len(*w.unused) == 0 {
			*w.unused = make([]runContext, min(t.runs-1, contextChunk))
		}
		c, *w.unused = &(*w.unused)[0], (*w.unused)[1:]
	}
	c.worker, c.run, c.lastErr = w, t.runs, t.last
	return c
}
