package supervise

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise/internal/feed"
	"github.com/holdfast-go/holdfast/supervise/internal/saver"
)

// env is what all tasks share that one Run, or one Supervisor.Run, supervises. What a
// nested supervisor inherits is what below gives it:
//
//	logger, store, policy, stop timeout, admission   unless it was given its own
//	observers                                        and its own beside them
type env struct {
	ctx         context.Context // of Run; without its cancellation under a supervisor
	prefix      string          // of the tasks' names
	logger      *slog.Logger
	channels    []*channel   // the first is the logger's
	saver       *saver.Saver // nil without a store
	policy      policy.Policy
	stopTimeout time.Duration // negative: none
	located     bool          // a task above may be abandoned, and one of these be named then
	admission   Admission

	all  *allFeeds     // of the whole tree
	tree *tree         // nil under Run
	left *leftBehind   // under Run: the last run that was abandoned; guarded by the task's mu
	done chan struct{} // closed when the task has ended; nil under a supervisor
}

// allFeeds are the feeds of a tree of supervisors. Its root waits for them at its end,
// for all of them together; so observers that block cost it a second, however
// many supervisors there are.
type allFeeds struct {
	mu      sync.Mutex // the locks of feeds are taken under it
	feeds   map[*channel]struct{}
	dropped []*channel // of feeds, those that are forgotten when nothing pends there
}

func (a *allFeeds) add(f *channel) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.feeds == nil {
		a.feeds = map[*channel]struct{}{}
	}
	a.feeds[f] = struct{}{}
}

// drop forgets the feeds of a task that was removed, or of a supervisor that has ended,
// and which no other has: at once, or, where something pends, at another drop.
func (a *allFeeds) drop(feeds, others []*channel) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, f := range feeds {
		if !slices.Contains(others, f) {
			a.dropped = append(a.dropped, f)
		}
	}
	a.dropped = slices.DeleteFunc(a.dropped, func(f *channel) bool {
		pends := f.Drained() != nil
		if !pends {
			delete(a.feeds, f)
		}
		return !pends
	})
}

// flush waits until all observers were called for what has happened, a second at most.
func (a *allFeeds) flush() {
	var feeds []feed.Drainer
	a.mu.Lock()
	for f := range a.feeds {
		if f.Drained() != nil {
			feeds = append(feeds, f)
		}
	}
	a.mu.Unlock()
	if len(feeds) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	feed.Flush(ctx, feeds...)
}

func newEnv(ctx context.Context, prefix string, o *options) *env {
	e := &env{ctx: ctx, prefix: prefix, stopTimeout: -1, all: &allFeeds{}}
	e.channels = make([]*channel, 1, 1+len(o.observers))
	e.log(o.logger)
	e.give(o)
	return e
}

// give adds what the tasks were given.
func (e *env) give(o *options) {
	e.observe(o.observers)
	if o.policy != nil {
		e.policy = o.policy
	}
	if o.stopTimeout >= 0 {
		e.stopTimeout = o.stopTimeout
	}
	if o.admission != nil {
		e.admission = o.admission
	}
}

// log sets the logger.
func (e *env) log(l *slog.Logger) {
	if l == nil {
		l = slog.Default()
	}
	e.logger, e.channels[0] = l, newChannel(logObserver{l}, slog.Default())
	e.channels[0].silent = l.Handler() == slog.DiscardHandler
	e.all.add(e.channels[0])
}

// observe adds observers.
func (e *env) observe(observers []Observer) {
	for _, o := range observers {
		f := newChannel(o, e.logger)
		e.channels = append(e.channels, f)
		e.all.add(f)
	}
}

// derive returns an env with all that e has. What is added to it is not added to e.
func (e *env) derive() *env {
	d := *e
	d.channels = slices.Clone(e.channels)
	return &d
}

// below returns the env of a supervisor's tasks, when it is itself a task with
// env e.
func (e *env) below(ctx context.Context, prefix string, o *options) *env {
	b := e.derive()
	b.ctx, b.prefix, b.done = ctx, prefix, nil
	if o.logger != nil {
		b.log(o.logger)
	}
	b.give(o)
	return b
}

// policyOf returns the policy of a task without a gate of its own.
func (e *env) policyOf(t *Task) policy.Policy {
	if t.opts.policy != nil {
		return t.opts.policy
	}
	return e.policy
}

// permits bound how many tasks start up at once; nil for any number.
func (e *env) permits() *semaphore.Weighted {
	if e.tree == nil {
		return nil
	}
	return e.tree.permits
}

// grouped reports whether a crash concerns more than the task.
func (e *env) grouped() bool { return e.tree != nil && e.tree.s.opts.machine.Strategy != 0 }

// serves adds to how many tasks are served.
func (e *env) serves(more int64) {
	for _, f := range e.channels {
		f.Grow(more)
	}
}

// envOf returns the env of a task: that of all, unless it was given a logger or
// observers itself.
func (tr *tree) envOf(t *Task) *env {
	all := &tr.s.opts.tasks
	if t.opts.logger == all.logger && len(t.opts.observers) == len(all.observers) {
		return tr.env
	}
	if own, ok := tr.own[t]; ok {
		return own
	}
	own := tr.env.derive()
	if t.opts.logger != all.logger {
		own.log(t.opts.logger)
	}
	own.observe(t.opts.observers[len(all.observers):])
	if tr.own == nil {
		tr.own = map[*Task]*env{}
	}
	tr.own[t] = own
	return own
}

// forget drops the env of a task that was removed.
func (tr *tree) forget(t *Task) {
	if p := t.past.Load(); p != nil && p.kept != nil {
		p.kept.Drop()
		p.kept = nil // its worker has ended; another one makes its own
	}
	if own, ok := tr.own[t]; ok {
		delete(tr.own, t)
		tr.env.all.drop(own.channels, tr.env.channels)
	}
}

// dropFeeds drops the feeds that a nested supervisor added to those of the tree.
func (tr *tree) dropFeeds() {
	for _, own := range tr.own {
		tr.env.all.drop(own.channels, tr.env.channels)
	}
	if c, ok := tr.self.Value(runKey{}).(*runContext); ok {
		tr.env.all.drop(tr.env.channels, c.worker.env.channels)
	}
}
