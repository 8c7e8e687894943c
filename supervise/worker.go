package supervise

import (
	"context"
	"runtime/pprof"
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
// the task's mu.
type worker struct {
	task *Task
	env  *env

	// guarded by the task's mu
	end       *ending     // nil until it is asked to stop, or ends
	run       *runContext // the one under way; or that waits to begin; or the last
	goroutine uint64
	running   bool
	abandoned bool
	killed    bool // a process serves the run, which is killed at the stop timeout
	again     bool // when the worker ends without another run, the task is to be started again

	// own
	prepared bool // run has not begun yet
	begun    bool // the first run has, by beginNow
	calling  bool // the function
	exit     exit
	first    runContext
}

// exit is how a call of the function was left.
type exit uint8

const (
	unknown exit = iota // by a panic that goes on, so far as is known
	known               // with an error or none
)

// ending is how a worker is to end, or has.
type ending struct {
	cause error       // why it is to stop; nil while it is not
	timer *time.Timer // the supervisor's: it is to have stopped

	outcome outcome
	result  error // what the task has ended with
	real    error // what the run ended with that was stopped, if that is more than why it was
}

// outcome is how a worker has ended.
type outcome uint8

const (
	stopped   outcome = iota // as it was asked to
	completed                // by a clean exit
	crashed                  // by a crash that ends the task
	handed                   // to the supervisor, which restarts it with others
	gaveUp
	late // after it was abandoned
)

// work is what the goroutine does. It goes on after a call in which the goroutine
// before this one was lost, which ended with err, or begins with the first.
func (w *worker) work(err error) {
	defer func() {
		if w.calling && w.exit != unknown {
			go w.work(err)
		}
	}()
	if !w.calling { // else it has inherited the labels
		pprof.SetGoroutineLabels(w.labelled())
	}
	w.identify()
	if w.calling || w.begun || w.begin(w.approach()) {
		w.serve(&err)
	}
	if w.run != nil {
		w.run.end()
	}
	w.env.serves(-1)
	if w.env.done != nil {
		close(w.env.done)
		return
	}
	w.env.tree.s.inbox.post(notice{kind: workerEnded, worker: w})
}

// serve calls the function for the run that has begun, or enters how the call
// ended in which the goroutine before this one was lost, and goes on with the
// runs that follow. It leaves in err what a call ended with.
func (w *worker) serve(err *error) {
	for proceed := true; proceed; {
		if !w.calling {
			w.calling = true
			w.call(err)
		}
		w.calling = false
		proceed = w.begin(w.settle(*err))
	}
}

// beginNow begins the first run on the goroutine of the supervisor, so that those
// of several tasks begin in order, unless that would have to wait.
func (w *worker) beginNow() {
	t := w.task
	if t.opts.gate == nil && w.env.saver == nil && w.env.tree.permits == nil && (t.past == nil || t.past.gate.State().Phase() == gate.Idle) {
		w.begun = w.begin(time.Now(), true)
	}
}

// identify notes which goroutine it is, if it may be abandoned.
func (w *worker) identify() {
	if w.task.opts.stopTimeout < 0 {
		return
	}
	id := goroutineID()
	w.task.lock()
	defer w.task.unlock()
	w.goroutine = id
}

// labelled returns the parent of all runs, with the task's label for profiles.
// Nobody keeps it: a label that a goroutine carries does without.
func (w *worker) labelled() context.Context {
	return pprof.WithLabels(w.env.ctx, pprof.Labels("task", w.task.path()))
}

// asked returns why the worker is to stop, or nil. Called with the task's mu.
func (w *worker) asked() error {
	switch {
	case w.end != nil:
		return w.end.cause
	case w.env.ctx.Err() != nil:
		return context.Cause(w.env.ctx)
	}
	return nil
}

// The functions that call those of a task, below which a panic's stack is no
// longer the task's.
const (
	runFrame    = "github.com/holdfast-go/holdfast/supervise.(*worker).call"
	memberFrame = "github.com/holdfast-go/holdfast/supervise.(*runContext).member"
)

// call runs the function to its end, and leaves in err what that was.
func (w *worker) call(err *error) {
	w.exit = unknown
	defer w.caught(err)
	*err = w.task.fn(w.run)
	w.exit = known
}

// caught is deferred by call, and tells the three ways apart in which a function
// is left. Goexit cannot be stopped, not even by recovering from a panic that
// came after it: this goroutine ends, and work's deferred function hands over to
// another.
func (w *worker) caught(err *error) {
	switch {
	case w.exit == known:
		return
	case !w.task.opts.letPanic:
		*err = ErrGoexit
		if v := recover(); v != nil {
			*err = newPanicError(v)
		}
	case leavesByGoexit():
		*err = ErrGoexit
	default:
		return
	}
	w.exit = known
}
