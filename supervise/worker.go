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
	run      *runContext // under way; or it waits to begin; or the last
	end      *ending     // nil while nothing was cancelled, and it has not ended
	waits    waitFor
	injected bool // a fault was injected on purpose into the run

	// own
	stage  stage // what is to be done next
	how    machine.End
	fresh  bool   // run waits to begin
	permit bool   // it holds one of the supervisor's
	behind bool   // a run of the task was abandoned before, and may not have returned
	number uint32 // among the workers of the task
	serial uint32 // among the starts by the supervisor
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

// passage is what is known of the run that has ended, on its way through the stages. It
// is in the frame of work: most goroutines then do with the small stack that they
// began with. After a goroutine was lost it is found anew.
type passage struct {
	now   time.Time // when the run ended, or a later event; zero if it is not known
	ran   time.Duration
	err   error // what it ended with
	state gate.State
	noted bool // it is in the task's past
}

// find fills in what a goroutine cannot know that goes on for another.
func (p *passage) find(t *Task) {
	if p.now.IsZero() {
		*p = passage{now: time.Now(), ran: t.uptime(), err: t.lastErr(), state: t.gateState()}
	}
}

// work is what the goroutine does. err is what the call ended with in which the one
// before it was lost.
func (w *worker) work(err error) {
	p := passage{err: err}
	defer func() {
		if w.stage != gone {
			go w.work(p.err)
		}
	}()
	if w.stage != returning { // else it has inherited the labels
		pprof.SetGoroutineLabels(w.labelled())
	}
	w.identify()
	for w.stage != gone {
		w.proceed(&p)
	}
}

func (w *worker) proceed(p *passage) {
	switch w.stage {
	case recalling:
		w.stage = arriving
		w.recall()
	case arriving:
		w.arrive()
	case preparing:
		w.prepare(p)
	case refusing:
		p.now, p.err = time.Now(), ErrGoexit
		w.begin(p)
	case calling:
		p.err = ErrGoexit
		w.stage = returning
		w.call(&p.err)
	case returning:
		w.settle(p)
	case judging:
		w.judge(p)
	case reporting:
		w.report(p)
	case deciding:
		w.decide(p)
	case holding:
		w.hold(p)
	case leaving:
		w.leave()
	case gone:
	}
}

// begin begins a run at p.now, unless the task is to stop. A p.err is why it was not
// admitted: then the run ends with that.
func (w *worker) begin(p *passage) {
	t := w.task
	done := w.done()
	t.mu.Lock()
	w.notice(done)
	effect := t.life.Step(machine.LifeInput{Kind: machine.Begin, Worker: w.number, Slow: t.slow()})
	if effect&machine.Call != 0 {
		if !w.fresh {
			w.run = w.nextContext()
		}
		w.fresh, w.waits, w.injected = false, nothing, false
		t.began = p.now
	}
	t.mu.Unlock()
	if effect&machine.Call == 0 {
		w.quit(p.now, 0, nil)
		return
	}
	w.limit(p.now)
	w.stage = calling
	if p.err != nil {
		w.stage = returning
	}
	if past := t.past.Load(); past != nil {
		w.start(past, p.now)
		w.keep(past)
	}
	if w.env.wants(KindStart) {
		w.env.reportStart(t, p.now)
	}
}

