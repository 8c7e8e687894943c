package supervise

import (
	"time"

	"github.com/holdfast-go/holdfast/gate"
)

// What follows is called by others than the worker's goroutine.

// askToStop has the worker stop: the run under way is cancelled with the cause,
// a hold ends, and no other run begins.
func (w *worker) askToStop(cause error) {
	w.task.lock()
	if w.end == nil {
		w.end = &ending{cause: cause}
	}
	run := w.run
	w.task.unlock()
	if run != nil {
		run.cancel(cause)
	}
}

// abandon leaves the worker behind, which was asked to stop and has not. It
// returns nil if the run has ended just now.
func (w *worker) abandon(cause error) *AbandonedError {
	w.task.lock()
	run, goroutine := w.run, w.goroutine
	w.abandoned = w.running
	w.task.unlock()
	if !w.abandoned {
		return nil
	}
	return w.tellStuck(run.run, stackOf(goroutine), cause)
}

// patience is how long after it was asked to stop the worker is abandoned;
// negative for never.
func (w *worker) patience() time.Duration {
	d := w.task.opts.stopTimeout
	if d < 0 {
		return d
	}
	w.task.lock()
	defer w.task.unlock()
	if w.killed {
		d += killTime
	}
	return d
}

// killTime is how long a process may take to end when it is killed.
const killTime = time.Second

func (w *worker) setKilled(killed bool) {
	w.task.lock()
	defer w.task.unlock()
	w.killed = killed
}

// watch sets a watchdog on the run that begins now.
func (w *worker) watch(now time.Time) {
	c, o := w.run, w.task.opts
	c.limits.watchdog = newWatchdog(o.limit, o.stopTimeout, now,
		func() { c.cancel(ErrWatchdog) },
		func() { w.hung(c) })
}

// hung tells of a run that the watchdog has cancelled and that has not ended.
func (w *worker) hung(c *runContext) {
	if tr := w.env.tree; tr != nil {
		tr.s.inbox.post(notice{kind: runHung, worker: w})
		return
	}
	w.task.lock()
	goroutine := w.goroutine
	w.task.unlock()
	_ = w.tellStuck(c.run, stackOf(goroutine), ErrWatchdog) // nobody waits for it
}

// hang enters, for a worker that was abandoned after the watchdog had cancelled
// its run, that the task crashed. It returns a *GaveUpError if the policy gives
// up.
func (t *Task) hang(e *env, now time.Time) error {
	if state := t.crash(e, now, now.Sub(t.began), ErrWatchdog); state.Phase() == gate.GaveUp {
		return e.tellGiveUp(t, now)
	}
	return nil
}
