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
	"github.com/holdfast-go/holdfast/supervise/internal/machine"
)

// Task is a function under supervision, as [Supervisor.Add] returns it. None of its
// methods but Wait blocks, so they may be called from anywhere, also from inside
// the task and from observers. Safe for concurrent use.
//
// There may be very many, most of which never crash; so what only one that has
// crashed needs is in its past.
type Task struct {
	fn   func(context.Context) error
	opts *options
	name atomic.Pointer[string] // its path
	past atomic.Pointer[past]   // nil before it crashed, or needed a gate for another reason; set once

	// mu guards what follows, and the fields of workers that say so. Order: Task.mu,
	// then Supervisor.mu, then the locks of feeds and of the saver. Under it runs
	// neither code of a user's nor anything that blocks.
	mu     sync.Mutex
	life   machine.Life
	began  time.Time // when the last run did
	worker *worker   // that serves it, or did last; nil before the first

	index  int32 // in the order of its supervisor; guarded by that one's mu
	nested bool  // fn is the Run of another supervisor

	first worker // the first one that serves it
}

// past is what there is of a task that has crashed, or has a gate for another
// reason.
type past struct {
	gate    *gate.Gate
	kept    *kept                      // in the store; nil without one; the worker's own
	unused  []runContext               // for the runs to come; the worker's own
	told    atomic.Pointer[told]       // by the logger
	fault   atomic.Pointer[PanicError] // the policy's first panic
	faulty  bool                       // that was reported; the worker's own
	counted uint64                     // crashes that the gate has counted; the worker's own

	// guarded by the task's mu
	recalled uint64 // runs of lives before, which the store knew of
	crashes  uint64
	last     error // what the last run ended with
	note     *note // what observers made of that; nil if nothing
	runs     history
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

// leaf is the task's name among its siblings.
func (t *Task) leaf() string {
	name := t.Name()
	return name[strings.LastIndexByte(name, '/')+1:]
}

// Name returns the task's path, such as "root/db/pool".
func (t *Task) Name() string { return *t.name.Load() }

// move gives the task another prefix, and those below it theirs.
func (t *Task) move(prefix string) {
	name, leaf := t.Name(), t.leaf()
	if name[:len(name)-len(leaf)] == prefix {
		return
	}
	name = prefix + leaf
	t.name.Store(&name)
	if child := t.opts.sup.child(t); child != nil && child.runsAs() == t {
		child.move(name + "/")
	}
}

// theGate returns the task's gate, or nil if it has not needed one yet.
func (t *Task) theGate() *gate.Gate {
	if p := t.past.Load(); p != nil {
		return p.gate
	}
	return nil
}

// needPast returns the task's past, which is made now if there was no need of it
// before.
func (t *Task) needPast(e *env) *past {
	if p := t.past.Load(); p != nil {
		return p
	}
	return t.newPast(e, false)
}

// pastOfRun is needPast when a run has just ended, which a gate that is made now has to
// know of: its policy may ask how long that was.
func (t *Task) pastOfRun(e *env) *past {
	if p := t.past.Load(); p != nil {
		return p
	}
	return t.newPast(e, true)
}

func (t *Task) newPast(e *env, ran bool) *past {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.past.Load(); p != nil {
		return p
	}
	g := t.opts.gate
	if g == nil {
		g = gate.New(policy.Guard(e.policyOf(t), t.policyPanicked))
		if ran || t.life.UnderWay() { // nobody else knows the gate
			g.ObserveStart(t.began)
		}
	}
	p := &past{gate: g}
	t.past.Store(p)
	return p
}

// policyPanicked keeps the first panic of the policy, which decides while its gate is
// locked; the worker reports it after. So the text of its value is left to that: a method
// of the value may want to use the gate.
func (t *Task) policyPanicked(v any) {
	if p := t.past.Load(); p != nil && p.fault.Load() == nil {
		p.fault.Store(&PanicError{Value: v, pcs: panicStack()})
	}
}

// runNumber is the number of the run under way, or of the last one.
func (t *Task) runNumber() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.life.Run
}

// lastErr is what the last run ended with.
func (t *Task) lastErr() error {
	p := t.past.Load()
	if p == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return p.last
}

// gateState is that of a task that may have no gate yet.
func (t *Task) gateState() gate.State {
	if g := t.theGate(); g != nil {
		return g.State()
	}
	return gate.State{}
}

// uptime is how long the last run has lasted.
func (t *Task) uptime() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return time.Since(t.began)
}

// record notes how a run ended.
func (t *Task) record(p *past, now time.Time, ran time.Duration, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p.record(t.life.Run, now, ran, err)
}

// record notes how a run ended. Called with the task's mu.
func (p *past) record(run uint64, now time.Time, ran time.Duration, err error) {
	if err != nil {
		p.crashes++
	}
	p.last = err
	p.runs.add(pastRun{run, now.UnixNano() - int64(ran), ran, err != nil})
}

// stopTimeout is how long a run may take to return when it was cancelled; negative
// for as long as it takes. A supervisor ends after its tasks.
func (w *worker) stopTimeout() time.Duration {
	switch {
	case w.task.nested:
		return -1
	case w.task.opts.stopTimeout >= 0:
		return w.task.opts.stopTimeout
	}
	return w.env.stopTimeout
}

// slow reports whether the task is ready only when it says so.
func (t *Task) slow() bool { return t.opts.readyTimeout > 0 || t.nested }

func (t *Task) traits() machine.Traits {
	var traits machine.Traits
	if t.slow() {
		traits |= machine.Slow
	}
	if t.opts.restart == Never {
		traits |= machine.Once
	}
	if t.opts.significant {
		traits |= machine.Significant
	}
	if t.opts.optional {
		traits |= machine.Optional
	}
	return traits
}
