package gate_test

import (
	"context"
	"maps"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/gate/gatetest"
	"github.com/holdfast-go/holdfast/policy"
)

// inGoroutine runs f in a goroutine of its own, which f may end by runtime.Goexit, and
// returns when it has ended.
func inGoroutine(f func()) {
	var wg sync.WaitGroup
	wg.Go(f)
	wg.Wait()
}

// all are the events and questions of a gate, as callers and observers use them.
var all = map[string]func(g *gate.Gate, now time.Time){
	"ObserveStart":     func(g *gate.Gate, now time.Time) { g.ObserveStart(now) },
	"TryStart":         func(g *gate.Gate, now time.Time) { g.TryStart(now) },
	"ObserveCrash":     func(g *gate.Gate, now time.Time) { g.ObserveCrash(now, errCrash) },
	"ObserveCleanExit": func(g *gate.Gate, now time.Time) { g.ObserveCleanExit(now) },
	"ObserveRestart":   func(g *gate.Gate, now time.Time) { g.ObserveRestart(now) },
	"MaybeRelease":     func(g *gate.Gate, now time.Time) { g.MaybeRelease(now) },
	"ForceRelease":     func(g *gate.Gate, _ time.Time) { g.ForceRelease() },
	"Probe":            func(g *gate.Gate, _ time.Time) { g.Probe() },
	"Pause":            func(g *gate.Gate, _ time.Time) { g.Pause() },
	"PausedBy":         func(g *gate.Gate, _ time.Time) { g.PausedBy() },
	"State":            func(g *gate.Gate, _ time.Time) { g.State() },
	"Admissible":       func(g *gate.Gate, now time.Time) { g.Admissible(now) },
	"History":          func(g *gate.Gate, _ time.Time) { g.History().Streak() },
	"Snapshot":         func(g *gate.Gate, _ time.Time) { g.Snapshot() },
	"Restore":          func(g *gate.Gate, _ time.Time) { _ = g.Restore(g.Snapshot()) },
	"OnTransition":     func(g *gate.Gate, _ time.Time) { g.OnTransition(func(gate.Transition) {})() },
	"Wait": func(g *gate.Gate, _ time.Time) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = g.Wait(ctx)
	},
}

// mischief does something different at each call: nothing, panic, Goexit, or let others
// run.
type mischief struct{ calls atomic.Int64 }

func (m *mischief) do() {
	switch m.calls.Add(1) % 7 {
	case 1:
		panic("mischief")
	case 3:
		runtime.Goexit()
	case 5:
		runtime.Gosched()
	}
}

// Everything happens at once to one gate, whose policy, observers and handler of
// panics panic, call Goexit and use the gate. No crash is lost, no transition comes out
// of order, and the gate is as usable as before.
func TestStormOfMisbehaviour(t *testing.T) {
	events := maps.Clone(all)
	delete(events, "Restore") // which takes back what came after the snapshot
	var policyMischief, observerMischief, handlerMischief mischief
	var last gate.Transition
	var crashes, panics atomic.Int64
	var over atomic.Bool
	var g *gate.Gate
	g = gate.New(policy.Func(func(h policy.History) policy.Decision {
		policyMischief.do()
		return policy.Decision{Delay: time.Duration(h.Streak()%3) * time.Nanosecond}
	}),
		gate.OnTransition(func(tr gate.Transition) {
			// Where observers are slow there may be gaps, but no disorder.
			if tr.Seq <= last.Seq || tr.Seq == last.Seq+1 && tr.From != last.To || tr.From == tr.To {
				t.Errorf("transition %+v follows %+v", tr, last)
			}
			last = tr
		}),
		gate.OnTransition(func(tr gate.Transition) {
			if over.Load() {
				return
			}
			defer observerMischief.do()
			events[names(events)[tr.Seq%uint64(len(events))]](g, tr.At)
			if tr.To.Phase() == gate.Paused {
				g.Probe()
			}
		}),
		gate.OnPanic(func(gate.Panic) {
			panics.Add(1)
			handlerMischief.do()
		}))

	const goroutines, rounds = 8, 40
	together(goroutines, func(i int) {
		for round := range rounds {
			now := start.Add(time.Duration(round))
			for name, event := range events {
				inGoroutine(func() {
					if name == "ObserveCrash" {
						crashes.Add(1)
					}
					event(g, now)
				})
			}
		}
	})
	over.Store(true)
	for range 10 { // of which one delivers what a Goexit may have left
		inGoroutine(func() { g.ObserveCrash(at(1), errCrash) })
		inGoroutine(func() { g.ForceRelease() })
	}
	if got := g.History().Crashes(); got < uint64(crashes.Load())+10 {
		t.Errorf("%d crashes were recorded, want the %d observed at least", got, crashes.Load()+10)
	}
	if last.To != (gate.State{}) {
		t.Errorf("the last transition delivered is %+v, want the force release", last)
	}
	if g.State() != (gate.State{}) || panics.Load() == 0 {
		t.Errorf("state = %v after a force release, and %d panics were handed over", g.State(), panics.Load())
	}
}

