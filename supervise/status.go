package supervise

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/supervise/internal/machine"
)

// State is what a task does, or why it does not run.
type State uint8

const (
	// Waiting for its turn: its supervisor does not run, or [Status].WaitsFor says for what.
	Waiting State = iota
	// Starting is a run under way that is not ready.
	Starting
	// Running is a run under way.
	Running
	// Held by its gate after a crash, until [Status].Until.
	Held
	// Paused by an operator; see [Status].By.
	Paused
	// Stopping is a run under way that was asked to end.
	Stopping
	// Stopped by an operator, or with its supervisor.
	Stopped
	// Ended by itself.
	Ended
	// GaveUp is a task on which its policy gave up.
	GaveUp
	// Stuck is a task whose abandoned run has not returned, for which the next one waits.
	Stuck
)

var stateNames = [...]string{"waiting", "starting", "running", "held", "paused", "stopping", "stopped", "ended", "gave up", "stuck"}

// String returns the state in words, such as "gave up".
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

// MarshalText returns the words of String.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Status is how a task stands, at one instant.
type Status struct {
	Task      string // its path
	State     State
	WaitsFor  string     // while waiting, stuck or starting: for what; empty if for nothing that is known
	Since     time.Time  // when that state began, as far as is known; zero if the task never ran
	Until     time.Time  // while held: when the hold ends; zero if it has no end
	By        gate.By    // who paused it
	Gate      gate.State // as it stands
	Ready     bool       // the run under way has said so, or needs not
	Run       uint64     // the number of the run under way, or of the last one
	Started   time.Time  // when that run began; zero if none has
	Alive     time.Time  // the last sign of life of the run under way; zero without a watchdog
	Crashes   uint64     // in all
	Streak    int        // since the slate was last clean
	Trips     int        // of the crash loop, in a row
	LastErr   error      // what the last run that has ended, ended with
	LastEnd   time.Time  // when that was; zero if none has
	Abandoned int        // runs that were left behind and have not returned
}

// Status returns how the task stands.
func (t *Task) Status() Status {
	s := t.opts.sup
	p := t.past.Load()
	status := Status{Task: t.Name()}
	if p != nil {
		status.Gate = p.gate.State()
		h := p.gate.History()
		status.Streak, status.Trips = h.Streak(), h.Trips()
		status.By, _ = p.gate.PausedBy()
	}
	t.mu.Lock()
	life, w := t.life, t.worker
	status.Run, status.Started = life.Run, t.began
	waits, how := nothing, machine.Stopped
	if w != nil {
		waits = w.waits
		if w.end != nil {
			how = w.end.how
		}
		if life.UnderWay() {
			status.Alive = w.run.limits.lastSign()
		}
	}
	if p != nil {
		status.Crashes, status.LastErr, status.LastEnd = p.crashes, p.last, p.runs.ended()
	}
	s.mu.Lock() // inside the task's, so that both belong together
	place, blocker := s.stanceOf(t)
	for left := s.left[t]; left != nil; left = left.before {
		if !left.back() {
			status.Abandoned++
		}
	}
	s.mu.Unlock()
	t.mu.Unlock()
	status.explain(w, life, place, waits, how, blocker)
	return status
}

// stanceOf returns where a task stands, and which one it waits for, if it does. Called
// with mu.
func (s *Supervisor) stanceOf(t *Task) (machine.Stance, *Task) {
	if !s.has(t) {
		return machine.Gone, nil
	}
	if s.machine.Rests(int(t.index)) {
		return machine.Down, nil
	}
	i, blocked := s.machine.Blocker(int(t.index))
	if !blocked {
		return s.machine.Stance(int(t.index)), nil
	}
	return s.machine.Stance(int(t.index)), s.tasks[i]
}

// explain finds the one state that says why the task does not run.
func (s *Status) explain(w *worker, life machine.Life, place machine.Stance, waits waitFor, how machine.End, blocker *Task) {
	s.Since = s.Started
	switch life.Phase {
	case machine.Starting:
		s.State = Starting
	case machine.Running:
		s.State, s.Ready = Running, true
	case machine.Stopping, machine.Leaving:
		s.State = Stopping
	case machine.Held:
		s.Since = s.LastEnd
		s.held(w, waits)
	case machine.Idle:
		s.Since = s.LastEnd
		s.idle(place, how, blocker)
	}
}

