package supervise

import (
	"context"
	"log/slog"
	"runtime/pprof"
	"sync/atomic"
	"time"

	"github.com/holdfast-go/holdfast/supervise/internal/inject"
)

// Info is what [FromContext] returns about a run.
type Info struct {
	Task string // the task's name
	// Run is the number of the run: 1 for the first, one more for each that follows. It
	// never comes again in a [Task], or a call of [Run], so that what a run writes can be
	// fenced: a database that keeps the number of the last writer and refuses lower ones
	// is safe from goroutines that have outlived their run.
	//
	// Without a store the count begins at 1 again when the process is started again, and
	// at each call of Run. With [WithStore] it goes on where it was saved last. A process
	// that dies within the time that one Save takes after a start may have that number
	// repeated, and while the store fails, or after a conflict in it, nothing is saved.
	Run uint64
	// LastErr is what the run before ended with: nil after a clean exit and for the
	// first run, unless a store shows that the process died in one before ([ErrDied]).
	LastErr error

	run  *runContext
	note *note
}

// Logger returns the task's logger, with the task's name and the number of the run
// as attributes. For an Info that is not of a run it returns [slog.Default].
func (i Info) Logger() *slog.Logger {
	if i.run == nil {
		return slog.Default()
	}
	return i.run.worker.env.logger.With("task", i.Task, "run", i.Run)
}

// StopTimeout returns how long the run may take to return once its context is done,
// and true; or false if nothing bounds that. See [WithStopTimeout].
func (i Info) StopTimeout() (limit time.Duration, bounded bool) {
	if i.run == nil {
		return 0, false
	}
	limit = i.run.worker.stopTimeout()
	return max(limit, 0), limit >= 0
}

// Context returns the context that an observer's Annotate made at the last crash
// of the task, or context.Background() if none did; see [Observer].
func (i Info) Context() context.Context { return Event{note: i.note}.Context() }

// FromContext returns the run that ctx belongs to: ctx is the one that a function was
// called with, or derived from that. It returns false for any other. Safe for
// concurrent use.
func FromContext(ctx context.Context) (Info, bool) {
	c, ok := ctx.Value(runKey{}).(*runContext)
	if !ok {
		return Info{}, false
	}
	info := Info{Task: c.worker.task.Name(), Run: c.run, LastErr: c.lastErr, run: c}
	if last, ok := c.lastErr.(noted); ok { //nolint:errorlint // it is never wrapped
		info.LastErr, info.note = last.error, last.note
	}
	return info, true
}

type runKey struct{}

// runContext is the context of one run: cancelled when the run ends, and no
// other run's ever after, so that a goroutine which outlives its run sees that it
// has.
//
// Most functions that crash at once never look at their context; so its working
// part, a cancelCtx of the standard library, is made on first use. inner goes
// from nil to that or to ended, once, by compare-and-swap; whoever loses uses the
// winner's.
type runContext struct {
	worker  *worker
	run     uint64
	lastErr error   // a noted one if observers made something of the last crash
	limits  *limits // nil without any
	inner   atomic.Pointer[cancelable]
}

// MarkInjected has the events about the run say that its fault was injected.
func (c *runContext) MarkInjected() {
	t := c.worker.task
	t.mu.Lock()
	defer t.mu.Unlock()
	if c.worker.run == c {
		c.worker.injected = true
	}
}

// noted is the error that the run before ended with, or nil, and what observers
// made of the last crash.
type noted struct {
	error
	note *note
}

type cancelable struct {
	context.Context
	cancel  context.CancelCauseFunc
	members atomic.Pointer[members] // nil until one joins, or none may any more
}

// ended serves all contexts that nobody looked at before their run ended.
var ended = func() *cancelable {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(ErrRunEnded)
	c := &cancelable{Context: ctx, cancel: func(error) {}}
	c.members.Store(closedMembers)
	return c
}()

