package gate_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

// An observer gets each change, in order, with what caused it.
func ExampleOnTransition() {
	g := gate.New(policy.Classic(), gate.OnTransition(func(t gate.Transition) {
		fmt.Printf("%d. %v: %v -> %v\n", t.Seq, t.Cause, t.From.Phase(), t.To.Phase())
	}))
	g.ObserveStart(noon)
	g.ObserveCrash(noon.Add(time.Second), errors.New("exit status 1"))
	g.MaybeRelease(noon.Add(2 * time.Second))
	g.ObserveStart(noon.Add(2 * time.Second))
	g.ObserveCrash(noon.Add(3*time.Second), errors.New("exit status 1"))
	g.ForceRelease()
	// Output:
	// 1. crash: idle -> backing off
	// 2. elapsed: backing off -> idle
	// 3. crash: idle -> backing off
	// 4. force release: backing off -> idle
}

// An observer that has seen enough stops.
func ExampleGate_OnTransition() {
	g := gate.New(policy.Classic())
	stop := g.OnTransition(func(t gate.Transition) { fmt.Println(t.To) })
	g.ObserveCrash(noon, errors.New("exit status 1"))
	stop()
	g.ObserveCrash(noon.Add(time.Second), errors.New("exit status 1"))
	// Output:
	// backing off until 2026-01-02T12:00:00.5Z
}
