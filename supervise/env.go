package supervise

import (
	"context"
	"log/slog"
	"slices"
)

// env is what all tasks share that one Run, or one Supervisor.Run, supervises.
type env struct {
	ctx    context.Context // of Run; without its cancellation under a supervisor
	prefix string          // of the tasks' names
	logger *slog.Logger
	feeds  []*feed // the first is the logger's
	own    []*feed // those among feeds that are not the parent's

	tree *tree         // nil under Run
	done chan struct{} // closed when the task has ended; nil under a supervisor
}

func newEnv(ctx context.Context, prefix string, logger *slog.Logger, observers []Observer) *env {
	e := &env{ctx: ctx, prefix: prefix}
	e.feeds = make([]*feed, 1, 1+len(observers))
	e.log(logger)
	e.observe(observers)
	return e
}

// log sets the logger.
func (e *env) log(l *slog.Logger) {
	if l == nil {
		l = slog.Default()
	}
	e.logger, e.feeds[0] = l, newFeed(logObserver{l}, slog.Default())
	e.own = append(e.own, e.feeds[0])
}

// observe adds observers.
func (e *env) observe(observers []Observer) {
	for _, o := range observers {
		f := newFeed(o, e.logger)
		e.feeds, e.own = append(e.feeds, f), append(e.own, f)
	}
}

// derive returns an env with the logger and observers of e. What is added to
// that is not added to e.
func (e *env) derive() *env {
	d := *e
	d.feeds, d.own = slices.Clone(e.feeds), nil
	return &d
}

// below returns the env of a supervisor's tasks, when it is itself a task with
// env e: the same logger, unless it has one of its own, and its own observers
// beside.
func (e *env) below(ctx context.Context, prefix string, o *options) *env {
	b := e.derive()
	b.ctx, b.prefix, b.done = ctx, prefix, nil
	if o.logger != nil {
		b.log(o.logger)
	}
	b.observe(o.observers)
	return b
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

// remove has the supervisor forget a task.
func (tr *tree) remove(t *Task) {
	tr.s.remove(t)
	tr.gone = slices.DeleteFunc(tr.gone, (*env).told)
	if own, ok := tr.own[t]; ok {
		delete(tr.own, t)
		tr.gone = append(tr.gone, own)
	}
}

// told reports whether the observers that are e's own have been told all.
func (e *env) told() bool {
	return !slices.ContainsFunc(e.own, func(f *feed) bool { return f.pends() != nil })
}

// flush waits until the observers have been told all, for a second at most.
func (e *env) flush() { flush(e.feeds) }

// flush does so with the observers of single tasks, too.
func (tr *tree) flush() {
	feeds := slices.Clone(tr.env.feeds)
	for _, own := range tr.own {
		feeds = append(feeds, own.own...)
	}
	for _, own := range tr.gone {
		feeds = append(feeds, own.own...)
	}
	flush(feeds)
}

func flush(feeds []*feed) {
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	for _, f := range feeds {
		f.flush(ctx)
	}
}
