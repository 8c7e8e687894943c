package gate_test

import (
	"strings"
	"testing"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/gate/gatetest"
	"github.com/holdfast-go/holdfast/policy"
)

// wantPanic fails unless exactly one panic was handed over, of that function and with
// that value, and its stack leads to this package.
func wantPanic(t *testing.T, got []gate.Panic, of string, value any) {
	t.Helper()
	if len(got) != 1 {
		t.Fatalf("%d panics were handed over, want one: %v", len(got), got)
	}
	if p := got[0]; p.Of != of || p.Value != value || !strings.Contains(string(p.Stack), "gate_test.") {
		t.Errorf("panic of %q with %v, want one of %q with %v; stack:\n%s", p.Of, p.Value, of, value, p.Stack)
	}
}

// helpless is a policy that panics.
var helpless = policy.Func(func(policy.History) policy.Decision { panic("no idea") })

func TestPolicyThatPanicsIsReportedOnce(t *testing.T) {
	var panics []gate.Panic
	g := gate.New(helpless, gate.OnPanic(func(p gate.Panic) { panics = append(panics, p) }))
	for range 3 {
		g.ObserveCrash(at(0), errCrash)
	}
	g.ObserveStart(at(1))
	g.ObserveStart(at(2))
	wantPanic(t, panics, gate.OfPolicy, "no idea")
}

// A handler that uses the gate whose panic it gets must find it unlocked.
func TestOnPanicIsCalledOutsideTheLock(t *testing.T) {
	var states []gate.State
	var g *gate.Gate
	g = gate.New(helpless, gate.OnPanic(func(gate.Panic) {
		g.ForceRelease()
		states = append(states, g.State())
	}))
	g.ObserveCrash(at(0), errCrash)
	if len(states) != 1 || states[0] != (gate.State{}) {
		t.Errorf("states = %v, want the handler to have opened the gate", states)
	}
}

func TestOnPanicRefusesNil(t *testing.T) {
	defer func() {
		if v, _ := recover().(string); !strings.HasPrefix(v, "gate: OnPanic: fn is nil") {
			t.Errorf("recovered %q, want a panic that says so", v)
		}
	}()
	gate.OnPanic(nil)
}

// A handler that panics is contained, as what it was called for.
func TestOnPanicThatPanics(t *testing.T) {
	var rec gatetest.Recorder
	calls := 0
	g := gate.New(helpless,
		gate.OnTransition(func(gate.Transition) { panic("out of ink") }),
		gate.OnTransition(rec.Observe),
		gate.OnPanic(func(gate.Panic) {
			calls++
			panic("out of words")
		}))
	g.ObserveCrash(at(0), errCrash)
	g.ObserveCrash(at(1), errCrash)
	if calls != 2 || len(rec.Transitions()) != 2 {
		t.Errorf("%d panics were handed over, %d transitions; want 2, of the policy and an observer, and 2", calls, len(rec.Transitions()))
	}
}

// Of several handlers the last one is called; without one, a panic is contained all the
// same.
func TestOnPanicIsReplaced(t *testing.T) {
	var first, last []gate.Panic
	g := gate.New(helpless,
		gate.OnPanic(func(p gate.Panic) { first = append(first, p) }), nil,
		gate.OnPanic(func(p gate.Panic) { last = append(last, p) }))
	g.ObserveCrash(at(0), errCrash)
	wantPanic(t, last, gate.OfPolicy, "no idea")
	if len(first) != 0 {
		t.Errorf("the first handler got %v, though there is another", first)
	}
	gate.New(helpless).ObserveCrash(at(0), errCrash)
}

// The stack of a panic is that of the function that panicked.
func TestOnPanicHasTheStackOfThePanic(t *testing.T) {
	var panics []gate.Panic
	g := gate.New(policy.Func(panicsDeepDown), gate.OnPanic(func(p gate.Panic) { panics = append(panics, p) }))
	g.ObserveCrash(at(0), errCrash)
	wantPanic(t, panics, gate.OfPolicy, errCrash)
	if !strings.Contains(string(panics[0].Stack), "gate_test.panicsDeepDown") {
		t.Errorf("stack = %s, want that of panicsDeepDown", panics[0].Stack)
	}
}

func panicsDeepDown(policy.History) policy.Decision { panic(errCrash) }
