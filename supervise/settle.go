package supervise

import (
	"time"

	"github.com/holdfast-go/holdfast/gate"
)

// settle enters how the run ended, and waits at the gate if there is to be
// another. It returns when that one begins, or false if there is none.
func (w *worker) settle() (time.Time, bool) {
	t := w.task
	err := w.closeRun()
	now := time.Now()
	if (w.tree != nil || t.opts.stopTimeout >= 0) && !w.leave() {
		t.emit(Event{Kind: KindReturn, Run: w.run.run, At: now, Err: err})
		return now, w.finish(late, err)
	}
	ran := now.Sub(t.began)
	if cause := w.asked(); cause != nil {
		t.lock()
		t.running = false
		t.unlock()
		if t.gate != nil {
			t.gate.ObserveCleanExit(now)
		}
		return now, w.stop(now, ran, cause, realError(cause, err))
	}
	t.lock()
	t.running, t.last = false, err
	if err != nil {
		t.crashes++
	}
	t.unlock()
	if err == nil {
		return w.exited(now, ran)
	}
	return w.crashed(now, ran)
}

// closeRun waits for all that belongs to the run, and returns what it counts as.
func (w *worker) closeRun() error {
	err := w.run.wait(w.err)
	bitten := w.run.watchdog != nil && w.run.watchdog.stop()
	tooLate := w.run.startup.end()
	w.run.end()
	if bitten {
		return join(ErrWatchdog, realError(ErrWatchdog, err))
	}
	if tooLate {
		return join(ErrNotReady, realError(ErrNotReady, err))
	}
	return err
}

func (w *worker) exited(now time.Time, ran time.Duration) (time.Time, bool) {
	t := w.task
	var state gate.State
	if t.opts.restart == always {
		state = t.needGate().ObserveRestart(now)
	} else if t.gate != nil {
		t.gate.ObserveCleanExit(now)
	}
	if t.wants(KindExit) {
		t.emit(Event{Kind: KindExit, Run: t.runs, At: now, Ran: ran, State: state, Last: t.opts.restart != always})
	}
	if t.opts.restart != always {
		return now, w.finish(completed, nil)
	}
	return w.hold(now, state)
}

func (w *worker) crashed(now time.Time, ran time.Duration) (time.Time, bool) {
	t := w.task
	state := t.needGate().ObserveCrash(now, t.last)
	if t.wants(KindCrash) {
		streak := t.gate.History().Streak()
		t.emit(Event{Kind: KindCrash, Run: t.runs, At: now, Ran: ran, Err: t.last, State: state, Streak: streak, Last: t.opts.restart == never})
	}
	switch {
	case t.opts.restart == never:
		return now, w.finish(crashed, t.last)
	case w.tree != nil && w.tree.grouped() && state.Phase != gate.GaveUp:
		return now, w.finish(crashed, t.last)
	}
	return w.hold(now, state)
}

// needGate returns the gate, which is made now if there was no need of it before.
func (t *Task) needGate() *gate.Gate {
	if t.gate == nil {
		t.makeGate()
		t.gate.ObserveStart(t.began)
	}
	return t.gate
}

// The ends of a worker return false: no run follows.

func (w *worker) giveUp(now time.Time) bool {
	t := w.task
	h := t.gate.History()
	err := &GaveUpError{t.path(), int(h.Crashes()), t.last}
	if t.runs == 0 { // it had given up before
		err.Err = h.Err()
	}
	t.emit(Event{Kind: KindGiveUp, Run: t.runs, At: now, Err: err.Err})
	return w.finish(gaveUp, err)
}

func (w *worker) stop(now time.Time, ran time.Duration, cause, real error) bool {
	err := join(cause, real)
	w.task.emit(Event{Kind: KindStop, Run: w.task.runs, At: now, Ran: ran, Err: err})
	w.end = &ending{stopped, err, real}
	return false
}

func (w *worker) finish(how outcome, err error) bool {
	w.end = &ending{outcome: how, result: err}
	return false
}
