package supervise

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/holdfast-go/holdfast/supervise/internal/machine"
)

// Supervisor runs tasks together: it starts them in order, restarts those that
// crash by a [Strategy], stops them in reverse order, and ends with an error when
// the policy of one gives up. Since its Run is itself a function for a task,
// supervisors form trees:
//
//	db := supervise.New("db", supervise.WithStrategy(supervise.RestForOne))
//	db.Add("pool", pool.Run)
//	db.Add("cache", cache.Run)
//	root := supervise.New("root")
//	root.Add("db", db.Run)
//	root.Add("web", web.Run)
//	err := root.Run(ctx) // tasks root/db, root/db/pool, root/db/cache, root/web
//
// It follows Erlang/OTP's supervisor, with each task's own gate in the place of
// its restart intensity: no task's crashes hold another one. A supervisor that runs as
// a task is ready when its first tasks are, so that a tree starts depth first. It
// inherits, unless it was given its own: logger, store, policy, stop timeout
// and admission of tasks; and observers, to which its own are added.
// A Supervisor must be made with [New]. Safe for concurrent use.
type Supervisor struct {
	name string
	opts supervisorOptions
	wake chan struct{} // holds an element if there is something to do

	// mu guards what follows. It is taken after a Task's mu, and before the locks of
	// feeds and savers. The mu of another supervisor is never taken under it. Under it
	// runs the machine, which is pure, and nothing else.
	mu       sync.Mutex
	machine  *machine.Tree
	tasks    []*Task // by the machine's indices; nil where one was removed
	names    map[string]*Task
	todo     []effect // what the machine wants done, in order, by the goroutine of Run
	tree     *tree    // while Run runs
	parent   *Task    // as which the supervisor runs, or is to run
	children map[*Task]*Supervisor
	left     map[*Task]*leftBehind   // the last abandoned run of each task that has any
	waiting  map[*Task]chan struct{} // closed when the task has ended for good
	settled  chan struct{}           // closed when all tasks were up
}

// effect is what the machine wants done.
type effect struct {
	machine.Effect
	task  *Task
	cause error // where an operator asked for it
}

// New returns a supervisor without tasks. A [TaskOption] among opts is for all its
// tasks that are not given the same one themselves. It panics if name is empty or
// holds a slash, which separates the names in a task's path.
func New(name string, opts ...SupervisorOption) *Supervisor {
	checkName("New", name)
	s := &Supervisor{name: name, names: map[string]*Task{}, left: map[*Task]*leftBehind{},
		wake: make(chan struct{}, 1), settled: make(chan struct{})}
	s.opts.tasks.stopTimeout, s.opts.tasks.sup = -1, s
	for _, opt := range opts {
		if opt != nil {
			opt.applySupervisor(&s.opts)
		}
	}
	s.machine = machine.NewTree(s.opts.machine)
	return s
}

func checkName(caller, name string) {
	if name == "" || strings.Contains(name, "/") {
		panic(fmt.Sprintf("supervise: %s: the name %q is empty or holds a slash; give one that names the task among its siblings", caller, name))
	}
}

// Add adds a task, after all existing ones. If the supervisor runs it is started
// at once, or when those before it are ready; otherwise when Run starts them. While the
// supervisor is being stopped that is the next Run, if there is one. Add panics on a
// programmer's mistake: if there is a task of that name already, name is empty or holds a
// slash, or fn is nil.
func (s *Supervisor) Add(name string, fn func(context.Context) error, opts ...TaskOption) *Task {
	t, err := s.add(name, fn, opts, true)
	if err != nil {
		panic(err.Error())
	}
	return t
}

// TryAdd is Add for names that come from data, and for supervisors that may be
// stopping. It returns an error, and adds nothing, if there is a task of that name
// already ([ErrDuplicate]), or if the supervisor is being stopped ([ErrStopping]). It
// panics if name is empty or holds a slash, or fn is nil.
func (s *Supervisor) TryAdd(name string, fn func(context.Context) error, opts ...TaskOption) (*Task, error) {
	return s.add(name, fn, opts, false)
}

func (s *Supervisor) add(name string, fn func(context.Context) error, opts []TaskOption, stopping bool) (*Task, error) {
	checkName("Add", name)
	if fn == nil {
		panic("supervise: Add: fn is nil; give the function to run")
	}
	o := &s.opts.tasks
	if len(opts) > 0 {
		o = collect(s.opts.tasks, opts, TaskOption.applyTask)
	}
	child := supervisorOf(fn)
	t := &Task{fn: fn, opts: o, nested: child != nil}
	path := s.prefix() + name
	t.name.Store(&path)
	if err := s.insert(t, name, stopping); err != nil {
		return nil, err
	}
	if child != nil {
		child.runAs(t)
	}
	return t, nil
}

