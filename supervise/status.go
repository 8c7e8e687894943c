package supervise

import (
	"iter"
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
	t.sup.mu.Lock()
	defer t.sup.mu.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	s := Status{
		Task: t.path(), Running: t.running, Ready: t.running && t.place.ready,
		Run: t.runs, Started: t.began, Crashes: t.crashes, LastErr: t.last,
	}
	if t.gate != nil {
		s.Gate = t.gate.State()
	}
	return s
}

// Name returns the task's path, such as "root/db/pool".
func (t *Task) Name() string { return t.Status().Task }

// Stop stops the task, which then stays down until Restart. It does not wait for
// that.
func (t *Task) Stop() { t.request(wantStop, down) }

// Restart starts the task anew: one that runs is stopped and started again, which
// is no crash; one that is held is released, as by Release; one that is down is
// started. It does not wait for that.
func (t *Task) Restart() { t.request(wantRestart, waiting) }

// Release ends a hold of the task and wipes its slate, as an operator's force
// release does, and reports whether it was held.
func (t *Task) Release() bool {
	g := t.theGate()
	return g != nil && g.ForceRelease()
}

// request tells the tree what is wanted; before Run, the place itself.
func (t *Task) request(kind noticeKind, s state) {
	t.sup.mu.Lock()
	tr := t.sup.tree
	if tr == nil {
		t.place.state = s
	}
	t.sup.mu.Unlock()
	if tr != nil {
		tr.post(notice{kind: kind, task: t})
	}
}

func (t *Task) isRunning() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.running
}

// Tasks returns the tasks in start order, each followed by those of the
// supervisor that runs as it: the whole tree, as it was when the iteration came
// to each part.
func (s *Supervisor) Tasks() iter.Seq[*Task] {
	return func(yield func(*Task) bool) { s.each(yield) }
}

func (s *Supervisor) each(yield func(*Task) bool) bool {
	s.mu.Lock()
	tasks := append([]*Task(nil), s.tasks...)
	s.mu.Unlock()
	for _, t := range tasks {
		if t == nil {
			continue
		}
		if !yield(t) {
			return false
		}
		if child := t.child.Load(); child != nil && !child.each(yield) {
			return false
		}
	}
	return true
}
