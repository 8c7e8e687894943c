package gate_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

// An operator takes a task out of service. Its gate stays closed, whatever time it is
// and whatever happens, until somebody opens it again. Who did what, and why, goes with
// each transition.
func ExampleGate_Pause() {
	g := gate.New(policy.Classic(), gate.OnTransition(func(t gate.Transition) {
		fmt.Printf("%v, by %v\n", t.Cause, t.By)
	}))

	g.Pause(gate.By{Who: "ann", Why: "moving to another disk"})
	fmt.Println("a year later:", g.Admissible(noon.AddDate(1, 0, 0)))
	if by, paused := g.PausedBy(); paused {
		fmt.Printf("%v by %v\n", g.State(), by)
	}

	g.ForceRelease(gate.By{Who: "bob", Why: "the disk is in"})
	fmt.Println(g.State())
	// Output:
	// pause, by ann: moving to another disk
	// a year later: false
	// paused by ann: moving to another disk
	// force release, by bob: the disk is in
	// idle
}

// A probe lets a task run in the middle of a hold, to see whether it is well again. If
// it is not, the hold is renewed. After a force release the task begins anew, with the
// shortest delay.
func ExampleGate_Probe() {
	g := gate.New(policy.Classic())
	for range 5 {
		g.ObserveCrash(noon, errors.New("no such host"))
	}
	fmt.Println(g.State())

	g.Probe(gate.By{Who: "ann", Why: "the network is back"})
	g.ObserveStart(noon.Add(time.Minute))
	fmt.Println(g.ObserveCrash(noon.Add(time.Minute), errors.New("no such host")))

	g.ForceRelease(gate.By{Who: "ann"})
	fmt.Println(g.ObserveCrash(noon.Add(2*time.Minute), errors.New("no such host")))
	// Output:
	// crash looping until 2026-01-02T12:05:00Z
	// crash looping until 2026-01-02T12:06:00Z
	// backing off until 2026-01-02T12:02:00.5Z
}
