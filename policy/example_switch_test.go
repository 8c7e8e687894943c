package policy_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// A program reloads its configuration. The tasks and their gates stay, and so does
// what they have been through.
func ExampleSwitch() {
	p := policy.NewSwitch(policy.Constant(time.Second))
	fmt.Println(p)
	p.Set(policy.Constant(time.Minute))
	fmt.Println(p)

	fails := policy.Run{Err: errors.New("connection refused")}
	for _, step := range policy.Simulate(p, slices.Repeat([]policy.Run{fails}, 2)) {
		fmt.Println(step.Hold)
	}
	// Output:
	// Switch ─► Constant(1s)
	// Switch ─► Constant(1m)
	// 1m0s
	// 1m0s
}
