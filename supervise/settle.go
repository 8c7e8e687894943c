package supervise

import (
	"time"

	"github.com/holdfast-go/holdfast/gate"
)

// settle enters how the run ended, whose function ended with err, and waits at
// the gate if there is to be another. It returns when that one begins, or false
// if there is none.
func (w *worker) settle(err error) (time.Time, bool) {
	err = w.closeRun(err)
	now := time.Now()
	t := w.task
	t.lock()
	w.running = false
	abandoned, cause, ran := w.abandoned, w.asked(), now.Sub(t.began)
	entered := t.past != nil && err != nil && !abandoned && cause == nil
	if entered {
		t.past.enter(err)
	}
	t.unlock()
	switch {
	case abandoned:
		w.tellReturn(now, err)
		return now, w.finish(late, err, nil)
	case cause != nil:
		if t.past != nil {
			t.past.gate.ObserveCleanExit(now)
			t.keep()
		}
		return now, w.stop(now, ran, cause, realError(cause, err))
	case err == nil:
		return w.exited(now, ran)
	case entered:
		return w.crashed(now, t.judge(w.env, now, ran, err), err)
	default:
		return w.crashed(now, t.crash(w.env, now, ran, err), err)
	}
}

// closeRun waits for all that belongs to the run, and returns what it counts as.
func (w *worker) closeRun(err error) error {
	err = w.run.wait(err)
	bitten, tooLate := w.run.limits.end()
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
		state = t.needPast(w.env).gate.ObserveRestart(now)
	} else if t.past != nil {
		t.past.gate.ObserveCleanExit(now)
	}
	if t.past != nil {
		t.lock()
		t.past.last = nil
		t.unlock()
		t.keep()
	}
	if w.env.wants(KindExit) {
		w.env.tellExit(t, now, ran, state)
	}
	if t.opts.restart != always {
		return now, w.finish(completed, nil, nil)
	}
	return w.goOn(now, state, nil)
}

func (w *worker) crashed(now time.Time, state gate.State, err error) (time.Time, bool) {
	if w.task.opts.restart == never {
		return now, w.finish(crashed, err, nil)
	}
	return w.goOn(now, state, err)
}

// goOn lets the next run follow, after the hold, or leaves that to the supervisor
// if it is a matter of more tasks than this one.
func (w *worker) goOn(now time.Time, state gate.State, err error) (time.Time, bool) {
	if w.env.grouped() && state.Phase() != gate.GaveUp {
		return now, w.finish(handed, err, nil)
	}
	return w.hold(now, state)
}

// crash enters a crash, and tells of it.
func (t *Task) crash(e *env, now time.Time, ran time.Duration, err error) gate.State {
	p := t.needPast(e)
	t.lock()
	p.enter(err)
	t.unlock()
	return t.judge(e, now, ran, err)
}

// enter is called with the task's mu.
func (p *past) enter(err error) {
	p.crashes++
	p.last = err
}

// judge asks the gate about a crash that has been entered, and tells of it.
func (t *Task) judge(e *env, now time.Time, ran time.Duration, err error) gate.State {
	state := t.past.gate.ObserveCrash(now, err)
	t.keep()
	if e.wants(KindCrash) {
		e.tellCrash(t, now, ran, state)
	}
	return state
}

// The ends of a worker return false: no run follows.

func (w *worker) giveUp(now time.Time) bool {
	return w.finish(gaveUp, w.env.tellGiveUp(w.task, now), nil)
}

func (w *worker) stop(now time.Time, ran time.Duration, cause, real error) bool {
	err := join(cause, real)
	if w.env.wants(KindStop) {
		w.env.tellStop(w.task, now, ran, err)
	}
	return w.finish(stopped, err, real)
}

func (w *worker) finish(how outcome, result, real error) bool {
	w.task.lock()
	defer w.task.unlock()
	if w.end == nil {
		w.end = &ending{}
	}
	w.end.outcome, w.end.result, w.end.real = how, result, real
	return false
}
