package gate_test

import (
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/gate/gatetest"
	"github.com/holdfast-go/holdfast/policy"
)

func TestTransitions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []gate.Transition
		g := gate.New(policy.Classic())
		g.ObserveCrash(at(0), errCrash) // before anybody observes
		g.ForceRelease()
		stop := g.OnTransition(func(tr gate.Transition) { got = append(got, tr) })

		first := g.ObserveCrash(at(10), errCrash)
		second := g.ObserveCrash(at(11), nil)
		g.MaybeRelease(at(11))
		g.MaybeRelease(at(12))
		g.ObserveStart(at(13)) // idle already
		third := g.ObserveCrash(at(14), errCrash)
		g.ObserveStart(at(15))
		fourth := g.ObserveRestart(at(16))
		g.ObserveCleanExit(at(17))
		saved := g.Snapshot()
		fifth := g.ObserveCrash(at(18), errCrash)
		if g.Restore(gate.Snapshot{}) == nil {
			t.Error("an empty snapshot was restored")
		}
		if err := g.Restore(saved); err != nil {
			t.Error(err)
		}
		sixth := g.ObserveCrash(at(19), errCrash)
		time.Sleep(time.Hour)
		g.ForceRelease()
		g.ForceRelease() // idle already
		stop()
		stop()
		g.ObserveCrash(at(20), errCrash)

		idle := gate.State{}
		began := time.Now().Add(-time.Hour)
		want := []gate.Transition{
			{idle, first, at(10), gate.CauseCrash, errCrash, gate.By{}, 1},
			{first, second, at(11), gate.CauseCrash, gate.ErrNil, gate.By{}, 2},
			{second, idle, at(12), gate.CauseElapsed, nil, gate.By{}, 3},
			{idle, third, at(14), gate.CauseCrash, errCrash, gate.By{}, 4},
			{third, idle, at(15), gate.CauseStart, nil, gate.By{}, 5},
			{idle, fourth, at(16), gate.CauseCleanExit, nil, gate.By{}, 6},
			{fourth, idle, at(17), gate.CauseCleanExit, nil, gate.By{}, 7},
			{idle, fifth, at(18), gate.CauseCrash, errCrash, gate.By{}, 8},
			{fifth, idle, began, gate.CauseRestore, nil, gate.By{}, 9},
			{idle, sixth, at(19), gate.CauseCrash, errCrash, gate.By{}, 10},
			{sixth, idle, time.Now(), gate.CauseForce, nil, gate.By{}, 11},
		}
		for i := range max(len(got), len(want)) {
			if i >= len(got) || i >= len(want) || !sameTransition(got[i], want[i]) {
				t.Fatalf("transition %d differs:\n got %v\nwant %v", i+1, got, want)
			}
		}
	})
}

func sameTransition(a, b gate.Transition) bool {
	sameAt := a.At.Equal(b.At)
	a.At, b.At = time.Time{}, time.Time{}
	return sameAt && a == b
}

func TestOnTransitionRefusesNil(t *testing.T) {
	for name, use := range map[string]func(){
		"method": func() { gate.New(policy.Classic()).OnTransition(nil) },
		"option": func() { gate.New(policy.Classic(), gate.OnTransition(nil)) },
	} {
		func() {
			defer func() {
				if v, _ := recover().(string); !strings.HasPrefix(v, "gate: OnTransition: fn is nil") {
					t.Errorf("%s: recovered %q, want a panic that says so", name, v)
				}
			}()
			use()
		}()
	}
}

func TestObserversAreIndependent(t *testing.T) {
	var first, second gatetest.Recorder
	g := gate.New(policy.Classic(), gate.OnTransition(first.Observe))
	g.ObserveCrash(at(0), errCrash)
	stop := g.OnTransition(second.Observe)
	g.ObserveCrash(at(1), errCrash)
	stop()
	g.ObserveCrash(at(2), errCrash)
	if got := len(first.Transitions()); got != 3 {
		t.Errorf("the first saw %d transitions, want 3", got)
	}
	if got := second.Transitions(); len(got) != 1 || got[0].Seq != 2 {
		t.Errorf("the second saw %v, want number 2 alone", got)
	}
}

// An observer may use the gate. What it causes is delivered after it has returned.
func TestObserverThatUsesTheGate(t *testing.T) {
	var g *gate.Gate
	var rec gatetest.Recorder
	var depth int
	g = gate.New(policy.Classic(), gate.OnTransition(func(tr gate.Transition) {
		if depth++; depth != 1 {
			t.Error("the observer was called while it was being called")
		}
		defer func() { depth-- }()
		if g.State() != tr.To {
			t.Errorf("state = %v in the observer of %v", g.State(), tr.To)
		}
		if tr.To.Phase() == gate.CrashLooping {
			g.ForceRelease()
		}
		g.Snapshot()
		g.History()
	}), gate.OnTransition(rec.Observe))
	for range 5 {
		g.ObserveCrash(at(0), errCrash)
	}
	want := []gate.Phase{gate.BackingOff, gate.BackingOff, gate.BackingOff, gate.BackingOff, gate.CrashLooping, gate.Idle}
	if got := rec.Phases(); !slices.Equal(got, want) {
		t.Errorf("phases = %v, want %v", got, want)
	}
	if err := rec.Check(); err != nil {
		t.Error(err)
	}
}

