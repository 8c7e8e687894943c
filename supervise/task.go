package supervise

import (
	"context"
	"log/slog"
	"reflect"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync/atomic"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

// task is a function under supervision.
//
// Its worker, one goroutine at a time, does everything in turn: it waits at the
// gate, calls fn, and enters how that ended. It alone owns the fields below
// "worker". It ends when the task has: then it closes done, which publishes
// result.
type task struct {
	options
	fn    func(context.Context) error
	ctx   context.Context // the parent of all runs; when it is done the task stops
	feeds []*feed
	done  chan struct{}

	result error // set before done is closed

	// current and id are for those who find the task stuck.
	current atomic.Pointer[runContext]
	id      atomic.Pointer[string] // of the worker's goroutine, if it may be abandoned
	killed  atomic.Bool            // a process serves the run, which is killed at the stop timeout

	// worker
	run    *runContext // the one under way, or the last
	began  time.Time   // when it did
	exit   exit
	err    error // what fn ended with
	last   error // what the run before ended with
	unused []runContext
	faulty bool // the policy has panicked
	first  runContext
}

// exit is how a call of fn was left.
type exit uint8

const (
	unknown  exit = iota // by a panic that goes on, so far as is known
	returned             // or by a panic that was recovered
	goexit
)

func newTask(ctx context.Context, fn func(context.Context) error, o options) *task {
	t := &task{options: o, fn: fn, done: make(chan struct{})}
	if t.name == "" {
		t.name = functionName(fn)
	}
	if t.gate == nil {
		t.gate = gate.New(policy.Guard(t.policy, t.policyPanicked))
	}
	if t.logger == nil {
		t.logger = slog.Default()
	}
	t.ctx = pprof.WithLabels(ctx, pprof.Labels("task", t.name))
	t.feeds = append(t.feeds, newFeed(&logObserver{logger: t.logger}, slog.Default()))
	for _, o := range t.observers {
		t.feeds = append(t.feeds, newFeed(o, t.logger))
	}
	return t
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

// work is the worker. left is how the run ended in which the worker before this
// one was lost; nil for the first.
func (t *task) work(left error) {
	defer func() {
		if t.exit == goexit {
			t.exit = unknown
			go t.work(ErrGoexit)
		}
	}()
	pprof.SetGoroutineLabels(t.ctx)
	if t.stopTimeout >= 0 {
		id := goroutineID()
		t.id.Store(&id)
	}
	var now time.Time
	var proceed bool
	if left == nil {
		now, proceed = t.hold(time.Now(), t.gate.State())
	} else {
		t.err = left
		now, proceed = t.settle()
	}
	for proceed {
		t.begin(now)
		t.call()
		now, proceed = t.settle()
	}
	close(t.done)
}

// begin starts the accounts of a run.
func (t *task) begin(now time.Time) {
	t.began = now
	t.run = t.nextContext()
	if t.limit > 0 {
		t.watch(now)
	}
	if t.stopTimeout >= 0 {
		t.current.Store(t.run)
	}
	t.gate.ObserveStart(now)
	if t.wants(KindStart) {
		t.tell(Event{Kind: KindStart, At: now})
	}
}

// contextChunk is how many contexts are made at once, at most. A context can
// outlive its run, in a goroutine that fn has left behind, so it is never used
// again.
const contextChunk = 32

func (t *task) nextContext() *runContext {
	c := &t.first
	number := uint64(1)
	if t.run != nil {
		number = t.run.run + 1
		if len(t.unused) == 0 {
			t.unused = make([]runContext, min(number-1, contextChunk))
		}
		c, t.unused = &t.unused[0], t.unused[1:]
	}
	c.parent, c.task, c.run, c.lastErr = t.ctx, t, number, t.last
	return c
}

// The functions that call those of a task, below which a panic's stack is no
// longer the task's.
const (
	runFrame    = "github.com/holdfast-go/holdfast/supervise.(*task).call"
	memberFrame = "github.com/holdfast-go/holdfast/supervise.(*runContext).member"
)

// call runs fn to its end, and leaves in t.err what that was.
func (t *task) call() {
	t.exit = unknown
	defer t.caught()
	t.err = t.fn(t.run)
	t.exit = returned
}

// caught is deferred by call, and tells the three ways apart in which a function
// is left. Goexit cannot be stopped: this goroutine ends, and work's deferred
// function hands over to another.
func (t *task) caught() {
	if t.exit == returned {
		return
	}
	if t.letPanic {
		if leavesByGoexit() {
			t.exit = goexit
		}
		return
	}
	v := recover()
	if v == nil {
		t.exit = goexit
		return
	}
	t.err, t.exit = newPanicError(v), returned
}

// settle enters how the run ended, and waits at the gate if there is to be
// another. It returns when that one begins, or false if there is none.
func (t *task) settle() (time.Time, bool) {
	err := t.ended()
	now := time.Now()
	if t.ctx.Err() != nil {
		t.gate.ObserveCleanExit(now)
		return now, t.stop(now, now.Sub(t.began), stopError(context.Cause(t.ctx), err))
	}
	t.last = err
	var state gate.State
	switch {
	case err != nil:
		state = t.crashed(now)
	case t.restart == always:
		state = t.exited(now, t.gate.ObserveRestart(now))
	default:
		t.exited(now, t.gate.ObserveCleanExit(now))
	}
	if t.restart == never || err == nil && t.restart != always {
		return now, t.end(err)
	}
	if state.Phase == gate.Idle {
		return now, true
	}
	return t.hold(now, state)
}

// ended closes the accounts of a run and returns what it counts as.
func (t *task) ended() error {
	err := t.run.wait(t.err)
	bitten := t.run.watchdog != nil && t.run.watchdog.stop()
	t.run.end()
	if bitten {
		return stopError(ErrWatchdog, err)
	}
	return err
}

func (t *task) crashed(now time.Time) gate.State {
	state := t.gate.ObserveCrash(now, t.last)
	if t.wants(KindCrash) {
		streak := t.gate.History().Streak()
		t.tell(Event{Kind: KindCrash, At: now, Ran: now.Sub(t.began), Err: t.last, State: state, Streak: streak})
	}
	return state
}

func (t *task) exited(now time.Time, state gate.State) gate.State {
	if t.wants(KindExit) {
		t.tell(Event{Kind: KindExit, At: now, Ran: now.Sub(t.began), State: state})
	}
	return state
}

// hold waits at the gate, held in state, and returns when it opened.
func (t *task) hold(now time.Time, state gate.State) (time.Time, bool) {
	for ; state.Phase != gate.Idle; state = t.gate.State() {
		if state.Phase == gate.GaveUp {
			return now, t.giveUp(now)
		}
		err := t.gate.Wait(t.ctx)
		now = time.Now()
		if err != nil {
			return now, t.stop(now, 0, err)
		}
		if t.wants(KindRelease) {
			t.tell(Event{Kind: KindRelease, At: now, State: state, Forced: now.Before(state.Until)})
		}
	}
	if t.ctx.Err() != nil {
		return now, t.stop(now, 0, context.Cause(t.ctx))
	}
	return now, true
}

// The ends of a task return false: no run follows.

func (t *task) giveUp(now time.Time) bool {
	h := t.gate.History()
	err := &GaveUpError{t.name, int(h.Crashes()), t.last}
	if t.run == nil { // it had given up before
		err.Err = h.Err()
	}
	t.tell(Event{Kind: KindGiveUp, At: now, Err: err.Err})
	return t.end(err)
}

func (t *task) stop(now time.Time, ran time.Duration, err error) bool {
	t.tell(Event{Kind: KindStop, At: now, Ran: ran, Err: err})
	return t.end(err)
}

func (t *task) end(err error) bool {
	t.result = err
	return false
}

// tell emits an event of the run under way, or the last one.
func (t *task) tell(e Event) {
	if t.run != nil {
		e.Run = t.run.run
	}
	t.emit(e)
}

// policyPanicked tells of the first panic of the policy. It is called with the
// gate locked, so by one at a time, and does not wait for whoever is told.
func (t *task) policyPanicked(v any) {
	if !t.faulty {
		t.faulty = true
		t.tell(Event{Kind: KindFault, At: time.Now(), Err: newPanicError(v)})
	}
}

// What follows may be called by any goroutine.

// watch sets a watchdog on the run that begins now.
func (t *task) watch(now time.Time) {
	c := t.run
	c.watchdog = newWatchdog(t.limit, t.stopTimeout, now,
		func() { c.cancel(ErrWatchdog) },
		func() { _ = t.reportStuck(c.run, ErrWatchdog) }) // nobody waits for it
}

// reportStuck tells of a run that was asked to end and has not.
func (t *task) reportStuck(run uint64, cause error) *AbandonedError {
	err := &AbandonedError{Task: t.name, Run: run, Cause: cause}
	if id := t.id.Load(); id != nil {
		err.Stack = stackOf(*id)
	}
	t.emit(Event{Kind: KindAbandon, Run: run, At: time.Now(), Err: err})
	return err
}

// abandon leaves the task behind, which was asked to stop and has not.
func (t *task) abandon(cause error) error {
	var run uint64
	if c := t.current.Load(); c != nil {
		run = c.run
	}
	return t.reportStuck(run, cause)
}

func (t *task) wants(k Kind) bool {
	for _, f := range t.feeds {
		if f.wants(k) {
			return true
		}
	}
	return false
}

func (t *task) emit(e Event) {
	e.Task = t.name
	for _, f := range t.feeds {
		if f.wants(e.Kind) {
			f.emit(e)
		}
	}
}
