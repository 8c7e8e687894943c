package supervise

import (
	"context"
	"runtime/pprof"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/supervise/internal/machine"
)

// worker serves a task, from its start until it is stopped, ends, or is left behind.
// One goroutine does everything in turn; a function that calls runtime.Goexit costs
// the goroutine, and another one goes on at the stage that was noted before.
//
// What a worker does in which order is in this file: it waits for what a run needs
// (wait.go), begins the run, calls the function, records how that ended, asks the gate,
// and goes on. What may happen meanwhile, and which of two things was first, is decided
// by the task's machine.Life.
type worker struct {
	task *Task
	env  *env

	// guarded by the task's mu
	run       *runContext // under way; or it waits to begin; or the last
	cause     error       // why it is to stop; nil while it is not. Then what the task ended with
	timer     *time.Timer // of the stop timeout; nil while nothing was cancelled
	goroutine uint64
	waits     waitFor
	left      *leftBehind // once it is
	outcome   machine.End // when it has ended

	// own
	after  *leftBehind // a run of the task that was abandoned before
	number uint32      // among the workers of the task
	serial uint32      // among the starts by the supervisor
	stage  stage       // what is to be done next
	how    machine.End
	fresh  bool // run waits to begin
	permit bool // it holds one of the supervisor's
	first  runContext
}

// stage is what the worker does next. It is set before code of a user's is called, to
// what follows: if that ends the goroutine, the next one goes on there.
type stage uint8

const (
	recalling stage = iota // load the gate from the store
	arriving               // wait at the gate before the first run
	preparing              // wait for what else a run needs
	refusing               // begin a run that is not admitted
	calling                // the function
	returning              // record how the call ended
	judging                // ask the gate about a crash
	reporting              // tell the observers
	deciding               // whether another run follows
	holding                // wait at the gate after a crash
	leaving                // end
	gone
)

// work is what the goroutine does. err is what the call ended with in which the one
// before it was lost.
func (w *worker) work(err error) {
	defer func() {
		if w.stage != gone {
			go w.work(err)
		}
	}()
	pprof.SetGoroutineLabels(w.labelled())
	w.identify()
	for w.stage != gone {
		w.proceed(&err)
	}
}

func (w *worker) proceed(err *error) {
	switch w.stage {
	case recalling:
		w.stage = arriving
		w.recall()
	case arriving:
		w.arrive()
	case preparing:
		w.prepare(err)
	case refusing:
		*err = ErrGoexit
		w.begin(time.Now(), ErrGoexit)
	case calling:
		*err = ErrGoexit
		w.stage = returning
		w.call(err)
		w.settle(*err)
	case returning: // the goroutine before this one was lost in the function
		w.settle(*err)
	case judging: // in the place of a worker that was left behind
		w.judge(time.Now(), w.task.uptime(), w.task.lastErr())
	case reporting:
		w.report(time.Now(), 0, w.task.lastErr(), w.task.gateState())
	case deciding:
		w.decide(time.Now(), w.task.lastErr(), w.task.gateState())
	case holding:
		w.hold(time.Now(), w.task.gateState())
	case leaving:
		w.leave()
	case gone:
	}
}

// begin begins a run, unless the task is to stop.
func (w *worker) begin(now time.Time, refused error) {
	t := w.task
	t.mu.Lock()
	w.noticeDone()
	effect := t.life.Step(machine.LifeInput{Kind: machine.Begin, Worker: w.number, Slow: t.slow()})
	if effect&machine.Call != 0 {
		if !w.fresh {
			w.run = w.nextContext()
		}
		w.fresh, w.waits = false, nothing
		t.began = now
	}
	t.mu.Unlock()
	if effect&machine.Call == 0 {
		w.quit(now, 0, nil)
		return
	}
	w.limit(now)
	w.stage = calling
	if refused != nil {
		w.stage = returning
	}
	if p := t.past.Load(); p != nil {
		w.start(p, now)
		w.keep(p)
	}
	if w.env.wants(KindStart) {
		w.env.reportStart(t, now)
	}
	if refused != nil {
		w.settle(refused)
	}
}

