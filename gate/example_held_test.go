package gate_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

// Held makes the state that a test expects. Equal compares it with that of a gate, which
// counts from an instant of its own.
func ExampleHeld() {
	g := gate.New(policy.Constant(time.Minute))
	got := g.ObserveCrash(noon, errors.New("exit status 1"))

	want := gate.Held(gate.BackingOff, noon.Add(time.Minute))
	fmt.Println(got.Equal(want))
	fmt.Println(want)
	fmt.Println(gate.Held(gate.BackingOff, time.Time{}))
	// Output:
	// true
	// backing off until 2026-01-02T12:01:00Z
	// backing off for ever
}
