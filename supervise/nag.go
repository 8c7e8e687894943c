package supervise

import (
	"errors"
	"log/slog"
	"time"

	"github.com/holdfast-go/holdfast/supervise/internal/machine"
)

// longWait is after which it is reported that something waits, and for what.
const longWait = 10 * time.Second

// nag reports when a supervisor has waited for the same thing for ten seconds: for a
// task to be ready, or to stop. It is one timer, which ends with the wait or with Run. All
// of it belongs to the goroutine of Run.
type nag struct {
	wait  machine.Wait
	task  *Task // nil if it waits for more than one
	timer *time.Timer
}

// watch says what the supervisor waits for now.
func (n *nag) watch(tr *tree, wait machine.Wait, t *Task) {
	if n.wait == wait && n.task == t {
		return
	}
	n.wait, n.task = wait, t
	if n.timer != nil {
		n.timer.Stop()
		n.timer = nil
	}
	if wait != machine.NoWait {
		n.timer = time.AfterFunc(longWait, func() { tr.mentionWait(wait, t) })
	}
}

// waitsFor returns for what the supervisor waits, and the task if it is one. Called
// with mu.
func (s *Supervisor) waitsFor() (machine.Wait, *Task) {
	wait, i := s.machine.Waits()
	if wait == machine.NoWait || wait == machine.ForStops {
		return wait, nil
	}
	return wait, s.tasks[i]
}

// mentionWait reports what the supervisor has waited for.
func (tr *tree) mentionWait(wait machine.Wait, t *Task) {
	s := tr.s
	if t == nil {
		s.mu.Lock()
		if i := s.machine.Halted(); i >= 0 {
			t = s.tasks[i]
		}
		s.mu.Unlock()
	}
	switch {
	case t == nil:
	case wait == machine.ForReady:
		tr.env.reportWait(t, errors.New("has not become ready for 10s, and those after it wait for that"))
	default:
		tr.env.reportWait(t, errDeaf)
	}
}

var errDeaf = errors.New("was asked to stop, and has not yet")

// mentionStop reports it if a task under Run takes long to stop, which nothing bounds. It
// returns when the task has ended.
func (w *worker) mentionStop() {
	if w.stopTimeout() < 0 {
		timer := time.AfterFunc(longWait, func() { w.env.reportWait(w.task, errDeaf) })
		<-w.env.done
		timer.Stop()
	}
}

// mentionIdle says that a supervisor runs that has no tasks.
func (tr *tree) mentionIdle() {
	logger := tr.env.logger
	go func() {
		defer func() { _ = recover() }() // in the handler
		logger.LogAttrs(tr.env.ctx, slog.LevelInfo, "supervisor has no tasks; it waits for one to be added", slog.String("supervisor", tr.s.name))
	}()
}
