package supervise

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/holdfast-go/holdfast/gate"
)

// Supervisor runs tasks together: it starts them in order, restarts those that
// crash by a [Strategy], stops them in reverse order, and ends with an error when
// the policy of one gives up. Since its Run is itself a function for a task,
// supervisors form trees:
//
//	db := supervise.New("db", supervise.WithStrategy(supervise.RestForOne))
//	db.Go("pool", pool.Run)
//	db.Go("cache", cache.Run)
//	root := supervise.New("root")
//	root.Go("db", db.Run)
//	root.Go("web", web.Run)
//	err := root.Run(ctx) // tasks root/db, root/db/pool, root/db/cache, root/web
//
// It follows Erlang/OTP's supervisor, with each task's own gate in the place of
// its restart intensity: no task's crashes hold another one.
// A Supervisor must be made with [New]. Safe for concurrent use.
type Supervisor struct {
	name string
	opts supervisorOptions

	mu    sync.Mutex
	tasks []*Task // in start order; nil where one was removed
	gone  int     // how many of them are nil
	names map[string]struct{}
	tree  *tree // while Run runs

	children  map[*Task]*Supervisor       // those that run as one of the tasks; nil before one did
	abandoned map[*worker]*AbandonedError // that have not ended, so far as is known
	inbox     inbox
}

// New returns a supervisor without tasks. An [Option] among opts is for all its
// tasks that are not given the same one themselves. It panics if name is empty or
// holds a slash, which parts the names in a task's path.
func New(name string, opts ...SupervisorOption) *Supervisor {
	checkName("New", name)
	s := &Supervisor{name: name, names: map[string]struct{}{}, abandoned: map[*worker]*AbandonedError{}}
	s.inbox.wake = make(chan struct{}, 1)
	s.opts.tasks.stopTimeout, s.opts.tasks.sup = -1, s
	for _, opt := range opts {
		if opt != nil {
			opt.applySupervisor(&s.opts)
		}
	}
	if s.opts.tasks.gate != nil || s.opts.tasks.name != "" {
		panic("supervise: New: WithGate and WithName are of one task; give them to Go")
	}
	return s
}

func checkName(caller, name string) {
	if name == "" || strings.Contains(name, "/") {
		panic(fmt.Sprintf("supervise: %s: the name %q is empty or holds a slash; give one that names the task among its siblings", caller, name))
	}
}

// Go adds a task, after all those there are. If the supervisor runs it is started
// at once, or when those before it are ready; otherwise when Run starts them.
// It returns an error, and adds nothing, if there is a task of that name already
// ([ErrDuplicate]; a [Once] task that has ended is forgotten), or if the supervisor
// is being stopped ([ErrStopping]). It panics if name is empty or holds a slash,
// fn is nil, or [WithStore] is among opts.
func (s *Supervisor) Go(name string, fn func(context.Context) error, opts ...Option) (*Task, error) {
	checkName("Go", name)
	if fn == nil {
		panic("supervise: Go: fn is nil; give the function to run")
	}
	o := &s.opts.tasks
	if len(opts) > 0 {
		o = collect(s.opts.tasks, opts)
		if o.store != s.opts.tasks.store {
			panic("supervise: Go: WithStore is of all tasks of a supervisor; give it to New")
		}
		if o.name != "" {
			checkName("WithName", o.name)
			name = o.name
		}
	}
	t := &Task{fn: fn, opts: o, name: s.name + "/" + name}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.admits(name); err != nil {
		return nil, fmt.Errorf("supervise: supervisor %q: task %q is not added: %w", s.name, name, err)
	}
	if s.tree != nil {
		t.place.dynamic = true
		defer s.inbox.nudge()
	}
	s.names[t.leaf()] = struct{}{}
	t.place.index = int32(len(s.tasks)) //nolint:gosec // there is no memory for so many tasks
	s.tasks = append(s.tasks, t)
	return t, nil
}

