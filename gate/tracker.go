package gate

import (
	"errors"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// ErrNil stands for the error of a crash that was observed with a nil one.
var ErrNil = errors.New("gate: crashed, with a nil error")

// Tracker is the state machine of a gate, alone: what happened goes in with the
// time at which it did, the state comes out. It has no clock and no goroutine.
// An instant earlier than the last one seen counts as that one.
//
// The zero value is ready to use, under [policy.Default]. Nothing is allocated
// before the first crash, nor after it unless a policy looks more than 8
// crashes back. A policy that panics counts as policy.Default for that decision.
// A Tracker must not be copied once used. Not safe for concurrent use.
type Tracker struct {
	policy  policy.Policy // nil until used, for policy.Default
	history policy.History
	word    word
}

// NewTracker returns a tracker under p; a nil p is [policy.Default].
func NewTracker(p policy.Policy) *Tracker {
	return &Tracker{policy: policy.Guard(p, nil)}
}

// ObserveStart enters that the task was started: it opens the gate and begins a
// run. If one is under way, that one is entered as ended first, as clean.
func (t *Tracker) ObserveStart(now time.Time) {
	if t.history.Running() {
		t.cleanExit(now)
	}
	t.history.ObserveStart(now)
	t.word = 0
}

// ObserveCrash enters that the task crashed, and returns the state that follows:
// held as the policy decides, or Idle if it decides not to. A nil err is
// replaced by [ErrNil].
func (t *Tracker) ObserveCrash(now time.Time, err error) State {
	if err == nil {
		err = ErrNil
	}
	return t.ended(now, err)
}

// ObserveCleanExit enters that the task ended without an error and is not to be
// restarted: it opens the gate. The policy is asked, since a stable run may have
// earned a fresh slate, but holds nothing.
func (t *Tracker) ObserveCleanExit(now time.Time) State {
	t.cleanExit(now)
	t.word = 0
	return State{}
}

func (t *Tracker) cleanExit(now time.Time) {
	t.history.ObserveCleanExit(now)
	t.ask()
}

// ObserveRestart enters that the task ended without an error and is to be
// restarted, as one that should always run: the gate is held for as long as the
// policy decides.
func (t *Tracker) ObserveRestart(now time.Time) State { return t.ended(now, nil) }

func (t *Tracker) ask() policy.Decision {
	if t.policy == nil {
		t.policy = policy.Default()
	}
	return t.policy.Decide(&t.history)
}

// ended enters how a run ended that is to be followed by another, and holds the
// gate as the policy says. It is on the path of every crash, and so makes the
// state that follows at once.
func (t *Tracker) ended(now time.Time, err error) State {
	if err != nil {
		t.history.ObserveCrash(now, err)
	} else {
		t.history.ObserveCleanExit(now)
	}
	verdict, end := t.history.Apply(t.ask())
	if verdict == policy.Restart && t.history.LastDelay() == 0 {
		t.word = 0
		return State{}
	}
	phase := BackingOff + Phase(verdict) // the verdicts and the phases after Idle have one order
	if end >= forever {
		t.word = pack(phase, forever)
		return State{phase, never}
	}
	t.word = pack(phase, end)
	return State{phase, t.history.Time(end)}
}

// MaybeRelease opens the gate if the hold is over at now, and reports whether
// it did. It is false for a gate that is Idle already.
func (t *Tracker) MaybeRelease(now time.Time) bool {
	if t.word == 0 || !t.word.over(t.history.Offset(now)) {
		return false
	}
	t.word = 0
	return true
}

// ForceRelease opens the gate and wipes the slate, from any phase: the next
// crash counts as the first. It reports whether the gate was held.
func (t *Tracker) ForceRelease() bool {
	held := t.word != 0
	t.history.Reset()
	t.word = 0
	return held
}

// State returns the state as it stands. A hold that is over stays until
// [Tracker.MaybeRelease] or another event opens the gate; [State.Admissible]
// looks at the time.
func (t *Tracker) State() State { return t.word.state(&t.history) }

// Admissible reports whether the task may start at now.
func (t *Tracker) Admissible(now time.Time) bool { return t.word.admissible(&t.history, now) }

// History returns the history as the policy sees it. It is valid until the next
// call of another method and must not be changed.
func (t *Tracker) History() *policy.History { return &t.history }

// state reads of h only where its time begins.
func (w word) state(h *policy.History) State {
	phase, until := w.phase(), w.until()
	switch {
	case phase == Idle:
		return State{}
	case until == forever:
		return State{phase, never}
	}
	return State{phase, h.Time(until)}
}

func (w word) admissible(h *policy.History, now time.Time) bool {
	return w.phase() == Idle || w.over(h.Offset(now))
}