// held is explain for a task that waits before a run.
func (s *Status) held(w *worker, waits waitFor) {
	s.State = Waiting
	switch {
	case s.Gate.Phase() == gate.Paused:
		s.State = Paused
	case s.Gate.Phase() != gate.Idle:
		s.State = Held
		s.Until, _ = s.Gate.ReleaseAt()
	case waits == forAbandoned:
		s.State, s.WaitsFor = Stuck, "an abandoned run to return"
	case waits == forAdmission && w.admission() != nil:
		s.WaitsFor = nameOf(w.admission())
	case waits == forPermit:
		s.WaitsFor = "fewer tasks that start up"
	case waits == forStore:
		s.WaitsFor = "the store"
	}
}

// idle is explain for a task that no worker serves.
func (s *Status) idle(place machine.Stance, how machine.End, blocker *Task) {
	switch {
	case s.Gate.Phase() == gate.GaveUp:
		s.State = GaveUp
	case place == machine.Waiting || place == machine.Served:
		s.State = Waiting
		if blocker != nil {
			s.WaitsFor = blocker.Name()
		}
	case how == machine.Completed || how == machine.Failed:
		s.State = Ended
	default:
		s.State = Stopped
	}
}

// MarshalJSON returns the status as an object whose fields are named as here, in lower
// case with underscores; errors are texts, and what is unknown or zero is left out,
// except for task, state and run.
func (s Status) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Task      string     `json:"task"`
		State     State      `json:"state"`
		WaitsFor  string     `json:"waits_for,omitempty"`
		Since     time.Time  `json:"since,omitzero"`
		Until     time.Time  `json:"until,omitzero"`
		By        gate.By    `json:"by,omitzero"`
		Gate      gate.State `json:"gate,omitzero"`
		Ready     bool       `json:"ready,omitempty"`
		Run       uint64     `json:"run"`
		Started   time.Time  `json:"started,omitzero"`
		Alive     time.Time  `json:"alive,omitzero"`
		Crashes   uint64     `json:"crashes,omitempty"`
		Streak    int        `json:"streak,omitempty"`
		Trips     int        `json:"trips,omitempty"`
		LastErr   string     `json:"last_err,omitempty"`
		LastEnd   time.Time  `json:"last_end,omitzero"`
		Abandoned int        `json:"abandoned,omitempty"`
	}{s.Task, s.State, s.WaitsFor, s.Since, s.Until, s.By, s.Gate, s.Ready, s.Run, s.Started, s.Alive, s.Crashes,
		s.Streak, s.Trips, errorText(s.LastErr), s.LastEnd, s.Abandoned})
}

// Tasks returns the tasks in start order, each followed by those of the
// supervisor that runs as it, or is to: the whole tree, as it was when the iteration
// came to each part.
func (s *Supervisor) Tasks() iter.Seq[*Task] {
	return func(yield func(*Task) bool) { s.each(yield) }
}

func (s *Supervisor) each(yield func(*Task) bool) bool {
	for _, t := range s.list() {
		if !yield(t) {
			return false
		}
		if child := s.child(t); child != nil && !child.each(yield) {
			return false
		}
	}
	return true
}

// child returns the supervisor that runs as the task, or is to; nil for none.
func (s *Supervisor) child(t *Task) *Supervisor {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.children[t]
}

// Task returns the task of a path, such as "root/db/pool", which begins with the path of
// the supervisor; or nil if there is none.
func (s *Supervisor) Task(path string) *Task {
	rest, below := strings.CutPrefix(path, s.prefix())
	if !below {
		return nil
	}
	name, deeper, nested := strings.Cut(rest, "/")
	s.mu.Lock()
	t := s.names[name]
	child := s.children[t]
	s.mu.Unlock()
	switch {
	case t == nil || !nested:
		return t
	case child == nil || deeper == "":
		return nil
	}
	return child.Task(path)
}

// WaitReady waits until all tasks are up: each has been started, those with
// [WithReadyTimeout] have called [Ready], and supervisors among them are up
// themselves. It returns nil then, or the cause of ctx when that is done first. Where Run
// is not under way it waits for the next one.
func (s *Supervisor) WaitReady(ctx context.Context) error {
	s.mu.Lock()
	settled := s.settled
	s.mu.Unlock()
	select {
	case <-settled:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
