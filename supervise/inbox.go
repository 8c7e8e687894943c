package supervise

import "sync"

// inbox is what a supervisor has not taken in yet. It outlives the supervisor's
// Run, as do abandoned runs, whose end is noticed by the next. Its lock is held for
// no longer than it takes to put a notice in, so no task waits for a turn of the
// tree.
type inbox struct {
	wake    chan struct{} // holds an element if there is something to do
	mu      sync.Mutex
	notices []notice
}

// notice tells the tree what has happened, or what is wanted.
type notice struct {
	kind   noticeKind
	task   *Task
	worker *worker // nil where it is about the task
}

type noticeKind uint8

const (
	workerEnded noticeKind = iota
	taskReady
	runHung // the watchdog has cancelled it, and it goes on
	overdue // the worker was asked to stop, and has not in time
	wantStop
	wantRestart
)

// nudge has the tree turn.
func (i *inbox) nudge() {
	select {
	case i.wake <- struct{}{}:
	default:
	}
}

// post gives notice.
func (i *inbox) post(n notice) {
	i.mu.Lock()
	i.notices = append(i.notices, n)
	i.mu.Unlock()
	i.nudge()
}

func (i *inbox) take() []notice {
	i.mu.Lock()
	defer i.mu.Unlock()
	notices := i.notices
	i.notices = nil
	return notices
}
