package gate_test

import (
	"strings"
	"testing"

	"github.com/holdfast-go/holdfast/gate"
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
