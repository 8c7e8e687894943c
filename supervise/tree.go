package supervise

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/holdfast-go/holdfast/gate"
)

// tree is a supervisor while its Run runs: one goroutine, that of Run, which
// turns when it is nudged. A turn takes in what has happened and then does what
// can be done next towards what is wanted, as a controller reconciles; so no
// order in which things happen can leave a task behind. What is below
// permits is guarded by the supervisor's mu.
//
// Under OneForOne a task that crashes is no matter of the tree: its worker holds
// and restarts it.
type tree struct {
	s         *Supervisor
	env       *env                // of its tasks, but for those in own
	own       map[*Task]*env      // tasks with a logger or observers of their own
	gone      []*env              // of such that were removed, and whose observers are still being told
	parent    *Task               // as which the supervisor runs; nil for the root
	permits   *semaphore.Weighted // to start up; nil for any number
	ownsSaver bool                // env.saver ends with the tree

	next    int     // no task before this index waits for its start
	serving int     // workers, without those abandoned
	group   *group  // the restart of several tasks that is under way
	cause   error   // why all tasks are to stop; nil while they are not
	result  error   // what Run returns
	ends    []error // real errors of stopped tasks
	last    int     // no task after this index is to be stopped

	failures []error // what significant tasks have ended with
}

// place is where a task stands with its supervisor.
type place struct {
	worker  *worker // that serves it; nil for none
	index   int32   // among its siblings
	state   state   // what is wanted of the task, once no worker serves it
	asked   bool    // the worker was asked to stop
	ready   bool
	dynamic bool // added while Run ran
}

type state uint8

const (
	waiting state = iota // to be started, in its turn
	held                 // to be started with its group
	stuck                // to be started when its abandoned run has ended
	down                 // nothing
)

// The causes with which a supervisor stops a task that goes on itself.
var (
	errGroup     = errors.New("supervise: stopped, to be restarted with a task that crashed")
	errStopped   = errors.New("supervise: stopped by Task.Stop")
	errRestarted = errors.New("supervise: stopped, to be restarted by Task.Restart")
	errComplete  = errors.New("supervise: stopped, as a significant task has ended")
)

func newTree(ctx context.Context, s *Supervisor) *tree {
	tr := &tree{s: s}
	o := &s.opts.tasks
	free := context.WithoutCancel(ctx)
	if c, ok := ctx.Value(runKey{}).(*runContext); ok {
		tr.parent = c.worker.task
		tr.env = c.worker.env.below(free, tr.parent.path()+"/", o)
	} else {
		tr.env = newEnv(free, s.name+"/", o.logger, o.observers)
	}
	tr.env.tree = tr
	if o.store != nil {
		tr.env.saver, tr.ownsSaver = newSaver(o.store), true
	}
	if s.opts.maxStarts > 0 {
		tr.permits = semaphore.NewWeighted(int64(s.opts.maxStarts))
	}
	return tr
}

// within reports whether the tree is somewhere below s.
func (tr *tree) within(s *Supervisor) bool {
	for t := tr.parent; t != nil; {
		if t.opts.sup == s {
			return true
		}
		if t.opts.sup == nil { // of a Run
			return false
		}
		t = t.opts.sup.parent()
	}
	return false
}

// parent returns the task as which the supervisor runs, if it does.
func (s *Supervisor) parent() *Task {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tree == nil {
		return nil
	}
	return s.tree.parent
}

// adopt enters with the parent that s runs as its task; nil for not any more.
func (tr *tree) adopt(s *Supervisor) {
	if tr.parent != nil && tr.parent.opts.sup != nil {
		tr.parent.opts.sup.setChild(tr.parent, s)
	}
}

// grouped reports whether a crash is a matter of more than the task.
func (e *env) grouped() bool { return e.tree != nil && e.tree.s.opts.strategy != OneForOne }

// turn does all that can be done now, and reports whether that was the last.
func (tr *tree) turn(ctx context.Context) bool {
	tr.s.mu.Lock()
	defer tr.s.mu.Unlock()
	for _, n := range tr.s.inbox.take() {
		tr.take(n)
	}
	if ctx.Err() != nil {
		tr.shutdown(context.Cause(ctx), context.Cause(ctx))
	}
	if tr.cause != nil {
		return tr.stopAll()
	}
	if tr.group == nil || tr.regroup() {
		tr.startAll()
	}
	return false
}

