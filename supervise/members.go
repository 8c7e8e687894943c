package supervise

import (
	"context"
	"sync"
)

// Go starts f on a goroutine that belongs to the run of ctx, which must be the
// context that a supervised function was called with, or derived from it. f is
// called with ctx.
//
// The run ends when its function and all such goroutines have ended, and the
// first error, panic or runtime.Goexit among them is the run's: it cancels the
// run's context, with that error as the cause, and counts as a crash even if the
// function returns nil. So a panic in f is a crash of the task, where in a bare
// goroutine it would end the process.
//
// Go does not wait for f. It returns [ErrRunEnded], and does not start f, if the
// run has ended. It panics if ctx belongs to no run, or f is nil. Safe for
// concurrent use.
func Go(ctx context.Context, f func(context.Context) error) error {
	if f == nil {
		panic("supervise: Go: f is nil; give the function to run")
	}
	c, ok := ctx.Value(runKey{}).(*runContext)
	if !ok {
		panic("supervise: Go: ctx belongs to no run; use the context that the supervised function was called with")
	}
	m := c.materialize().group()
	if !m.join() {
		return ErrRunEnded
	}
	go c.member(ctx, m, f)
	return nil
}

// members are the goroutines of one run, apart from the one that calls its
// function.
type members struct {
	mu     sync.Mutex
	count  int
	first  error         // that one of them ended with
	closed bool          // no more are let in
	empty  chan struct{} // closed when there are none left; nil unless the worker waits
}

// closedMembers serves all runs that have ended without any.
var closedMembers = &members{closed: true}

// group returns the members of the run, made on first use.
func (c *cancelable) group() *members {
	if m := c.members.Load(); m != nil {
		return m
	}
	c.members.CompareAndSwap(nil, &members{})
	return c.members.Load()
}

func (m *members) join() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	m.count++
	return true
}

// fail records an error before the others are asked to stop for it: what they
// end with then is not the first.
func (m *members) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.first == nil {
		m.first = err
	}
}

func (m *members) leave() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.count--; m.count == 0 && m.empty != nil {
		m.closed = true
		close(m.empty)
		m.empty = nil
	}
}

// wait waits until all have left and lets in no more. It returns the first
// error.
func (m *members) wait() error {
	m.mu.Lock()
	if m.count > 0 {
		empty := make(chan struct{})
		m.empty = empty
		m.mu.Unlock()
		<-empty
		m.mu.Lock()
	}
	defer m.mu.Unlock()
	m.closed = true
	return m.first
}

// member runs f, as call runs the function of the task.
func (c *runContext) member(ctx context.Context, m *members, f func(context.Context) error) {
	returned, err := false, error(nil)
	defer func() {
		switch {
		case returned:
		case !c.worker.task.opts.letPanic:
			err = ErrGoexit
			if v := recover(); v != nil {
				err = newPanicError(v)
			}
		case leavesByGoexit():
			err = ErrGoexit
		default:
			return
		}
		if err != nil {
			m.fail(err)
			c.cancel(err)
		}
		m.leave()
	}()
	err = f(ctx)
	returned = true
}