// An observer may observe and stop observing while it is being told.
func TestObserverThatObserves(t *testing.T) {
	var g gate.Gate
	var late gatetest.Recorder
	var calls int
	var stop func()
	stop = g.OnTransition(func(gate.Transition) {
		calls++
		g.ForceRelease() // pending while the next one comes
		g.OnTransition(late.Observe)
		stop()
	})
	g.ObserveCrash(at(0), errCrash)
	if calls != 1 {
		t.Errorf("the observer that stopped was called %d times, want once", calls)
	}
	if got := late.Transitions(); len(got) != 0 {
		t.Errorf("the late one was told of %v, which was before it came", got)
	}
	g.ObserveCrash(at(1), errCrash)
	if got := late.Transitions(); len(got) != 1 || got[0].Seq != 3 {
		t.Errorf("the late one was told of %v, want number 3 alone", got)
	}
}

func TestObserverThatPanics(t *testing.T) {
	var panics []gate.Panic
	var rec gatetest.Recorder
	var calls int
	g := gate.New(policy.Classic(), gate.OnTransition(func(gate.Transition) {
		calls++
		panic("out of ink")
	}), gate.OnTransition(rec.Observe), gate.OnPanic(func(p gate.Panic) { panics = append(panics, p) }))
	for range 3 {
		g.ObserveCrash(at(0), errCrash)
	}
	if calls != 3 || len(rec.Transitions()) != 3 {
		t.Errorf("it was called %d times, the other one %d times; want 3 and 3", calls, len(rec.Transitions()))
	}
	wantPanic(t, panics, gate.OfObserver, "out of ink")
}

// runtime.Goexit in an observer, as by a test's FailNow, ends the goroutine it
// came on, but takes nothing from the others: not the gate, not their news.
func TestObserverThatCallsGoexit(t *testing.T) {
	var rec gatetest.Recorder
	var g *gate.Gate
	exits := 2
	g = gate.New(policy.Classic(), gate.OnTransition(func(gate.Transition) {
		if exits--; exits >= 0 {
			g.ForceRelease() // pending, with nobody left to deliver it
			runtime.Goexit()
		}
	}), gate.OnTransition(rec.Observe))

	returned := false
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		g.ObserveCrash(at(0), errCrash)
		returned = true
	}()
	<-ended
	if returned {
		t.Error("Goexit was lost: the goroutine went on")
	}
	if got := rec.Phases(); !slices.Equal(got, []gate.Phase{gate.BackingOff}) {
		t.Errorf("the other observer saw %v, want the crash", got)
	}

	ended = make(chan struct{})
	go func() {
		defer close(ended)
		g.ObserveCrash(at(1), errCrash)
	}()
	<-ended
	g.ObserveCrash(at(2), errCrash)
	if got := g.History().Streak(); got != 1 {
		t.Errorf("streak = %d, want 1, after two force releases", got)
	}
	if err := rec.Check(); err != nil {
		t.Error(err)
	}
	if got := len(rec.Transitions()); got != 5 {
		t.Errorf("the other observer saw %v, want 3 crashes and 2 force releases", rec.Transitions())
	}
}

// While an observer blocks, the gate goes on: 1024 transitions are kept for it,
// and further ones dropped.
func TestObserverThatBlocks(t *testing.T) {
	const kept, dropped = 1024, 76
	called, release := make(chan struct{}), make(chan struct{})
	var rec gatetest.Recorder
	g := gate.New(policy.Classic())
	g.OnTransition(func(tr gate.Transition) {
		rec.Observe(tr)
		if tr.Seq == 1 {
			close(called)
			<-release
		}
	})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		g.ObserveCrash(at(0), errCrash)
	}()
	<-called
	for range (kept + dropped) / 2 {
		g.ForceRelease()
		g.ObserveCrash(at(0), errCrash)
	}
	close(release)
	<-ended

	got := rec.Transitions()
	if len(got) != 1+kept {
		t.Fatalf("%d transitions were delivered, want %d", len(got), 1+kept)
	}
	if err := rec.Check(); err != nil {
		t.Errorf("those delivered are broken: %v", err)
	}
	g.ForceRelease()
	got = rec.Transitions()
	if last := got[len(got)-1]; last.Seq != 1+kept+dropped+1 {
		t.Errorf("the next has number %d, want a gap up to %d", last.Seq, 1+kept+dropped+1)
	}
	if err := rec.Check(); err == nil {
		t.Error("the gap was not found")
	}
}