// beginNow begins the first run on the goroutine of the supervisor, so that those
// of several tasks begin in order, unless that would have to wait, or run code of a user's.
func (w *worker) beginNow(wanted bool) {
	t := w.task
	if t.opts.gate != nil || w.env.saver != nil || w.behind || w.admission() != nil || w.env.permits() != nil {
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
	if by, paused := p.gate.PausedBy(); paused && w.env.tree != nil { // nobody would start it again under Run
		w.task.ask(machine.Cycle, &stopCause{errPaused, by, true})
		return
	}
	p.gate.ObserveStart(now) // another task of the gate runs or is held
}

// done returns why the context of Run is done, or nil. Under a supervisor contexts are
// done when it says so. It may run code of a user's, whose context it may be.
func (w *worker) done() error {
	if w.env.tree != nil || w.env.ctx.Err() == nil {
		return nil
	}
	return context.Cause(w.env.ctx)
}

// notice has the task stop, as the context of Run is done: the function may have seen
// that before Run did. A nil cause is nothing. Called with the task's mu.
func (w *worker) notice(done error) {
	if done != nil && w.task.life.Step(machine.LifeInput{Kind: machine.Stop}) != 0 {
		w.ending().cause = done
	}
}

// settle records how the run ended, whose function ended with p.err.
func (w *worker) settle(p *passage) {
	p.err = w.closeRun(p.err)
	p.now, p.state = time.Now(), gate.State{}
	t := w.task
	done := w.done()
	t.mu.Lock()
	w.notice(done)
	effect := t.life.Step(machine.LifeInput{Kind: machine.Return, Worker: w.number, Run: w.run.run})
	fault, cause := t.life.Fault, w.cause()
	p.ran = p.now.Sub(t.began)
	p.noted = w.note(p, effect == machine.Settle && fault == machine.Healthy)
	t.mu.Unlock()
	switch effect {
	case machine.Settle:
		if fault != machine.Healthy {
			p.err = blame(fault, p.err)
		}
		w.stage = judging
	case machine.Quit:
		if past := t.past.Load(); past != nil {
			past.gate.ObserveCleanExit(p.now)
			w.keep(past)
		}
		w.quit(p.now, p.ran, realError(cause, p.err))
	case machine.Late:
		w.returned(p.now, p.err)
	default:
		w.resettle(p, fault)
	}
}

// note records the end of a run in the task's past, if there is one and it is certain
// what the run counts as. Called with the task's mu.
func (w *worker) note(p *passage, certain bool) bool {
	if w.end != nil {
		w.end.stopTimer()
	}
	past := w.task.past.Load()
	if !certain || past == nil || p.err == nil && w.task.opts.restart != Always {
		return false
	}
	past.record(w.task.life.Run, p.now, p.ran, p.err)
	return true
}

// resettle goes on where a method of p.err ended the goroutine, after the machine had been
// asked. The error is taken as it is.
func (w *worker) resettle(p *passage, fault machine.Fault) {
	t := w.task
	t.mu.Lock()
	held := t.life.Phase == machine.Held
	t.mu.Unlock()
	if held {
		p.err = join(blame(fault, nil), p.err)
		w.stage = judging
		return
	}
	w.quit(p.now, p.ran, p.err)
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
func (w *worker) judge(p *passage) {
	t := w.task
	p.find(t)
	w.stage = reporting
	past := t.past.Load()
	if p.err == nil && t.opts.restart != Always {
		if past != nil {
			t.record(past, p.now, p.ran, nil)
			past.gate.ObserveCleanExit(p.now)
			w.keep(past)
		}
		return
	}
	if past == nil {
		past = t.pastOfRun(w.env)
	}
	if !p.noted {
		t.record(past, p.now, p.ran, p.err)
	}
	if p.err == nil {
		p.state = past.gate.ObserveRestart(p.now)
	} else {
		p.state = past.gate.ObserveCrash(p.now, p.err)
	}
	w.keep(past)
	if past.fault.Load() != nil && !past.faulty {
		w.reportFault(past)
	}
}

// report reports to the observers how the run ended.
func (w *worker) report(p *passage) {
	p.find(w.task)
	w.stage = deciding
	switch {
	case p.err != nil:
		if w.env.wants(KindCrash) {
			w.reportCrash(p.now, p.ran, p.state)
		}
	case w.env.wants(KindExit):
		w.reportExit(p.now, p.ran, p.state)
	}
}

// decide goes on, or ends. A crash that concerns other tasks is a matter of the
// supervisor, too.
func (w *worker) decide(p *passage) {
	t := w.task
	p.find(t)
	switch {
	case p.err == nil && t.opts.restart != Always:
		w.endAs(machine.Completed, nil)
		return
	case p.err != nil && t.opts.restart == Never:
		w.endAs(machine.Failed, p.err)
		return
	}
	w.stage = holding
	if w.env.grouped() && p.state.Phase() != gate.GaveUp {
		w.post(machine.Crashed)
	}
}

// post gives the supervisor an input about the worker's task, if that has not been
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
	w.ending().goroutine = id
}

// labelled returns the parent of all runs, with the task's label for profiles.
// Nobody keeps it: a label that a goroutine carries does without.
func (w *worker) labelled() context.Context {
	return pprof.WithLabels(w.env.ctx, pprof.Labels("task", w.task.Name()))
}
