package supervise

import (
	"context"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

// Task is a function under supervision, as [Supervisor.Go] returns it. None of
// its methods waits, so they may be called from anywhere, also from inside the
// task and from observers. Safe for concurrent use.
//
// There may be very many, most of which never crash; so what only one that has
// crashed needs is in past.
type Task struct {
	fn   func(context.Context) error
	opts *options

	// mu guards what follows, and the fields of workers that say so. They are
	// written by the worker that serves the task, but for the name and env.
	mu    sync.Mutex
	name  string    // from the root
	past  *past     // nil before it crashed; made once
	runs  uint64    // begun
	began time.Time // when the last run did

	place place // in the supervisor's order; guarded by its mu
	first worker
}

// past is what there is of a task that has crashed, or has a gate for another
// reason.
type past struct {
	env     *env // in which it is, or was last
	gate    *gate.Gate
	crashes uint64
	last    error                // what the last run ended with
	note    *note                // what observers made of that; nil if nothing
	faulty  bool                 // the policy has panicked
	unused  []runContext         // for the runs to come; the worker's own
	told    atomic.Pointer[told] // by the logger
}

// functionName is the name of a function without the path of its package, such
// as "main.poll" or "db.(*Pool).Serve".
func functionName(fn func(context.Context) error) string {
	f := runtime.FuncForPC(reflect.ValueOf(fn).Pointer())
	if f == nil {
		return "task"
	}
	name := f.Name()
	return strings.TrimSuffix(name[strings.LastIndexByte(name, '/')+1:], "-fm")
}

// newWorker returns the worker that is to serve the task from now on.
func (t *Task) newWorker(e *env) *worker {
	w := &t.first
	if w.task != nil {
		w = &worker{}
	}
	w.task, w.env = t, e
	e.serves(1)
	t.lock()
	defer t.unlock()
	if leaf := t.leaf(); t.opts.sup != nil && t.name[:len(t.name)-len(leaf)] != e.prefix {
		t.name = e.prefix + leaf // it runs at another place than before
	}
	if t.past != nil {
		t.past.env = e
	}
	return w
}

// leaf is the task's name among its siblings.
func (t *Task) leaf() string { return t.name[strings.LastIndexByte(t.name, '/')+1:] }

// shared reports whether anyone but the worker looks at the task: a supervisor,
// or Run when it is to stop a task that might not.
func (t *Task) shared() bool { return t.opts.sup != nil || t.opts.stopTimeout >= 0 }

// lock and unlock go around all use of what mu guards, but for reading by the
// worker, which is the one that writes.
func (t *Task) lock() {
	if t.shared() {
		t.mu.Lock()
	}
}

func (t *Task) unlock() {
	if t.shared() {
		t.mu.Unlock()
	}
}

// path is the task's name from the root.
func (t *Task) path() string {
	t.lock()
	defer t.unlock()
	return t.name
}

// theGate returns the task's gate, or nil if it has not needed one yet.
func (t *Task) theGate() *gate.Gate {
	t.lock()
	defer t.unlock()
	if t.past == nil {
		return nil
	}
	return t.past.gate
}

// needPast returns the task's past, which is made now if there was no need of it
// before. Called by the worker.
func (t *Task) needPast(e *env) *past {
	if t.past == nil {
		g := t.opts.gate
		if g == nil {
			g = gate.New(policy.Guard(t.opts.policy, t.tellFault))
		}
		t.lock()
		t.past = &past{env: e, gate: g}
		t.unlock()
		if t.runs > 0 {
			g.ObserveStart(t.began)
		}
	}
	return t.past
}