func (c *runContext) materialize() *cancelable {
	if inner := c.inner.Load(); inner != nil {
		return inner
	}
	ctx, cancel := context.WithCancelCause(c.worker.env.ctx)
	if inner := (&cancelable{Context: ctx, cancel: cancel}); c.inner.CompareAndSwap(nil, inner) {
		return inner
	}
	cancel(nil)
	return c.inner.Load()
}

// cancel cancels the context while its run goes on.
func (c *runContext) cancel(cause error) { c.materialize().cancel(cause) }

// end cancels the context as its run has ended.
func (c *runContext) end() {
	if !c.inner.CompareAndSwap(nil, ended) {
		c.inner.Load().cancel(ErrRunEnded)
	}
}

// wait waits for the goroutines that belong to the run, whose function ended
// with err, and returns what the run ends with. An error has them stop.
//
// Whoever calls [Go] after that gets ErrRunEnded, also where nobody has looked at the
// context before.
func (c *runContext) wait(err error) error {
	if c.inner.CompareAndSwap(nil, ended) {
		return err
	}
	inner := c.inner.Load()
	if inner.members.CompareAndSwap(nil, closedMembers) {
		return err
	}
	m := inner.members.Load()
	if m == closedMembers { // it was waited for already
		return err
	}
	if err != nil {
		m.fail(err)
		inner.cancel(err)
	}
	return m.wait()
}

// Deadline returns that of the task's context.
func (c *runContext) Deadline() (time.Time, bool) { return c.worker.env.ctx.Deadline() }

// Done returns a channel that is closed when the run ends or is to end.
func (c *runContext) Done() <-chan struct{} { return c.materialize().Done() }

// Err is not nil once the run has ended or is to end.
func (c *runContext) Err() error {
	if inner := c.inner.Load(); inner != nil {
		return inner.Err()
	}
	return c.worker.env.ctx.Err()
}

// Value returns what the task's context has for the key.
func (c *runContext) Value(key any) any {
	switch key {
	case runKey{}, inject.Key{}:
		return c
	case labelKey:
		return c.worker.labelled().Value(key)
	}
	// inner answers first: package context asks for its own key to find the
	// cause and the canceler of a context. It asks the task's context, too: asking that
	// again would double the work at each level of a tree.
	switch inner := c.inner.Load(); inner {
	case nil:
		return c.worker.env.ctx.Value(key)
	case ended:
		if v := inner.Value(key); v != nil {
			return v
		}
		return c.worker.env.ctx.Value(key)
	default:
		return inner.Value(key)
	}
}

// labelKey is the key under which package pprof keeps labels in a context, which
// it finds by looking for those there are.
var labelKey = func() any {
	asked := &asksKey{Context: context.Background()}
	pprof.WithLabels(asked, pprof.Labels())
	return asked.key
}()

// asksKey keeps the key that it was asked for.
type asksKey struct {
	context.Context
	key any
}

func (c *asksKey) Value(key any) any {
	c.key = key
	return nil
}

// String names the context in debugging output.
func (c *runContext) String() string { return "supervise.run(" + c.worker.task.Name() + ")" }

// contextChunk is how many contexts are made at once, at most. A context can
// outlive its run, in a goroutine that the function has left behind, so it is
// never used again.
const contextChunk = 31

// nextContext returns the context of the run that is under way without one, or
// is to begin. Called with the task's mu.
func (w *worker) nextContext() *runContext {
	t := w.task
	run := t.life.Pending()
	c, p := &w.first, t.past.Load()
	if w.run != nil {
		if len(p.unused) == 0 {
			p.unused = make([]runContext, min(run-p.recalled, contextChunk))
		}
		c, p.unused = &p.unused[0], p.unused[1:]
	}
	c.worker, c.run = w, run
	if p != nil {
		c.follow(p)
	}
	return c
}

// follow notes what the run before ended with.
func (c *runContext) follow(p *past) {
	c.lastErr = p.last
	if p.note != nil {
		c.lastErr = noted{p.last, p.note}
	}
}
