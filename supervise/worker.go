package supervise

import (
	"context"
	"runtime/pprof"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/gate"
)

// worker serves a task from its start to its end. One goroutine at a time does
// everything in turn: it waits at the gate, calls the function, and enters how
// that ended. It alone owns the fields below "own".
//
// A worker that is asked to stop and does not is abandoned: the task is served
// by another from then on, and what this one still does changes nothing. Which of
// the two comes first, the end of a run or its being abandoned, is settled under
// mu.
type worker struct {
	task *Task
	ctx  context.Context // the parent of all runs
	tree *tree           // told of the end; nil under Run
	done chan struct{}   // closed at the end; nil under a supervisor

	outcome outcome // set at the end
	result  error   // what the task has ended with
	real    error   // what the run ended with that was stopped, if that is more than why it was

	mu        sync.Mutex // guards what follows
	cause     error      // why the worker is to stop
	interrupt context.CancelCauseFunc
	current   *runContext // while a run is under way
	goroutine string
	abandoned bool
	killed    bool // a process serves the run, which is killed at the stop timeout

	// own
	run     *runContext // the one under way, or the last
	begun   bool        // the first run, by beginNow
	calling bool        // the function
	exit    exit
	err     error // what the function ended with
	unused  []runContext
	first   runContext
}

// exit is how a call of the function was left.
type exit uint8

const (
	unknown exit = iota // by a panic that goes on, so far as is known
	known               // as err says
)

// outcome is how a worker has ended.
type outcome uint8

const (
	stopped   outcome = iota // as it was asked to
	completed                // by a clean exit
	crashed                  // and it is for others to restart the task
	gaveUp
	late // after it was abandoned
)

// work is what the goroutine does. It goes on after a call in which the goroutine
// before this one was lost, or begins with the first.
func (w *worker) work() {
	defer func() {
		if w.calling && w.exit != unknown {
			go w.work()
		}
	}()
	pprof.SetGoroutineLabels(w.ctx)
	w.identify()
	if w.calling || w.begun || w.begin(w.approach()) {
		w.serve()
	}
	if w.done != nil {
		close(w.done)
		return
	}
	w.tree.post(notice{kind: workerEnded, worker: w})
}

// serve calls the function for the run that has begun, or enters how the call
// ended in which the goroutine before this one was lost, and goes on with the
// runs that follow.
func (w *worker) serve() {
	for proceed := true; proceed; {
		if !w.calling {
			w.calling = true
			w.call()
		}
		w.calling = false
		proceed = w.begin(w.settle())
	}
}

// beginNow begins the first run on the goroutine of the supervisor, so that those
// of several tasks begin in order, unless that would have to wait.
func (w *worker) beginNow() {
	if w.task.opts.gate == nil && w.tree.permits == nil && (w.task.gate == nil || w.task.gate.State().Phase == gate.Idle) {
		w.begun = w.begin(time.Now(), true)
	}
}

// identify notes which goroutine it is, if it may be abandoned.
func (w *worker) identify() {
	if w.task.opts.stopTimeout < 0 {
		return
	}
	id := goroutineID()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.goroutine = id
}

// approach waits at the gate before the first run.
func (w *worker) approach() (time.Time, bool) {
	now := time.Now()
	if w.task.opts.gate != nil && w.task.gate == nil {
		w.task.makeGate()
	}
	if g := w.task.gate; g != nil {
		return w.hold(now, g.State())
	}
	return w.proceed(now)
}

// asked returns why the worker is to stop, or nil.
func (w *worker) asked() error {
	if w.ctx.Err() != nil {
		return context.Cause(w.ctx)
	}
	if w.tree == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cause
}

// proceed lets the next run begin, unless the worker is to stop.
func (w *worker) proceed(now time.Time) (time.Time, bool) {
	if cause := w.asked(); cause != nil {
		return now, w.stop(now, 0, cause, nil)
	}
	return now, true
}

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
		if len(w.unused) == 0 {
			w.unused = make([]runContext, min(t.runs-1, contextChunk))
		}
		c, w.unused = &w.unused[0], w.unused[1:]
	}
	c.parent, c.worker, c.run, c.lastErr = w.ctx, w, t.runs, t.last
	return c
}

// The functions that call those of a task, below which a panic's stack is no
// longer the task's.
const (
	runFrame    = "github.com/holdfast-go/holdfast/supervise.(*worker).call"
	memberFrame = "github.com/holdfast-go/holdfast/supervise.(*runContext).member"
)

// call runs the function to its end, and leaves in w.err what that was.
func (w *worker) call() {
	w.exit = unknown
	defer w.caught()
	w.err = w.task.fn(w.run)
	w.exit = known
}

// caught is deferred by call, and tells the three ways apart in which a function
// is left. Goexit cannot be stopped, not even by recovering from a panic that
// came after it: this goroutine ends, and work's deferred function hands over to
// another.
func (w *worker) caught() {
	switch {
	case w.exit == known:
		return
	case !w.task.opts.letPanic:
		w.err = ErrGoexit
		if v := recover(); v != nil {
			w.err = newPanicError(v)
		}
	case leavesByGoexit():
		w.err = ErrGoexit
	default:
		return
	}
	w.exit = known
}

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
		t.emit(Event{Kind: KindExit, Run: t.runs, At: now, Ran: ran, State: state})
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
		t.emit(Event{Kind: KindCrash, Run: t.runs, At: now, Ran: ran, Err: t.last, State: state, Streak: streak})
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

// hold waits at the gate, held in state, and returns when it opened.
func (w *worker) hold(now time.Time, state gate.State) (time.Time, bool) {
	t := w.task
	for ; state.Phase != gate.Idle; state = t.gate.State() {
		if state.Phase == gate.GaveUp {
			return now, w.giveUp(now)
		}
		err := w.wait()
		now = time.Now()
		if err != nil {
			return now, w.stop(now, 0, err, nil)
		}
		if t.wants(KindRelease) {
			t.emit(Event{Kind: KindRelease, Run: t.runs, At: now, State: state, Forced: now.Before(state.Until)})
		}
	}
	return w.proceed(now)
}

// wait waits until the gate is open, or the worker is to stop.
func (w *worker) wait() error {
	if w.tree == nil {
		return w.task.gate.Wait(w.ctx)
	}
	ctx, cancel := w.interruptible()
	defer cancel(nil)
	return w.task.gate.Wait(ctx)
}

// interruptible returns a context for the worker's own waiting, which is
// cancelled when the worker is to stop.
func (w *worker) interruptible() (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(w.ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cause != nil {
		cancel(w.cause)
	}
	w.interrupt = cancel
	return ctx, cancel
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
	w.real = real
	err := join(cause, real)
	w.task.emit(Event{Kind: KindStop, Run: w.task.runs, At: now, Ran: ran, Err: err})
	return w.finish(stopped, err)
}

func (w *worker) finish(how outcome, err error) bool {
	w.outcome, w.result = how, err
	return false
}
