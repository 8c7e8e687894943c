package gate

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// Gate is a [Tracker] for many goroutines, which can be waited for and tells
// observers of its transitions. Those who read the state never lock and never
// wait for those who change it. The instants of its events may come from any
// clock the caller likes, but [Gate.Wait], [Gate.ForceRelease] and
// [Gate.Restore] read the real one.
//
// The zero value is ready to use, under [policy.Default]. A policy is asked
// while the gate is locked: it must not use the gate nor call runtime.Goexit,
// and while it takes long others wait. One that panics counts as policy.Default
// for that decision and is reported once. A Gate must not be copied once used.
// Safe for concurrent use.
type Gate struct {
	// published is the tracker's word, as readers see it, and by its lock bit the
	// lock of all else. Who sets the bit owns the rest of the gate until they
	// store a word without it, which publishes and unlocks at once. Readers use
	// the word and history.base, which never changes after the first word that is
	// not zero has been stored.
	published atomic.Int64
	queue     sync.Mutex // whoever finds the gate locked spins holding this, so that only one does
	tracker   Tracker
	audience  *audience // nil if nobody waits or observes, and it is in no Set
}

// Option is an option of [New]. Safe for concurrent use.
type Option func(*Gate)

// OnTransition has fn called at each transition; see [Gate.OnTransition].
func OnTransition(fn func(Transition)) Option {
	return func(g *Gate) { g.OnTransition(fn) }
}

// New returns a gate under p; a nil p is [policy.Default].
func New(p policy.Policy, opts ...Option) *Gate {
	g := &Gate{}
	g.tracker.policy = policy.Guard(p, g.policyPanicked)
	for _, opt := range opts {
		opt(g)
	}
	return g
}

func (g *Gate) load() word { return word(g.published.Load()) }

func (g *Gate) tryLock() bool {
	w := g.published.Load()
	return w&int64(locked) == 0 && g.published.CompareAndSwap(w, w|int64(locked))
}

func (g *Gate) lock() {
	if !g.tryLock() {
		g.lockSlow()
	}
}

// lockSlow spins: the gate is locked for some tens of nanoseconds, unless its
// policy is slow.
func (g *Gate) lockSlow() {
	g.queue.Lock()
	defer g.queue.Unlock()
	for !g.tryLock() {
		runtime.Gosched()
	}
}

func (g *Gate) unlock() { g.published.Store(int64(g.tracker.word)) }

// unlockAfter ends an event: it unlocks, tells the Set that the gate is in, and
// if the state changed from what it was before, wakes those who wait and tells
// the observers.
func (g *Gate) unlockAfter(before word, at time.Time, cause Cause) {
	if g.audience == nil {
		g.unlock()
		return
	}
	g.announce(before, at, cause)
}

// ObserveStart enters that the task was started; see [Tracker.ObserveStart].
func (g *Gate) ObserveStart(now time.Time) {
	g.lock()
	before := g.tracker.word
	g.tracker.ObserveStart(now)
	g.unlockAfter(before, now, CauseStart)
}

// ObserveCrash enters that the task crashed, and returns the state that
// follows; see [Tracker.ObserveCrash].
func (g *Gate) ObserveCrash(now time.Time, err error) State {
	g.lock()
	before := g.tracker.word
	s := g.tracker.ObserveCrash(now, err)
	g.unlockAfter(before, now, CauseCrash)
	return s
}

// ObserveCleanExit enters that the task ended without an error and is not to be
// restarted; see [Tracker.ObserveCleanExit].
func (g *Gate) ObserveCleanExit(now time.Time) State {
	g.lock()
	before := g.tracker.word
	s := g.tracker.ObserveCleanExit(now)
	g.unlockAfter(before, now, CauseCleanExit)
	return s
}

// ObserveRestart enters that the task ended without an error and is to be
// restarted; see [Tracker.ObserveRestart].
func (g *Gate) ObserveRestart(now time.Time) State {
	g.lock()
	before := g.tracker.word
	s := g.tracker.ObserveRestart(now)
	g.unlockAfter(before, now, CauseCleanExit)
	return s
}

// MaybeRelease opens the gate if the hold is over at now, and reports whether
// it did. Of many callers one gets true.
func (g *Gate) MaybeRelease(now time.Time) bool {
	if w := g.load(); w.phase() == Idle || !w.admissible(&g.tracker.history, now) {
		return false
	}
	g.lock()
	before := g.tracker.word
	released := g.tracker.MaybeRelease(now)
	g.unlockAfter(before, now, CauseElapsed)
	return released
}

// ForceRelease opens the gate and wipes the slate, from any phase, and reports
// whether it was held. Those in [Gate.Wait] wake at once.
func (g *Gate) ForceRelease() bool {
	g.lock()
	before := g.tracker.word
	held := g.tracker.ForceRelease()
	g.unlockAfter(before, time.Now(), CauseForce)
	return held
}

// State returns the state as it stands; see [Tracker.State]. It never blocks.
func (g *Gate) State() State { return g.load().state(&g.tracker.history) }

// Admissible reports whether the task may start at now. It never blocks.
func (g *Gate) Admissible(now time.Time) bool {
	return g.load().admissible(&g.tracker.history, now)
}

// History returns a copy of the history.
func (g *Gate) History() *policy.History {
	g.lock()
	defer g.unlock()
	h := g.tracker.history.Clone()
	return &h
}

// Snapshot returns the gate as data that can be saved; see [Tracker.Snapshot].
func (g *Gate) Snapshot() Snapshot {
	g.lock()
	defer g.unlock()
	return g.tracker.Snapshot()
}

// Restore replaces the state by a saved one, or returns an error and leaves the
// gate as it was; see [Tracker.Restore].
func (g *Gate) Restore(s Snapshot) error { return g.restore(time.Now(), s) }

func (g *Gate) restore(now time.Time, s Snapshot) error {
	g.lock()
	before := g.tracker.word
	err := g.tracker.Restore(s)
	g.unlockAfter(before, now, CauseRestore)
	return err
}

// Wait blocks until the gate is open and returns nil; a hold that is over by
// the real clock is released by it. It wakes at once when the gate is opened by
// a force release or another event, and goes on waiting when a hold is
// prolonged. If ctx is done first, or already, it returns [context.Cause](ctx).
// At a gate that gave up it waits for one of these too.
func (g *Gate) Wait(ctx context.Context) error {
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		now := time.Now()
		if g.Admissible(now) {
			g.MaybeRelease(now)
			return nil
		}
		changed, left := g.watch(now)
		waitFor(ctx, changed, left)
	}
}

// watch returns a channel that is closed at the next transition, and how long
// the hold lasts from now.
func (g *Gate) watch(now time.Time) (<-chan struct{}, time.Duration) {
	g.lock()
	defer g.unlock()
	changed := g.listening().changed()
	w := g.tracker.word
	switch {
	case w == 0:
		return changed, 0
	case w.until() == forever:
		return changed, -1
	}
	return changed, max(w.until()-max(g.tracker.history.Offset(now), -forever), 0)
}

// waitFor returns when ctx is done, changed is closed, or left is over; a
// negative one never is.
func waitFor(ctx context.Context, changed <-chan struct{}, left time.Duration) {
	var elapsed <-chan time.Time
	if left >= 0 {
		timer := time.NewTimer(left)
		defer timer.Stop()
		elapsed = timer.C
	}
	select {
	case <-ctx.Done():
	case <-changed:
	case <-elapsed:
	}
}
