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
// Instants may be odd. One up to a day before the last one seen counts as that one. One
// that is further back, or 18 years ahead, means that the clock was set: no time has
// passed. One from before 1990 or after 2199 comes from a clock that is not set, and
// counts as the last one seen at a task that has seen one that is; nothing opens by it.
//
// The zero value is ready to use, under [policy.Default]. Nothing is allocated
// before the first crash, nor after it unless a policy looks more than 8
// crashes back. A policy that panics counts as policy.Default for that decision.
// A Tracker must not be copied once used. Not safe for concurrent use.
type Tracker struct {
	policy policy.Policy // nil until used, for policy.Default
	log    history.Log
	word   word
	runs   uint64         // that were started
	rules  *history.Rules // of the policy, where it is one that need not be asked
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
	if compiled, ok := p.(interface{ Rules() *history.Rules }); ok {
		t.rules = compiled.Rules()
	}
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
	t.runs++
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
	if t.rules == nil || err == nil || t.word == paused || !t.log.SeeFrom(now.Sub(t.log.Base())) {
		return t.crash(now, err)
	}
	// Most crashes of most tasks take this way.
	t.word = t.log.CrashUnder(t.rules, err)
	return stateOf(t.word, t.log.Base())
}

// crash is ObserveCrash, whatever has happened and under any policy.
func (t *Tracker) crash(now time.Time, err error) State {
	if err == nil {
		err = ErrNil
	}
	t.log.ObserveCrash(now, err)
	t.decide((*Tracker).apply)
	return t.State()
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
	t.decide((*Tracker).apply)
	return t.State()
}

func (t *Tracker) cleanExit(now time.Time) {
	t.log.ObserveCleanExit(now)
	if t.word != paused {
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

// decide has the policy decide, and apply called with that. A policy that runs code
// of its user's may call runtime.Goexit, which nothing can stop: the default policy
// then has decided before the goroutine ends. A panic is contained by its guard.
func (t *Tracker) decide(apply func(*Tracker, policy.Decision)) {
	if t.policy == nil {
		t.use(nil, nil)
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

func (t *Tracker) apply(d policy.Decision) {
	t.hold(t.log.Apply(uint8(d.Verdict), d.Delay, d.Fresh, d.Uncounted))
}

// hold holds the gate, unless that is paused.
func (t *Tracker) hold(w word) {
	if t.word != paused {
		t.word = w
	}
}

// paused is the one state of a gate that is paused.
const paused = word(forever)<<3 | word(Paused)

// open ends a hold of whatever kind.
func (t *Tracker) open() {
	if t.word == paused {
		t.log.SetPausedBy(nil)
	}
	t.word = 0
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
	fresh := t.word != paused
	t.pause(first(by))
	return fresh
}

func (t *Tracker) pause(by By) {
	t.word = paused
	t.log.SetPausedBy(new(history.By(by)))
}

// PausedBy returns who paused the gate, and why; false if it is not paused.
func (t *Tracker) PausedBy() (By, bool) {
	if by := t.log.PausedBy(); by != nil {
		return By(*by), true
	}
	return By{}, false
}

// State returns the state as it stands. A hold that is over stays until
// [Tracker.MaybeRelease] or another event opens the gate; [State.Admissible]
// looks at the time.
func (t *Tracker) State() State {
	return stateOf(t.word, t.log.Origin())
}

// Admissible reports whether the task may start at now. An instant that counts as
// the last one seen is not the end of a hold.
func (t *Tracker) Admissible(now time.Time) bool {
	return t.word == 0 || t.word.Admissible(t.log.Origin(), now)
}

// History returns the history as the policy sees it. It is valid until the next
// call of another method.
func (t *Tracker) History() policy.History { return policy.History(t.log.View()) }
