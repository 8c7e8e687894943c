package supervise

import (
	"time"

	"github.com/holdfast-go/holdfast/gate"
)

// What follows is called by others than the worker's goroutine.

// askToStop has the worker stop: the run under way is cancelled with the cause,
// a hold ends, and no other run begins.
func (w *worker) askToStop(cause error) {
	w.mu.Lock()
	if w.cause == nil {
		w.cause = cause
	}
	run, interrupt := w.current, w.interrupt
	w.mu.Unlock()
	if run != nil {
		run.cancel(cause)
	}
	if interrupt != nil {
		interrupt(cause)
	}
}

// abandon leaves the worker behind, which was asked to stop and has not. It
// returns nil if the run has ended just now.
func (w *worker) abandon(cause error) *AbandonedError {
	w.mu.Lock()
	run, goroutine := w.current, w.goroutine
	if run == nil {
		w.mu.Unlock()
		return nil
	}
	w.abandoned = true
	w.mu.Unlock()
	return w.task.tellStuck(run.run, stackOf(goroutine), cause)
}

// patience is how long after it was asked to stop the worker is abandoned;
// negative for never.
func (w *worker) patience() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := w.task.opts.stopTimeout
	if d >= 0 && w.killed {
		d += killTime
	}
	return d
}

// killTime is how long a process may take to end when it is killed.
const killTime = time.Second

func (w *worker) setKilled(killed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.killed = killed
}

// watch sets a watchdog on the run that begins now.
func (w *worker) watch(now time.Time) {
	c, o := w.run, w.task.opts
	c.watchdog = newWatchdog(o.limit, o.stopTimeout, now,
		func() { c.cancel(ErrWatchdog) },
		func() { w.hung(c) })
}

// hung tells of a run that the watchdog has cancelled and that has not ended.
func (w *worker) hung(c *runContext) {
	if w.tree != nil {
		w.tree.post(notice{kind: runHung, worker: w})
		return
	}
	w.mu.Lock()
	goroutine := w.goroutine
	w.mu.Unlock()
	_ = w.task.tellStuck(c.run, stackOf(goroutine), ErrWatchdog) // nobody waits for it
}

// hang enters, for a worker that was abandoned after the watchdog had cancelled
// its run, that the task crashed. It returns a *GaveUpError if the policy gives
// up.
func (w *worker) hang(now time.Time) error {
	t := w.task
	t.lock()
	t.crashes++
	t.running, t.last = false, ErrWatchdog
	t.unlock()
	state := t.needGate().ObserveCrash(now, ErrWatchdog)
	h := t.gate.History()
	t.emit(Event{Kind: KindCrash, Run: t.runs, At: now, Ran: h.Ran(), Err: ErrWatchdog, State: state, Streak: h.Streak()})
	if state.Phase != gate.GaveUp {
		return nil
	}
	t.emit(Event{Kind: KindGiveUp, Run: t.runs, At: now, Err: ErrWatchdog})
	return &GaveUpError{t.path(), int(h.Crashes()), ErrWatchdog}
}
