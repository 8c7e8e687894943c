package gate_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

// After each hold exactly one of those who ask at once starts the task, of all that ask
// while it runs none, and before the end of the hold none.
func TestTryStartIsTrueForOneOfMany(t *testing.T) {
	const callers, rounds = 8, 1000
	g := gate.New(policy.Constant(time.Second))
	now := start
	for round := range rounds {
		var early, started, late atomic.Int32
		count := func(n *atomic.Int32, now time.Time) {
			if g.TryStart(now) {
				n.Add(1)
			}
		}
		until := g.ObserveCrash(now, errCrash).Until()
		together(callers, func(int) {
			count(&early, until.Add(-1))
			count(&started, until)
		})
		together(callers, func(int) { count(&late, until.Add(time.Minute)) })
		if early.Load() != 0 || started.Load() != 1 || late.Load() != 0 {
			t.Fatalf("round %d: %d started early, %d in time, %d late; want 0, 1, 0", round, early.Load(), started.Load(), late.Load())
		}
		now = until.Add(time.Second)
	}
	if got := g.History().Ran(); got != time.Second {
		t.Errorf("the last run but one lasted %v, want a second", got)
	}
}

// Starts that are tried race crashes that are observed: a crash ends a run that was
// started, so that there is one start for each.
func TestTryStartAgainstCrash(t *testing.T) {
	g := gate.New(policy.Constant(0))
	var starts, crashes atomic.Int32
	together(8, func(i int) {
		for range 500 {
			if g.TryStart(start) {
				starts.Add(1)
				g.ObserveCrash(start, errCrash)
				crashes.Add(1)
			}
		}
	})
	if starts.Load() == 0 || starts.Load() != crashes.Load() || g.History().Crashes() != uint64(crashes.Load()) {
		t.Errorf("%d starts, %d crashes, %d of them recorded; want as many of each", starts.Load(), crashes.Load(), g.History().Crashes())
	}
}

// A gate is no circuit breaker: after a hold it lets everyone pass who asks, not one …
func TestEveryonePassesAfterAHold(t *testing.T) {
	const callers = 20
	g := gate.New(policy.Classic())
	until := g.ObserveCrash(at(0), errCrash).Until()
	for _, when := range []string{"while it is held still", "released", "while the task runs"} {
		var passed atomic.Int32
		together(callers, func(int) {
			if g.Admissible(until) {
				passed.Add(1)
			}
		})
		if got := passed.Load(); got != callers {
			t.Errorf("%s: %d of %d passed, want all", when, got, callers)
		}
		if !g.MaybeRelease(until) {
			g.ObserveStart(until)
		}
	}
}

// … and successes do not count: only a run that lasts shortens a streak.
func TestSuccessesLeaveTheStreak(t *testing.T) {
	onEach(t, func(t *testing.T, fresh func(policy.Policy) machine) {
		m := fresh(policy.Classic())
		for i := range 3 {
			m.ObserveCrash(at(float64(i)), errCrash)
		}
		now := 10.0
		for range 100 {
			m.ObserveStart(at(now))
			m.ObserveCleanExit(at(now + 59.999))
			now += 59.999
		}
		if got := m.History().Streak(); got != 3 {
			t.Errorf("streak = %d after 100 clean exits, want 3 still", got)
		}
		m.ObserveCrash(at(now), errCrash)
		wantState(t, m, held(gate.BackingOff, at(now+4)))
		m.ObserveStart(at(now + 4))
		m.ObserveCleanExit(at(now + 64))
		if got := m.History().Streak(); got != 0 {
			t.Errorf("streak = %d after a stable run, want 0", got)
		}
	})
}