// beginNow begins the first run on the goroutine of the supervisor, so that those
// of several tasks begin in order, unless that would have to wait, or run code of a user's.
func (w *worker) beginNow(wanted bool) {
	t := w.task
	if t.opts.gate != nil || w.env.saver != nil || w.after != nil || w.admission() != nil || w.env.permits() != nil {
		return
	}
	if p := t.past.Load(); p != nil && p.gate.State().Phase() != gate.Idle {
		return
	}
	now := time.Now()
	t.mu.Lock()
	effect := t.life.Step(machine.LifeInput{Kind: machine.Begin, Worker: w.number, Slow: t.slow()})
	if effect&machine.Call != 0 {
		w.run = w.nextContext()
		t.began = now
	}
	t.mu.Unlock()
	if effect&machine.Call == 0 {
		return // it is to stop, and finds out by itself
	}
	w.limit(now)
	w.stage = calling
	if p := t.past.Load(); p != nil {
		w.start(p, now)
	}
	if wanted { // this is the goroutine of Run, which an observer must not end
		w.env.reportAside(t, Event{Kind: KindStart, Run: t.runNumber(), At: now})
	}
}

// start has the gate see that a run has begun, which must not end a pause that came in
// the same instant: then the run is stopped as soon as it has begun.
func (w *worker) start(p *past, now time.Time) {
	if p.gate.TryStart(now) {
		return
	}
	if by, paused := p.gate.PausedBy(); paused {
		w.task.ask(machine.Cycle, &stopCause{errPaused, by, true})
		return
	}
	p.gate.ObserveStart(now) // another task of the gate runs or is held
}

// noticeDone has a task under Run stop whose context is done: the function may have
// seen that before Run did. Under a supervisor, contexts are done when it says so.
// Called with the task's mu.
func (w *worker) noticeDone() {
	if w.env.tree == nil && w.env.ctx.Err() != nil && w.task.life.Step(machine.LifeInput{Kind: machine.Stop}) != 0 {
		w.cause = context.Cause(w.env.ctx)
	}
}

// settle records how the run ended, whose function ended with err.
func (w *worker) settle(err error) {
	err = w.closeRun(err)
	now := time.Now()
	t := w.task
	t.mu.Lock()
	w.noticeDone()
	effect := t.life.Step(machine.LifeInput{Kind: machine.Return, Worker: w.number, Run: w.run.run})
	ran, fault, cause := now.Sub(t.began), t.life.Fault, w.cause
	if effect == machine.Settle && w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
	t.mu.Unlock()
	switch effect {
	case machine.Settle:
		w.judge(now, ran, blame(fault, err))
	case machine.Quit:
		if p := t.past.Load(); p != nil {
			p.gate.ObserveCleanExit(now)
			w.keep(p)
		}
		w.quit(now, ran, realError(cause, err))
	case machine.Late:
		w.returned(now, err)
	default:
		w.resettle(now, ran, fault, err)
	}
}

// resettle goes on where a method of err ended the goroutine, after the machine had been
// asked. The error is taken as it is.
func (w *worker) resettle(now time.Time, ran time.Duration, fault machine.Fault, err error) {
	t := w.task
	t.mu.Lock()
	held := t.life.Phase == machine.Held
	t.mu.Unlock()
	if held {
		w.judge(now, ran, join(blame(fault, nil), err))
		return
	}
	w.quit(now, ran, err)
}

// blame returns what a run counts as, with which the supervisor found a fault.
func blame(fault machine.Fault, err error) error {
	switch fault {
	case machine.Silent:
		return join(ErrWatchdog, realError(ErrWatchdog, err))
	case machine.Unready:
		return join(ErrNotReady, realError(ErrNotReady, err))
	case machine.Healthy:
	}
	return err
}

// closeRun waits for all that belongs to the run, and returns what it ended with.
func (w *worker) closeRun(err error) error {
	err = w.run.wait(err)
	w.endLimits()
	w.run.end()
	return err
}

// judge asks the gate about a run that ended by itself, or that was left behind.
func (w *worker) judge(now time.Time, ran time.Duration, err error) {
	t := w.task
	w.stage = reporting
	var state gate.State
	switch p := t.past.Load(); {
	case err != nil:
		p = t.pastOfRun(w.env)
		t.record(p, now, ran, err)
		state = p.gate.ObserveCrash(now, err)
		w.keep(p)
		if p.fault.Load() != nil && !p.faulty {
			w.reportFault(p)
		}
	case t.opts.restart == Always:
		p = t.pastOfRun(w.env)
		t.record(p, now, ran, nil)
		state = p.gate.ObserveRestart(now)
		w.keep(p)
	case p != nil:
		t.record(p, now, ran, nil)
		p.gate.ObserveCleanExit(now)
		w.keep(p)
	}
	w.report(now, ran, err, state)
}

// report tells the observers how the run ended.
func (w *worker) report(now time.Time, ran time.Duration, err error, state gate.State) {
	w.stage = deciding
	switch {
	case err != nil:
		if w.env.wants(KindCrash) {
			w.reportCrash(now, ran, state)
		}
	case w.env.wants(KindExit):
		w.reportExit(now, ran, state)
	}
	w.decide(now, err, state)
}

