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
	permit, err := w.permit()
	if err != nil {
		return w.stop(now, 0, err, nil)
	}
	t := w.task
	t.lock()
	cause := w.asked()
	if cause == nil {
		if !w.prepared {
			w.run = w.nextContext()
		}
		w.running, w.prepared, w.again = true, false, false
		t.runs++
		t.began = now
	}
	t.unlock()
	if cause != nil {
		if permit != nil {
			permit()
		}
		return w.stop(now, 0, cause, nil)
	}
	w.limit(now, permit)
	if t.past != nil {
		t.past.gate.ObserveStart(now)
	}
	if w.env.wants(KindStart) {
		w.env.tellStart(t, now)
	}
	return true
}

// limit sets the time limits of the run that begins now.
func (w *worker) limit(now time.Time, permit func()) {
	o := w.task.opts
	if o.limit > 0 || o.readyTimeout > 0 {
		w.run.limits = &limits{}
	}
	if o.limit > 0 {
		w.watch(now)
	}
	switch {
	case o.readyTimeout > 0:
		w.run.limits.startup = newStartup(o.readyTimeout, permit, w.run.cancel)
	case permit != nil:
		permit() // it counts as started
	}
}

// permit waits until the supervisor lets the task start up, and returns how to
// give that back.
func (w *worker) permit() (giveBack func(), err error) {
	if w.env.tree == nil || w.env.tree.permits == nil {
		return nil, nil
	}
	permits := w.env.tree.permits
	if err := permits.Acquire(w.prepare(), 1); err != nil {
		return nil, context.Cause(w.run)
	}
	return func() { permits.Release(1) }, nil
}

// prepare returns the context of the next run, which is the worker's own while
// it waits for that to begin: it is cancelled when the worker is to stop.
func (w *worker) prepare() *runContext {
	if w.prepared {
		return w.run
	}
	w.prepared = true
	w.task.lock()
	w.run = w.nextContext()
	cause := w.asked()
	w.task.unlock()
	if cause != nil {
		w.run.cancel(cause)
	}
	return w.run
}

// contextChunk is how many contexts are made at once, at most. A context can
// outlive its run, in a goroutine that the function has left behind, so it is
// never used again.
const contextChunk = 32

func (w *worker) nextContext() *runContext {
	t := w.task
	c := &w.first
	if w.run != nil {
		p := t.past // another run follows the gate's decision
		if len(p.unused) == 0 {
			p.unused = make([]runContext, min(t.runs, contextChunk))
		}
		c, p.unused = &p.unused[0], p.unused[1:]
	}
	c.worker, c.run = w, t.runs+1
	if p := t.past; p != nil {
		c.lastErr = p.last
		if p.note != nil {
			c.lastErr = noted{p.last, p.note}
		}
	}
	return c
}