func (tr *tree) take(n notice) {
	if n.worker != nil {
		n.task = n.worker.task
	}
	t := n.task
	p := &t.place
	switch serves := n.worker != nil && p.worker == n.worker; {
	case n.kind == wantStop:
		tr.stop(t, errStopped, down)
	case n.kind == wantRestart:
		tr.restart(t)
	case n.kind == workerEnded && !serves:
		delete(tr.s.abandoned, n.worker)
		if p.state == stuck {
			tr.want(t, waiting)
		}
	case !serves: // it is about a worker that serves no more
	case n.kind == workerEnded:
		tr.ended(n.worker)
	case n.kind == taskReady:
		p.ready = true
	case n.kind == overdue:
		if tr.abandon(n.worker, n.worker.end.cause) {
			tr.want(t, p.state)
		}
	case n.kind == runHung:
		if tr.abandon(n.worker, ErrWatchdog) {
			tr.crashed(t, t.hang(tr.envOf(t), time.Now()))
		}
	}
}

// want sets what is wanted of a task that no worker serves.
func (tr *tree) want(t *Task, s state) {
	if s == waiting && !t.opts.overlap && tr.hasAbandoned(t) {
		s = stuck
	}
	t.place.state = s
	if s == waiting {
		tr.next = min(tr.next, int(t.place.index))
	}
}

func (tr *tree) hasAbandoned(t *Task) bool {
	for w := range tr.s.abandoned {
		if w.task == t {
			return true
		}
	}
	return false
}

// startAll starts the tasks that wait for it, in order, as far as the readiness
// of those before allows.
func (tr *tree) startAll() {
	if s := tr.s; s.gone > len(s.tasks)/2 {
		s.compact()
		tr.next = 0
	}
	for ; tr.next < len(tr.s.tasks); tr.next++ {
		t := tr.s.tasks[tr.next]
		if t == nil {
			continue
		}
		p := &t.place
		if p.worker == nil && p.state == waiting {
			tr.start(t)
		}
		if t.opts.readyTimeout > 0 && p.worker != nil && !p.ready {
			return
		}
	}
}

func (tr *tree) start(t *Task) {
	w := t.newWorker(tr.envOf(t))
	t.place.worker, t.place.asked, t.place.ready = w, false, false
	tr.serving++
	w.beginNow()
	go w.work(nil)
}

// stop asks the worker of a task to stop, and sets what is wanted then.
func (tr *tree) stop(t *Task, cause error, then state) {
	p := &t.place
	w := p.worker
	if w == nil && then == down {
		tr.stayDown(t, cause)
	}
	p.state = then
	if w != nil && then == down {
		w.anew(false)
	}
	if w == nil || p.asked {
		return
	}
	p.asked = true
	w.askToStop(cause)
	if d := w.patience(); d >= 0 {
		w.end.timer = time.AfterFunc(d, func() { tr.s.inbox.post(notice{kind: overdue, worker: w}) })
	}
}

// restart is Task.Restart: at once, from whatever state.
func (tr *tree) restart(t *Task) {
	p := &t.place
	switch w := p.worker; {
	case tr.cause != nil:
	case w != nil && (w.anew(true) || p.asked):
		tr.stop(t, errRestarted, waiting)
	case w == nil && p.state == down:
		tr.want(t, waiting)
		if g := t.theGate(); g != nil && g.State().Phase() == gate.GaveUp {
			g.ForceRelease()
		}
	default:
		if g := t.theGate(); g != nil {
			g.ForceRelease()
		}
	}
}

// stayDown enters that a task which no worker serves is not to be started, and
// tells so if it has crashed, or was abandoned, and the next run was to follow.
func (tr *tree) stayDown(t *Task, cause error) {
	p := &t.place
	if p.state == held || p.state == stuck {
		tr.envOf(t).tellStop(t, time.Now(), 0, cause)
	}
	p.state = down
}

// shutdown has all tasks stopped, and Run return result then. Only the first one
// counts.
func (tr *tree) shutdown(cause, result error) {
	if tr.cause != nil {
		return
	}
	tr.cause, tr.result = cause, result
	tr.last = len(tr.s.tasks) - 1
	if tr.group != nil {
		tr.group.end()
		tr.group = nil
	}
}

// stopAll stops what is to be stopped next, and reports whether all has been.
func (tr *tree) stopAll() bool {
	for ; tr.last >= 0; tr.last-- {
		t := tr.s.tasks[tr.last]
		if t == nil {
			continue
		}
		if t.place.worker == nil {
			tr.stayDown(t, tr.cause)
			continue
		}
		tr.stop(t, tr.cause, down)
		if !tr.s.opts.unordered {
			return false
		}
	}
	return tr.serving == 0
}

// report is what Run returns.
func (tr *tree) report() error {
	errs := append([]error{tr.result}, tr.ends...)
	for _, err := range tr.s.abandoned {
		errs = append(errs, err)
	}
	if len(errs) == 1 {
		return tr.result
	}
	return errors.Join(errs...)
}
