package supervise

import (
	"iter"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/gate"
)

// Status is how a task stands. Safe for concurrent use.
type Status struct {
	Task    string     // its path
	Gate    gate.State // phase, and until when it is held
	Running bool
	Ready   bool      // Ready was called in the run under way
	Run     uint64    // the number of the run under way, or the last
	Started time.Time // when that run began; zero if none has
	Crashes uint64    // in all
	LastErr error     // what the last run that has ended, ended with
}

// Status returns how the task stands.
func (t *Task) Status() Status {
	s := t.opts.sup
	s.mu.Lock()
	defer s.mu.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	status := Status{Task: t.name, Run: t.runs, Started: t.began}
	if w := t.place.worker; w != nil && w.running {
		status.Running, status.Ready = true, t.place.ready
	}
	if p := t.past; p != nil {
		status.Gate, status.Crashes, status.LastErr = p.gate.State(), p.crashes, p.last
	}
	return status
}

// Name returns the task's path, such as "root/db/pool".
func (t *Task) Name() string { return t.path() }

// Stop stops the task, which then stays down until Restart. It does not wait for
// that.
func (t *Task) Stop() { t.request(wantStop) }

// Restart starts the task anew: one that runs is stopped and started again, which
// is no crash; one that is held is released, as by Release; one that is down, or
// being stopped, is started. It does not wait for that.
func (t *Task) Restart() { t.request(wantRestart) }

// Release ends a hold of the task and wipes its slate, as an operator's force
// release does, and reports whether it was held.
func (t *Task) Release() bool {
	g := t.theGate()
	return g != nil && g.ForceRelease()
}

// request tells the supervisor what is wanted. If it does not run, the next Run
// begins with that.
func (t *Task) request(kind noticeKind) { t.opts.sup.inbox.post(notice{kind: kind, task: t}) }

// anew sets whether the task is to be started again should the worker be ending,
// which nobody else can tell from its being held. It reports whether the worker runs.
func (w *worker) anew(again bool) (running bool) {
	w.task.lock()
	defer w.task.unlock()
	w.again = again
	return w.running
}

// Tasks returns the tasks in start order, each followed by those of the
// supervisor that runs as it: the whole tree, as it was when the iteration came
// to each part.
func (s *Supervisor) Tasks() iter.Seq[*Task] {
	return func(yield func(*Task) bool) { s.each(yield) }
}

func (s *Supervisor) each(yield func(*Task) bool) bool {
	s.mu.Lock()
	tasks := slices.Clone(s.tasks)
	s.mu.Unlock()
	for _, t := range tasks {
		if t == nil {
			continue
		}
		if !yield(t) {
			return false
		}
		if child := s.child(t); child != nil && !child.each(yield) {
			return false
		}
	}
	return true
}

// child returns the supervisor that runs as the task, if one does.
func (s *Supervisor) child(t *Task) *Supervisor {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.children[t]
}

// setChild enters that a supervisor runs as the task, or with nil that none does
// any more.
func (s *Supervisor) setChild(t *Task, child *Supervisor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if child == nil {
		delete(s.children, t)
		return
	}
	if s.children == nil {
		s.children = map[*Task]*Supervisor{}
	}
	s.children[t] = child
}
