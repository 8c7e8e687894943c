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

	end *ending // set at the end

	mu        sync.Mutex // guards what follows
	cause     error      // why the worker is to stop
	interrupt context.CancelCauseFunc
	current   *runContext // while a run is under way
	goroutine uint64
	abandoned bool
	killed    bool // a process serves the run, which is killed at the stop timeout

	// own
	run     *runContext // the one under way, or the last
	begun   bool        // the first run, by beginNow
	calling bool        // the function
	exit    exit
	err     error         // what the function ended with
	unused  *[]runContext // nil before the second run
	first   runContext
}

// exit is how a call of the function was left.
type exit uint8

const (
	unknown exit = iota // by a panic that goes on, so far as is known
	known               // as err says
)

// ending is how a worker has ended, and with what.
type ending struct {
	outcome outcome
	result  error // what the task has ended with
	real    error // what the run ended with that was stopped, if that is more than why it was
}

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