// decide goes on, or ends. A crash that concerns other tasks is a matter of the
// supervisor, too.
func (w *worker) decide(now time.Time, err error, state gate.State) {
	t := w.task
	switch {
	case err == nil && t.opts.restart != Always:
		w.end(machine.Completed, nil)
		return
	case err != nil && t.opts.restart == Never:
		w.end(machine.Failed, err)
		return
	}
	w.stage = holding
	if w.env.grouped() && state.Phase() != gate.GaveUp {
		w.post(machine.Crashed)
	}
	w.hold(now, state)
}

// quit has the worker end, as it was asked to stop. real is what the run ended with,
// if that says more.
func (w *worker) quit(now time.Time, ran time.Duration, real error) {
	t := w.task
	w.how, w.stage = machine.Stopped, leaving
	t.mu.Lock()
	current := w.number == t.life.Worker
	if real != nil {
		w.cause = &stoppedWith{w.cause, real}
	}
	cause := w.cause
	t.mu.Unlock()
	if !current {
		return
	}
	if w.env.wants(KindStop) {
		w.reportStop(now, ran, cause)
	}
}

// end has the worker end, as no run is to follow.
func (w *worker) end(how machine.End, result error) {
	w.task.mu.Lock()
	w.cause = result
	w.task.mu.Unlock()
	w.how, w.stage = how, leaving
}

// giveUp has the worker end, as the policy gave up, unless the task is to stop anyway.
func (w *worker) giveUp(now time.Time) {
	t := w.task
	t.mu.Lock()
	w.noticeDone()
	asked := t.life.Phase == machine.Leaving
	t.mu.Unlock()
	if asked {
		w.quit(now, 0, nil)
		return
	}
	w.stage = leaving
	w.end(machine.GaveUp, w.reportGiveUp(now))
}

// leave is the end of the worker.
func (w *worker) leave() {
	t := w.task
	if w.run != nil {
		w.run.end()
	}
	w.givePermit()
	t.mu.Lock()
	pardon := w.how == machine.GaveUp && t.life.Again
	t.mu.Unlock()
	if pardon {
		t.pardon(gate.By{})
	}
	t.mu.Lock()
	current := w.number == t.life.Worker
	t.life.Step(machine.LifeInput{Kind: machine.Leave, Worker: w.number})
	if w.timer != nil {
		w.timer.Stop()
	}
	how := w.how
	if how == machine.Stopped && renews(w.cause) || how >= machine.Completed && t.life.Again && (how != machine.GaveUp || pardon) {
		how = machine.Renewed
	}
	w.outcome = how
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

// post tells the supervisor something about the worker's task, if that has not been
// asked to stop meanwhile.
func (w *worker) post(kind machine.Kind) {
	t := w.task
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.life.Phase == machine.Held && w.number == t.life.Worker {
		w.env.tree.s.post(t, machine.Input{Kind: kind, Serial: w.serial}, nil)
	}
}

// located reports whether somebody may want to know where the goroutine is: when it is
// abandoned, or when a supervisor is that waits for it.
func (w *worker) located() bool { return w.stopTimeout() >= 0 || w.env.located }

// identify notes which goroutine it is, if somebody may want to know.
func (w *worker) identify() {
	if !w.located() {
		return
	}
	id := goroutineID()
	w.task.mu.Lock()
	defer w.task.mu.Unlock()
	w.goroutine = id
}

// labelled returns the parent of all runs, with the task's label for profiles.
// Nobody keeps it: a label that a goroutine carries does without.
func (w *worker) labelled() context.Context {
	return pprof.WithLabels(w.env.ctx, pprof.Labels("task", w.task.Name()))
}

// The functions that call those of a task, below which a panic's stack is no
// longer the task's.
const (
	runFrame    = "github.com/holdfast-go/holdfast/supervise.(*worker).call"
	memberFrame = "github.com/holdfast-go/holdfast/supervise.(*runContext).member"
	admitFrame  = "github.com/holdfast-go/holdfast/supervise.(*worker).admit"
)

// call runs the function to its end, and leaves in err what that was. Goexit cannot be
// stopped, not even by recovering from a panic that came after it: this goroutine ends,
// and work's deferred function hands over to another.
func (w *worker) call(err *error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if !w.task.opts.letPanic {
			if v := recover(); v != nil {
				*err = newPanicError(v)
			}
			return
		}
		if !leavesByGoexit() {
			w.stage = gone // the process ends
		}
	}()
	*err = w.task.fn(w.run)
	returned = true
}
