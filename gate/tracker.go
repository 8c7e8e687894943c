package gate

import (
	"errors"
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
	"github.com/holdfast-go/holdfast/policy"
)

// ErrNil stands for the error of a crash that was observed with a nil one.
var ErrNil = errors.New("gate: crashed, with a nil error")

// Tracker is the state machine of a gate, alone: what happened goes in with the
// time at which it did, the state comes out. It has no clock and no goroutine.
//
// An instant earlier than the last one seen counts as that one, and so does one that
// no clock shows that is set, from before 1990 or after 2199, at a task that was
// observed by a clock that is. An instant 18 years or more from the last one means
// that the clock was set: no time has passed.
//
// The zero value is ready to use, under [policy.Default]. Nothing is allocated
// before the first crash, nor after it unless a policy looks more than 8
// crashes back. A policy that panics counts as policy.Default for that decision.
// A Tracker must not be copied once used. Not safe for concurrent use.
type Tracker struct {
	policy   policy.Policy // nil until used, for policy.Default
	log      history.Log
	word     word
	pausedBy *By  // nil unless paused
	fallible bool // the policy runs code of its user's
}

// NewTracker returns a tracker under p; a nil p is [policy.Default].
func NewTracker(p policy.Policy) *Tracker {
	t := &Tracker{}
	t.use(p, nil)
	return t
}

// use sets the policy, whose panics are handed to report.
func (t *Tracker) use(p policy.Policy, report func(any)) {
	if p == nil {
		p = policy.Default()
	}
	t.policy = policy.Guard(p, report)
	t.fallible = t.policy != p
}

// ObserveStart records that the task was started: it opens the gate and begins a
// run. If one is under way, that one is recorded as ended first, as clean.
func (t *Tracker) ObserveStart(now time.Time) {
	if t.log.Running() {
		defer t.begin(now) // even if the policy calls runtime.Goexit
		t.cleanExit(now)
		return
	}
	t.begin(now)
}

func (t *Tracker) begin(now time.Time) {
	t.log.ObserveStart(now)
	t.open()
}

// TryStart starts the task if it may start: if no run is under way and the gate is
// open at now, it records the start and returns true; otherwise it changes nothing.
func (t *Tracker) TryStart(now time.Time) bool {
	if t.log.Running() || !t.Admissible(now) {
		return false
	}
	t.ObserveStart(now)
	return true
}

// ObserveCrash records that the task crashed, and returns the state that follows:
// held as the policy decides, or Idle if it decides not to. A nil err is
// replaced by [ErrNil].
func (t *Tracker) ObserveCrash(now time.Time, err error) State {
	if err == nil {
		err = ErrNil
	}
	t.log.ObserveCrash(now, err)
	return t.ended()
}

// ObserveCleanExit records that the task ended without an error and is not to be
// restarted: it opens the gate, unless that is paused. The policy is asked, since a
// stable run may have earned a clean slate, but holds nothing.
func (t *Tracker) ObserveCleanExit(now time.Time) State {
	t.cleanExit(now)
	return t.State()
}

// ObserveRestart records that the task ended without an error and is to be
// restarted, as one that should always run: the gate is held for as long as the
// policy decides.
func (t *Tracker) ObserveRestart(now time.Time) State {
	t.log.ObserveCleanExit(now)
	return t.ended()
}

func (t *Tracker) cleanExit(now time.Time) {
	t.log.ObserveCleanExit(now)
	if t.word.phase() != Paused {
		t.open()
	}
	t.decide((*Tracker).exit)
}

// exit takes of a decision about a clean exit that holds nothing what counts.
func (t *Tracker) exit(d policy.Decision) {
	if d.Fresh {
		t.log.Fresh()
	}
}

// ended holds the gate as the policy says about the run that has ended.
func (t *Tracker) ended() State {
	if t.fallible || t.policy == nil {
		t.decide((*Tracker).hold)
	} else {
		t.hold(t.policy.Decide(t.History()))
	}
	return t.State()
}

// decide has the policy decide, and apply called with that. A policy that runs code
// of its user's may call runtime.Goexit, which nothing can stop: the default policy
// then has decided before the goroutine ends. A panic is contained by its guard.
func (t *Tracker) decide(apply func(*Tracker, policy.Decision)) {
	if t.policy == nil {
		t.policy = policy.Default()
	}
	decided := false
	defer func() {
		if !decided {
			apply(t, policy.Default().Decide(t.History()))
		}
	}()
	d := t.policy.Decide(t.History())
	decided = true
	apply(t, d)
}

func (t *Tracker) hold(d policy.Decision) {
	verdict, end := t.log.Apply(uint8(d.Verdict), d.Delay, d.Fresh, d.Uncounted)
	switch {
	case t.word.phase() == Paused:
	case verdict == history.Restart && d.Delay <= 0:
		t.word = 0
	default:
		// The verdicts and the phases after Idle have one order.
		t.word = pack(BackingOff+Phase(verdict), min(end, forever))
	}
}

// open ends a hold of whatever kind.
func (t *Tracker) open() {
	t.word = 0
	t.pausedBy = nil
}

// MaybeRelease opens the gate if the hold is over at now, and reports whether
// it did. It is false for a gate that is Idle already.
func (t *Tracker) MaybeRelease(now time.Time) bool {
	if t.word == 0 || !t.Admissible(now) {
		return false
	}
	t.open()
	return true
}

// ForceRelease opens the gate and wipes the slate, from any phase: the next
// crash counts as the first. It reports whether the gate was held.
func (t *Tracker) ForceRelease(_ ...By) bool {
	held := t.word != 0
	t.log.Reset()
	t.open()
	return held
}

// Probe opens the gate for a run, from any phase, and keeps the slate: a crash goes
// on where the last one was. One before the end of a crash loop's hold renews that.
// It reports whether the gate was held.
func (t *Tracker) Probe(_ ...By) bool {
	held := t.word != 0
	t.open()
	return held
}

// Pause holds the gate, from any phase, until it is opened by hand: by
// [Tracker.ForceRelease], [Tracker.Probe] or a start. A run under way goes on, and
// its end is recorded without opening the gate. It reports whether the gate was not
// paused already; who paused it last is kept.
func (t *Tracker) Pause(by ...By) bool {
	fresh := t.word.phase() != Paused
	t.word = pack(Paused, forever)
	t.pausedBy = new(first(by))
	return fresh
}

// PausedBy returns who paused the gate, and why; false if it is not paused.
func (t *Tracker) PausedBy() (By, bool) {
	if t.pausedBy == nil {
		return By{}, false
	}
	return *t.pausedBy, true
}

// State returns the state as it stands. A hold that is over stays until
// [Tracker.MaybeRelease] or another event opens the gate; [State.Admissible]
// looks at the time.
func (t *Tracker) State() State {
	return t.word.state(t.log.Origin())
}

// Admissible reports whether the task may start at now. An instant that counts as
// the last one seen is not the end of a hold.
func (t *Tracker) Admissible(now time.Time) bool {
	return t.word == 0 || t.word.admissible(t.log.Origin(), now)
}

// History returns the history as the policy sees it. It is valid until the next
// call of another method.
func (t *Tracker) History() policy.History { return policy.History(t.log.View()) }
