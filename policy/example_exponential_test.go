package policy_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// A task that fails at once, every time, is held for longer and longer, up to a
// bound.
func ExampleExponential() {
	p := policy.Exponential(500*time.Millisecond, 2, 5*time.Second)

	fails := policy.Run{Err: errors.New("connection refused")}
	for _, step := range policy.Simulate(p, slices.Repeat([]policy.Run{fails}, 6)) {
		fmt.Println(step.Hold)
	}
	// Output:
	// 500ms
	// 1s
	// 2s
	// 4s
	// 5s
	// 5s
}
