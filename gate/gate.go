package gate

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
	"github.com/holdfast-go/holdfast/policy"
)

// Gate is a [Tracker] for many goroutines, which can be waited for and reports its
// transitions to observers. Reading the state does not wait for an event under way,
// except at a task whose clock was set to another time. The instants of its events may
// come from any clock, but [Gate.Wait], the methods that open it by hand and
// [Gate.Restore] read the real one.
//
// A Gate is not a circuit breaker. A breaker guards calls that many callers make at
// once: it counts their successes, and lets one call through to see whether a dependency
// is back. A gate guards the starts of one task. Once its hold is over everyone who asks
// may pass, until another crash is observed, and no number of successes shortens a
// streak: only a run that lasts does. Where several callers may want to start the same
// task, [Gate.TryStart] lets one of them.
//
// The zero value is ready to use, under [policy.Default]. The policy decides while the
// gate is locked: it must not call methods of the gate, which would deadlock, and while
// it takes long other events wait. A policy that panics counts as policy.Default for
// that decision; see [OnPanic]. A Gate must not be copied once used. Safe for concurrent
// use.
type Gate struct {
	// mu guards the tracker and audience. Under it runs the policy, and no other code of
	// a user's: no observer, no Error method. The audience's own lock is taken inside it, never around it.
	mu sync.Mutex
	// published is the tracker's word, for readers without the lock: they need
	// nothing else but the log's base, and that only for a hold with an end. It never
	// changes after the first such word has been stored.
	published atomic.Int64
	tracker   Tracker
	audience  *audience // nil if nobody waits or observes
}

// Option is an option of [New]. A nil one is ignored.
type Option func(*Gate)

// OnTransition calls fn at each transition; see [Gate.OnTransition].
func OnTransition(fn func(Transition)) Option {
	return func(g *Gate) { g.OnTransition(fn) }
}

// OnPanic calls fn when the policy, or an observer of transitions, panics for the first
// time. The gate contains such panics: the default policy decides instead, and the
// observer is called again next time. Without OnPanic they go unnoticed. fn runs on the
// goroutine whose event it was, outside the gate's lock; a panic in it is contained,
// too. The last OnPanic wins. It panics if fn is nil.
func OnPanic(fn func(Panic)) Option {
	if fn == nil {
		panic("gate: OnPanic: fn is nil; give the function to call")
	}
	return func(g *Gate) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.heard().onPanic = fn
	}
}

// New returns a gate under p; a nil p is [policy.Default].
func New(p policy.Policy, opts ...Option) *Gate {
	g := &Gate{}
	g.tracker.use(p, g.policyPanicked)
	for _, opt := range opts {
		if opt != nil {
			opt(g)
		}
	}
	return g
}

// settle ends an event: it publishes the state, unlocks, and if the state is another
// than before, wakes those who wait and calls the observers.
func (g *Gate) settle(before State, at time.Time, cause Cause, by By) {
	g.publish()
	if g.audience == nil {
		g.mu.Unlock()
		return
	}
	g.announce(before, at, cause, by)
}

func (g *Gate) publish() {
	w := g.tracker.word
	if w != 0 && !w.Endless() && !g.tracker.log.Plain() {
		w = ask
	}
	g.published.Store(int64(w))
}

// ObserveStart records that the task was started; see [Tracker.ObserveStart].
func (g *Gate) ObserveStart(now time.Time) {
	g.mu.Lock()
	if g.audience != nil || g.tracker.rules == nil {
		g.start(now)
		return
	}
	g.tracker.ObserveStart(now)
	g.publish()
	g.mu.Unlock()
}

// start is ObserveStart of a gate that is locked, in any case.
func (g *Gate) start(now time.Time) {
	defer g.settle(g.tracker.State(), now, CauseStart, By{})
	g.tracker.ObserveStart(now)
}

// TryStart starts the task if it may start, and reports whether it did: of many
// callers at once one gets true. See [Tracker.TryStart].
func (g *Gate) TryStart(now time.Time) bool {
	if !g.Admissible(now) {
		return false
	}
	g.mu.Lock()
	defer g.settle(g.tracker.State(), now, CauseStart, By{})
	return g.tracker.TryStart(now)
}

// ObserveCrash records that the task crashed, and returns the state that
// follows; see [Tracker.ObserveCrash].
func (g *Gate) ObserveCrash(now time.Time, err error) State {
	g.mu.Lock()
	if g.audience != nil || g.tracker.rules == nil { // whose policy may call runtime.Goexit
		return g.crash(now, err)
	}
	s := g.tracker.ObserveCrash(now, err)
	g.publish()
	g.mu.Unlock()
	return s
}

// crash is ObserveCrash of a gate that is locked, in any case.
func (g *Gate) crash(now time.Time, err error) State {
	defer g.settle(g.tracker.State(), now, CauseCrash, By{})
	return g.tracker.ObserveCrash(now, err)
}