// admits returns why no task of that name can be added, or nil.
func (s *Supervisor) admits(name string) error {
	if s.tree != nil && s.tree.cause != nil {
		return ErrStopping
	}
	if _, ok := s.names[name]; ok {
		return ErrDuplicate
	}
	return nil
}

// Run starts the tasks, and supervises them until ctx is done or it has to end.
// It returns
//
//   - [context.Cause](ctx) once ctx is done and the tasks have stopped;
//   - nil when its significant tasks have ended cleanly, or the errors of those
//     that are [Once]; see [Significant];
//   - a [*GaveUpError] with the path of a task, when the policy has given up on
//     one that is not [Optional]: the others are stopped first;
//   - ErrAbandoned, and an [*AbandonedError] each, joined to these, for tasks that
//     did not stop in the time of their [WithStopTimeout] and still run;
//   - joined to these, too, what tasks ended with when they were stopped, if it is
//     a real error.
//
// Tasks stop one after another, the last started first, unless [Unordered] is
// given. Their contexts have the values of ctx, not its cancellation: they are
// cancelled by the supervisor alone, which is what keeps the order. When Run has
// returned, no goroutine of it is left but those of abandoned tasks.
//
// Run can be called again when it has returned: all tasks are started anew, with
// the histories of their gates, those that the policy had given up on from a
// clean slate. While it runs, another call returns an error.
func (s *Supervisor) Run(ctx context.Context) error {
	if ctx == nil {
		panic("supervise: Supervisor.Run: ctx is nil; use context.Background() if nothing is to stop it")
	}
	tr, err := s.open(ctx)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, s.inbox.nudge)
	for !tr.turn(ctx) {
		<-s.inbox.wake
	}
	stop()
	if s := tr.env.saver; s != nil && tr.ownsSaver {
		s.close()
	}
	tr.flush()
	return s.close(tr)
}

// open makes the tree of a call of Run.
func (s *Supervisor) open(ctx context.Context) (*tree, error) {
	tr := newTree(ctx, s)
	if tr.within(s) {
		return nil, fmt.Errorf("supervise: supervisor %q is to run as a task below itself; supervisors form trees, not cycles", s.name)
	}
	s.mu.Lock()
	if s.tree != nil {
		s.mu.Unlock()
		return nil, fmt.Errorf("supervise: supervisor %q is running already; let its Run return first", s.name)
	}
	s.tree = tr
	s.compact()
	for w := range s.abandoned {
		if !w.task.opts.overlap {
			w.task.place.state = stuck
		}
	}
	s.mu.Unlock()
	tr.adopt(s)
	s.forgive()
	return tr, nil
}

// forgive gives a fresh slate to the tasks that the policy had given up on when
// the supervisor ran before: that it runs again is the decision to try again.
func (s *Supervisor) forgive() {
	for t := range s.Tasks() {
		if g := t.theGate(); t.opts.sup == s && g != nil && g.State().Phase() == gate.GaveUp {
			g.ForceRelease()
		}
	}
}

// close ends the tree, and returns what Run returns.
func (s *Supervisor) close(tr *tree) error {
	tr.adopt(nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tree = nil
	for _, t := range s.tasks {
		if t != nil {
			t.place = place{index: t.place.index, dynamic: t.place.dynamic}
		}
	}
	if s.opts.dropDynamic {
		for _, t := range s.tasks {
			if t != nil && t.place.dynamic {
				s.remove(t)
			}
		}
	}
	return tr.report()
}

// remove forgets a task. Others keep their index until the next compaction.
func (s *Supervisor) remove(t *Task) {
	s.tasks[t.place.index] = nil
	delete(s.names, t.leaf())
	s.gone++
}

// compact closes the gaps of removed tasks.
func (s *Supervisor) compact() {
	s.tasks = slices.DeleteFunc(s.tasks, func(t *Task) bool { return t == nil })
	for i, t := range s.tasks {
		t.place.index = int32(i)
	}
	s.gone = 0
}
