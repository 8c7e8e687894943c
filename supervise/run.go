package supervise

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/supervise/internal/machine"
	"github.com/holdfast-go/holdfast/supervise/internal/saver"
)

// flushTimeout bounds how long the root of a tree waits, at its end, for observers to
// be called for what has happened. One that blocks forever keeps its goroutine, not Run.
const flushTimeout = time.Second

// Run calls fn, and calls it again each time it crashes, after the hold that the
// task's policy decides on; see the package's documentation for what a crash is.
// It returns
//
//   - nil when fn has returned nil, unless [Always] is given;
//   - a [*GaveUpError], which matches [ErrGaveUp], when the policy gives up;
//   - [context.Cause](ctx) once ctx is done, joined with what fn then returned if
//     that says anything else;
//   - an [*AbandonedError], which matches [ErrAbandoned], if fn did not return in the
//     time of [WithStopTimeout] after that;
//   - under [Never], the error of fn.
//
// fn runs on a goroutine of its own. Its context is a child of ctx, and is
// cancelled when the run ends. When ctx is done Run waits for fn to return, as
// long as it takes unless WithStopTimeout is given; it cannot interrupt fn. A
// task that is held stops at once. Observers and the logger have been called for all
// events when Run returns, unless one takes more than a second.
//
// It panics if ctx or fn is nil, or for [WithStore] without [WithName]. Safe for
// concurrent use.
func Run(ctx context.Context, fn func(context.Context) error, opts ...RunOption) error {
	if ctx == nil {
		panic("supervise: Run: ctx is nil; use context.Background() if nothing is to stop the task")
	}
	if fn == nil {
		panic("supervise: Run: fn is nil; give the function to run")
	}
	o := collect(options{stopTimeout: -1}, opts, RunOption.applyRun)
	if o.store != nil && o.name == "" {
		panic("supervise: Run: WithStore needs a name that is the same in each life of the process; give one by WithName")
	}
	t := &Task{fn: fn, opts: o}
	if o.name == "" {
		o.name = functionName(fn)
	}
	t.name.Store(&o.name)
	e := newEnv(ctx, "", o)
	e.done = make(chan struct{})
	if o.store != nil {
		e.saver = saver.New(o.store)
	}
	w := t.newWorker(e, 0)
	go w.work(nil)
	select {
	case <-e.done:
	case <-ctx.Done():
		t.ask(machine.Stop, context.Cause(ctx))
		w.mentionStop()
		<-e.done
	}
	if e.saver != nil {
		e.saver.Close()
	}
	e.all.flush()
	t.mu.Lock()
	defer t.mu.Unlock()
	return plain(t.worker.cause())
}
