package supervise

import (
	"context"
	"log/slog"
	"reflect"
	"runtime"
	"runtime/pprof"
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
type Task struct {
	fn   func(context.Context) error
	opts *options
	sup  *Supervisor // nil under Run
	leaf string      // the name, without the path

	home atomic.Pointer[home] // where it is supervised; nil before it is

	// Written by the worker that serves the task alone; under mu if there is a
	// supervisor, since others then may read.
	mu      sync.Mutex
	gate    *gate.Gate // made at the first crash
	runs    uint64     // begun
	crashes uint64
	began   time.Time // when the last run did
	last    error     // what the last run ended with
	running bool
	faulty  bool // the policy has panicked

	place place                      // in the supervisor's order; guarded by its mu
	child atomic.Pointer[Supervisor] // that runs as this task
	note  atomic.Pointer[note]       // what observers made at the last crash; nil if they made nothing
	told  *told                      // owned by the feed of the logger; nil before the first crash
	first worker
}

// home is where a task is supervised, and what its name is there.
type home struct {
	*env
	path string
}

// env is what all tasks share that one Run, or one Supervisor.Run, supervises.
type env struct {
	ctx    context.Context // of Run; without its cancellation under a supervisor
	prefix string          // of the tasks' paths
	logger *slog.Logger
	feeds  []*feed // the first is the logger's
}

func newEnv(ctx context.Context, prefix string, logger *slog.Logger, observers []Observer) *env {
	if logger == nil {
		logger = slog.Default()
	}
	e := &env{ctx: ctx, prefix: prefix, logger: logger}
	e.feeds = []*feed{newFeed(logObserver{logger}, slog.Default())}
	for _, o := range observers {
		e.feeds = append(e.feeds, newFeed(o, logger))
	}
	return e
}

// serve enters that a supervisor serves n tasks more, or less.
func (e *env) serve(n int64) {
	for _, f := range e.feeds {
		f.tasks.Add(n)
	}
}

// flush waits until the observers have been told all, for a second at most.
func (e *env) flush() {
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	for _, f := range e.feeds {
		f.flush(ctx)
	}
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

// path is the task's name from the root.
func (t *Task) path() string {
	if h := t.home.Load(); h != nil {
		return h.path
	}
	return t.sup.name + "/" + t.leaf
}

// newWorker returns the worker that is to serve the task from now on.
func (t *Task) newWorker(e *env) *worker {
	if h := t.home.Load(); h == nil || h.env != e {
		t.home.Store(&home{e, e.prefix + t.leaf})
	}
	w := &t.first
	if w.task != nil {
		w = &worker{}
	}
	w.task = t
	w.ctx = pprof.WithLabels(e.ctx, pprof.Labels("task", t.path()))
	return w
}

// lock and unlock go around the worker's writes. Under Run nobody else reads.
func (t *Task) lock() {
	if t.sup != nil {
		t.mu.Lock()
	}
}

func (t *Task) unlock() {
	if t.sup != nil {
		t.mu.Unlock()
	}
}

// theGate returns the task's gate, or nil if it has not needed one yet.
func (t *Task) theGate() *gate.Gate {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.gate
}

func (t *Task) makeGate() {
	g := t.opts.gate
	if g == nil {
		g = gate.New(policy.Guard(t.opts.policy, t.policyPanicked))
	}
	t.lock()
	t.gate = g
	t.unlock()
}

// policyPanicked tells of the first panic of the policy. It is called by the
// worker, with the gate locked, and does not wait for whoever is told.
func (t *Task) policyPanicked(v any) {
	if !t.faulty {
		t.faulty = true
		t.emit(Event{Kind: KindFault, Run: t.runs, At: time.Now(), Err: newPanicError(v)})
	}
}

// tellStuck tells of a run that was asked to end and has not.
func (t *Task) tellStuck(run uint64, stack []byte, cause error) *AbandonedError {
	err := &AbandonedError{Task: t.path(), Run: run, Stack: stack, Cause: cause}
	t.emit(Event{Kind: KindAbandon, Run: run, At: time.Now(), Err: err})
	return err
}

func (t *Task) wants(k Kind) bool {
	for _, f := range t.home.Load().feeds {
		if f.wants(k) {
			return true
		}
	}
	return false
}

func (t *Task) emit(e Event) {
	e.Task, e.task, e.note = t.path(), t, t.note.Load()
	if e.Kind == KindCrash {
		e.note = t.annotate(e)
	}
	for _, f := range t.home.Load().feeds {
		if f.wants(e.Kind) {
			f.emit(e)
		}
	}
}

// annotate has the observers that want to make a context of a crash do so, and
// returns it.
func (t *Task) annotate(e Event) *note {
	var ctx context.Context
	h := t.home.Load()
	for _, f := range h.feeds {
		if f.annotate == nil || !f.wants(e.Kind) {
			continue
		}
		if ctx == nil {
			ctx = h.ctx
		}
		ctx = f.annotated(ctx, e)
	}
	var made *note
	if ctx != nil {
		made = &note{ctx}
	}
	if made != e.note {
		t.note.Store(made)
	}
	return made
}
