package supervise

import (
	"context"
	"time"
)

// flushTimeout bounds how long Run waits, at its end, for observers to be told
// what has happened. One that blocks for ever keeps its goroutine, not Run.
const flushTimeout = time.Second

// Run calls fn, and calls it again each time it crashes, after the hold that the
// task's policy decides on; see the package's documentation for what a crash is.
// It returns
//
//   - nil when fn has returned nil, unless [Always] is given;
//   - a [*GaveUpError], which is [ErrGaveUp], when the policy gives up;
//   - [context.Cause](ctx) once ctx is done, joined with what fn then returned if
//     that says anything else;
//   - an [*AbandonedError], which is [ErrAbandoned], if fn did not return in the
//     time of [WithStopTimeout] after that;
//   - with [Once], the error of fn.
//
// fn runs on a goroutine of its own. Its context is a child of ctx, and is
// cancelled when the run ends. When ctx is done Run waits for fn to return, as
// long as it takes unless WithStopTimeout is given; it cannot interrupt fn. A
// task that is held stops at once. Observers and the logger have been told all
// when Run returns, unless one takes more than a second.
//
// It panics if ctx or fn is nil. Safe for concurrent use.
func Run(ctx context.Context, fn func(context.Context) error, opts ...Option) error {
	if ctx == nil {
		panic("supervise: Run: ctx is nil; use context.Background() if nothing is to stop the task")
	}
	if fn == nil {
		panic("supervise: Run: fn is nil; give the function to run")
	}
	o := collect(options{stopTimeout: -1}, opts)
	t := &Task{fn: fn, opts: o, name: o.name}
	if t.name == "" {
		t.name = functionName(fn)
	}
	e := newEnv(ctx, "", o.logger, o.observers)
	e.done = make(chan struct{})
	w := t.newWorker(e)
	go w.work(nil)
	err := w.await(ctx)
	e.flush()
	return err
}

// await returns what the task ends with, or abandons it.
func (w *worker) await(ctx context.Context) error {
	if w.task.opts.stopTimeout < 0 {
		<-w.env.done
		return w.end.result
	}
	select {
	case <-w.env.done:
		return w.end.result
	case <-ctx.Done():
	}
	timer := time.NewTimer(w.patience())
	defer timer.Stop()
	select {
	case <-w.env.done:
		return w.end.result
	case <-timer.C:
	}
	if err := w.abandon(context.Cause(ctx)); err != nil {
		return err
	}
	<-w.env.done // it has ended just now
	return w.end.result
}
