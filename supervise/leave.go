package supervise

import (
	"time"

	"github.com/holdfast-go/holdfast/supervise/internal/machine"
)

// ending is what there is to know of the end of a worker. It is guarded by the task's mu.
type ending struct {
	cause error       // why it is to stop; nil while it is not. Then what the task ended with
	timer *time.Timer // of the stop timeout; nil while none is set
	left  *leftBehind // once it was left behind
	how   machine.End

	goroutine uint64 // which it is, if it may be left behind
}

// cause returns why the worker is to stop, or nil. Called with the task's mu.
func (w *worker) cause() error {
	if w.end == nil {
		return nil
	}
	return w.end.cause
}

// ending returns what there is to know of the worker's end, to be added to. Called with the
// task's mu.
func (w *worker) ending() *ending {
	if w.end == nil {
		w.end = &ending{}
	}
	return w.end
}

// quit has the worker end, as it was asked to stop. real is what the run ended with,
// if that says more.
func (w *worker) quit(now time.Time, ran time.Duration, real error) {
	t := w.task
	w.how, w.stage = machine.Stopped, leaving
	t.mu.Lock()
	current := w.number == t.life.Worker
	if real != nil {
		w.end.cause = &stoppedWith{w.end.cause, real}
	}
	cause := w.cause()
	t.mu.Unlock()
	if !current {
		return
	}
	if w.env.wants(KindStop) {
		w.reportStop(now, ran, cause)
	}
}

// endAs has the worker end, as no run is to follow.
func (w *worker) endAs(how machine.End, result error) {
	w.task.mu.Lock()
	w.ending().cause = result
	w.task.mu.Unlock()
	w.how, w.stage = how, leaving
}

// giveUp has the worker end, as the policy gave up, unless the task is to stop anyway.
func (w *worker) giveUp(now time.Time) {
	t := w.task
	done := w.done()
	t.mu.Lock()
	w.notice(done)
	asked := t.life.Phase == machine.Leaving
	t.mu.Unlock()
	if asked {
		w.quit(now, 0, nil)
		return
	}
	w.stage = leaving
	w.endAs(machine.GaveUp, w.reportGiveUp(now))
}

// leave is the end of the worker.
func (w *worker) leave() {
	t := w.task
	if w.run != nil {
		w.run.end()
	}
	w.givePermit()
	t.mu.Lock()
	current := w.number == t.life.Worker
	t.life.Step(machine.LifeInput{Kind: machine.Leave, Worker: w.number})
	end := w.ending()
	end.stopTimer()
	how := w.how
	if how == machine.Stopped && renews(end.cause) || how >= machine.Completed && t.life.Again {
		how = machine.Renewed
	}
	end.how = how
	if current && w.env.tree != nil {
		w.env.tree.s.ended(w, how)
	}
	t.mu.Unlock()
	w.stage = gone
	if !current {
		w.returned(time.Now(), nil)
		return
	}
	w.env.serves(-1)
	if w.env.done != nil {
		close(w.env.done)
	}
}