// exits is a policy that never returns.
var exits = policy.Func(func(policy.History) policy.Decision {
	runtime.Goexit()
	return policy.Decision{}
})

// A policy that calls runtime.Goexit ends the goroutine that it was called on, and
// nothing else: the event has taken place, decided by the default policy.
func TestPolicyThatCallsGoexit(t *testing.T) {
	onEach(t, func(t *testing.T, fresh func(policy.Policy) machine) {
		m, like := seeded(t, fresh(exits)), seeded(t, gate.NewTracker(policy.Default()))
		for i, event := range []func(m machine, now time.Time){
			func(m machine, now time.Time) { m.ObserveStart(now) },
			func(m machine, now time.Time) { m.ObserveStart(now) }, // asks about the first run
			func(m machine, now time.Time) { m.ObserveCrash(now, errCrash) },
			func(m machine, now time.Time) { m.ObserveCrash(now, errCrash) },
			func(m machine, now time.Time) { m.ObserveRestart(now) },
			func(m machine, now time.Time) { m.ObserveCleanExit(now) },
			func(m machine, now time.Time) { m.TryStart(now) },
			func(m machine, now time.Time) { m.Pause(); m.ObserveCrash(now, errCrash) },
			func(m machine, now time.Time) { m.ForceRelease() },
			func(m machine, now time.Time) { m.ObserveCrash(now, nil) },
		} {
			inGoroutine(func() { event(m, at(float64(i))) })
			event(like, at(float64(i)))
			wantState(t, m, like.State())
			if got, want := mustMarshal(t, m.Snapshot()), mustMarshal(t, like.Snapshot()); got != want {
				t.Errorf("event %d:\n got %s\nwant %s", i, got, want)
			}
		}
	})
}

// Whoever waits wakes up, even if the policy or an observer has ended the goroutine
// whose event it was.
func TestGoexitWakesThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(exits, gate.OnTransition(func(tr gate.Transition) {
			if tr.Cause == gate.CauseCleanExit {
				runtime.Goexit()
			}
		}))
		inGoroutine(func() { g.ObserveCrash(time.Now(), errCrash) })
		begin := time.Now()
		result := waiting(t.Context(), g)
		inGoroutine(func() { g.ObserveCleanExit(time.Now()) })
		if err := result(); err != nil {
			t.Errorf("Wait = %v, want nil", err)
		}
		wantPassed(t, begin, 0)
	})
}

// An observer that blocks keeps nobody from waking, nor from using the gate.
func TestBlockedObserverKeepsNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		blocked := make(chan struct{})
		g := gate.New(policy.Classic(), gate.OnTransition(func(gate.Transition) { <-blocked }))
		go g.ObserveCrash(time.Now(), errCrash)
		synctest.Wait()
		result := waiting(t.Context(), g)
		for name, event := range all {
			event(g, time.Now())
			synctest.Wait()
			if name == "Pause" {
				g.Probe()
			}
		}
		g.ForceRelease()
		if err := result(); err != nil {
			t.Errorf("Wait = %v, want nil", err)
		}
		close(blocked)
		synctest.Wait()
	})
}

// An observer may call any method of the gate, and a handler of panics, too. What is
// pending is delivered even if the handler calls Goexit.
func TestObserversAndHandlersMayCallEverything(t *testing.T) {
	for name, call := range all {
		t.Run(name, func(t *testing.T) {
			var rec gatetest.Recorder
			var g *gate.Gate
			calls := 0
			use := func() {
				if calls++; calls < 4 {
					call(g, at(100))
				}
			}
			g = gate.New(helpless, gate.OnTransition(func(gate.Transition) { use() }), gate.OnTransition(rec.Observe),
				gate.OnPanic(func(gate.Panic) {
					use()
					runtime.Goexit()
				}))
			inGoroutine(func() { g.ObserveCrash(at(0), errCrash) })
			if calls < 2 {
				t.Errorf("%d calls of an observer or a handler, want both to have been called", calls)
			}
			if got := rec.Transitions(); len(got) == 0 || got[0].Cause != gate.CauseCrash {
				t.Errorf("transitions = %v, want the crash to have been delivered", got)
			}
			inGoroutine(func() { g.Pause(); g.ForceRelease() })
			if err := rec.Check(); err != nil {
				t.Error(err)
			}
			wantState(t, g, gate.State{})
		})
	}
}
