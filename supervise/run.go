package supervise

import (
	"context"
	"time"
)

// flushTimeout bounds how long Run waits, at its end, for observers to be told
// what has happened. One that blocks for ever keeps its goroutine, not Run.
const flushTimeout = time.Second

// killTime is how long a process may take to end when it is killed.
const killTime = time.Second

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
	t := newTask(ctx, fn, collect(opts))
	go t.work(nil)
	err := t.wait(ctx)
	t.flush()
	return err
}

// wait returns what the task ends with, or abandons it.
func (t *task) wait(ctx context.Context) error {
	if t.stopTimeout < 0 {
		<-t.done
		return t.result
	}
	select {
	case <-t.done:
		return t.result
	case <-ctx.Done():
	}
	patience := t.stopTimeout
	if t.killed.Load() {
		patience += killTime
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-t.done:
		return t.result
	case <-timer.C:
	}
	return t.abandon(context.Cause(ctx))
}

func (t *task) flush() {
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	for _, f := range t.feeds {
		f.flush(ctx)
	}
}
