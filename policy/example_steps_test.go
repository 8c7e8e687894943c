package policy_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// The first crash may be a hiccup: try again at once. After that, less and less
// often, and every ten minutes in the end.
func ExampleSteps() {
	p := policy.Steps(0, 5*time.Second, time.Minute, 10*time.Minute)

	fails := policy.Run{Err: errors.New("connection refused")}
	for _, step := range policy.Simulate(p, slices.Repeat([]policy.Run{fails}, 5)) {
		fmt.Println(step.Hold)
	}
	// Output:
	// 0s
	// 5s
	// 1m0s
	// 10m0s
	// 10m0s
}
