package gate_test

import (
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

// A policy or an observer that panics does no harm: the default policy decides, and the
// other observers are called. OnPanic is how to hear of it.
func ExampleOnPanic() {
	broken := policy.Func(func(h policy.History) policy.Decision {
		var rules map[string]policy.Policy
		return rules[h.Err().Error()].Decide(h) // there is no such rule
	})
	g := gate.New(broken, gate.OnPanic(func(p gate.Panic) {
		fmt.Printf("panic in a %s: %v\n", p.Of, p.Value)
	}))
	g.ObserveCrash(noon, errors.New("exit status 1"))
	fmt.Println(g.State().Phase())
	// Output:
	// panic in a policy: runtime error: invalid memory address or nil pointer dereference
	// backing off
}