// ObserveCleanExit records that the task ended without an error and is not to be
// restarted; see [Tracker.ObserveCleanExit].
func (g *Gate) ObserveCleanExit(now time.Time) State {
	g.mu.Lock()
	defer g.settle(g.tracker.State(), now, CauseCleanExit, By{})
	return g.tracker.ObserveCleanExit(now)
}

// ObserveRestart records that the task ended without an error and is to be
// restarted; see [Tracker.ObserveRestart].
func (g *Gate) ObserveRestart(now time.Time) State {
	g.mu.Lock()
	defer g.settle(g.tracker.State(), now, CauseCleanExit, By{})
	return g.tracker.ObserveRestart(now)
}

// MaybeRelease opens the gate if the hold is over at now, and reports whether
// it did. Of many callers one gets true.
func (g *Gate) MaybeRelease(now time.Time) bool {
	if g.published.Load() == 0 || !g.Admissible(now) {
		return false
	}
	g.mu.Lock()
	defer g.settle(g.tracker.State(), now, CauseElapsed, By{})
	return g.tracker.MaybeRelease(now)
}

// ForceRelease opens the gate and wipes the slate, from any phase, and reports
// whether it was held. Those in [Gate.Wait] wake at once. The first of by says who
// wants it, and why.
func (g *Gate) ForceRelease(by ...By) bool {
	g.mu.Lock()
	g.note(by)
	defer g.settle(g.tracker.State(), time.Now(), CauseForce, first(by))
	return g.tracker.ForceRelease(by...)
}

// Probe opens the gate for a run, from any phase, and keeps the slate, and reports
// whether it was held; see [Tracker.Probe]. Those in [Gate.Wait] wake at once. The
// first of by says who wants it, and why.
func (g *Gate) Probe(by ...By) bool {
	g.mu.Lock()
	g.note(by)
	defer g.settle(g.tracker.State(), time.Now(), CauseProbe, first(by))
	return g.tracker.Probe(by...)
}

// Pause holds the gate until it is opened by hand, and reports whether it was not
// paused already; see [Tracker.Pause]. The first of by says who wants it, and why.
func (g *Gate) Pause(by ...By) bool {
	g.mu.Lock()
	defer g.settle(g.tracker.State(), time.Now(), CausePause, first(by))
	return g.tracker.Pause(by...)
}

// PausedBy returns who paused the gate, and why; false if it is not paused.
func (g *Gate) PausedBy() (By, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.tracker.PausedBy()
}

// note has it remembered who opens the gate, even if nobody observes it yet; the gate
// must be locked.
func (g *Gate) note(by []By) {
	if len(by) > 0 {
		g.heard()
	}
}

// OpenedBy returns what opened the gate last, and who and why if that was by hand. It
// returns false if the gate is held, or if it was opened without a [By] before anyone
// observed it or waited for it.
func (g *Gate) OpenedBy() (Cause, By, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.audience == nil || g.audience.opened.Seq == 0 || g.tracker.State().Phase() != Idle {
		return 0, By{}, false
	}
	return g.audience.opened.Cause, g.audience.opened.By, true
}

// State returns the state as it stands; see [Tracker.State].
func (g *Gate) State() State {
	w := word(g.published.Load())
	if timed(w) {
		return State{w, g.tracker.log.Base()}
	}
	return g.untimed(w)
}

// untimed is State for a published word that is not timed.
func (g *Gate) untimed(w word) State {
	if w == 0 || w.Endless() {
		return State{word: w}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.tracker.State()
}

// Admissible reports whether the task may start at now.
func (g *Gate) Admissible(now time.Time) bool {
	w := word(g.published.Load())
	if w == 0 {
		return true
	}
	if timed(w) {
		if at := now.Sub(g.tracker.log.Base()); history.Within(at) {
			return at >= w.Until()
		}
	}
	return g.State().Admissible(now)
}

// History returns a copy of the history, which stays as it is.
func (g *Gate) History() policy.History {
	g.mu.Lock()
	defer g.mu.Unlock()
	return policy.History(g.tracker.log.Clone().View())
}

// Snapshot returns the gate as data that can be saved; see [Tracker.Snapshot].
func (g *Gate) Snapshot() Snapshot {
	g.mu.Lock()
	t := Tracker{log: *g.tracker.log.Clone(), word: g.tracker.word, runs: g.tracker.runs}
	g.mu.Unlock()
	return t.Snapshot() // which calls the Error method of the last error, outside the lock
}

// Restore replaces the state by a saved one, or returns an error and leaves the
// gate as it was; see [Tracker.Restore].
func (g *Gate) Restore(s Snapshot) error {
	g.mu.Lock()
	defer g.settle(g.tracker.State(), time.Now(), CauseRestore, By{})
	return g.tracker.Restore(s)
}