// insert adds the task of that name to the order; also while the supervisor is being
// stopped, if that is said.
func (s *Supervisor) insert(t *Task, name string, stopping bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var why error
	if s.machine.Closing() && !stopping {
		why = ErrStopping
	} else if s.names[name] != nil {
		why = ErrDuplicate
	}
	if why != nil {
		return fmt.Errorf("supervise: supervisor %q: task %q is not added: %w", s.name, name, why)
	}
	if s.machine.Compact() {
		s.tasks = slices.DeleteFunc(s.tasks, func(t *Task) bool { return t == nil })
		for i, t := range s.tasks {
			t.index = int32(i) //nolint:gosec // there is no memory for so many tasks
		}
	}
	s.names[name] = t
	s.tasks = append(s.tasks, t)
	t.index = int32(len(s.tasks) - 1) //nolint:gosec // as above
	_, effects := s.machine.Add(t.traits())
	s.queue(effects, nil)
	return nil
}

// prefix is that of the tasks' paths.
func (s *Supervisor) prefix() string {
	parent := s.runsAs()
	if parent == nil {
		return s.name + "/"
	}
	return parent.Name() + "/"
}

// runAs records the task as which the supervisor is to run.
func (s *Supervisor) runAs(parent *Task) {
	for t := parent; t != nil; t = t.opts.sup.runsAs() {
		if t.opts.sup == s {
			return // a cycle, which Run refuses
		}
	}
	s.mu.Lock()
	free := s.tree == nil
	if free {
		s.parent = parent
	}
	s.mu.Unlock()
	parent.opts.sup.adopt(parent, s)
	if free {
		s.move(parent.Name() + "/")
	}
}

// runsAs returns the task as which the supervisor runs or is to run; nil for none.
func (s *Supervisor) runsAs() *Task {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.parent
}

// disown records that a supervisor does not run as a task any more. Another one may by
// now, if the run was abandoned.
func (s *Supervisor) disown(t *Task, child *Supervisor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.children[t] == child {
		delete(s.children, t)
	}
}

// adopt records that a supervisor runs as a task, or is to.
func (s *Supervisor) adopt(t *Task, child *Supervisor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.children == nil {
		s.children = map[*Task]*Supervisor{}
	}
	s.children[t] = child
}

// move gives all tasks another prefix.
func (s *Supervisor) move(prefix string) {
	for _, t := range s.list() {
		t.move(prefix)
	}
}

// list returns the tasks there are.
func (s *Supervisor) list() []*Task {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.tasks), func(t *Task) bool { return t == nil })
}

// runCode is where the code of the method value Supervisor.Run begins.
var runCode = reflect.ValueOf((&Supervisor{}).Run).Pointer()

// whoKey is the key under which a context asks Supervisor.Run whose it is.
type whoKey struct{}

// supervisorOf returns the supervisor whose Run fn is, or nil: it asks, as only fn
// itself knows.
func supervisorOf(fn func(context.Context) error) (s *Supervisor) {
	if reflect.ValueOf(fn).Pointer() == runCode {
		_ = fn(context.WithValue(context.Background(), whoKey{}, &s))
	}
	return s
}

// Run starts the tasks, and supervises them until ctx is done or it has to end.
// It returns
//
//   - [context.Cause](ctx) once ctx is done and the tasks have stopped;
//   - nil when its significant tasks have ended cleanly, or the errors of those
//     under [Never]; see [Significant];
//   - a [*GaveUpError] with the path of a task, when the policy has given up on
//     one that is not [Optional]: the others are stopped first;
//   - an [*AbandonedError] for each run that did not return in the time of its
//     [WithStopTimeout] and still has not, joined to these;
//   - joined to these, too, what tasks ended with when they were stopped, if it is
//     a real error.
//
// Tasks stop one after another, the last started first, unless [Unordered] is
// given. Their contexts have the values of ctx, not its cancellation: they are
// cancelled by the supervisor alone, which is what keeps the order. When Run has
// returned, no goroutine of it is left except those of abandoned runs.
//
// Run can be called again when it has returned: all tasks are started anew, with
// the histories of their gates, those that the policy had given up on from a
// clean slate. While it runs, another call returns an error. It panics if ctx is nil.
func (s *Supervisor) Run(ctx context.Context) error {
	if ctx == nil {
		panic("supervise: Supervisor.Run: ctx is nil; use context.Background() if nothing is to stop it")
	}
	if who, ok := ctx.Value(whoKey{}).(**Supervisor); ok && *who == nil {
		*who = s
		return nil
	}
	tr, err := s.open(ctx)
	if err != nil {
		return err
	}
	if len(s.list()) == 0 {
		tr.mentionIdle()
	}
	stop := context.AfterFunc(ctx, func() { s.shutDown(tr, context.Cause(ctx)) })
	for !tr.perform() {
		<-s.wake
	}
	stop()
	return s.close(tr)
}
