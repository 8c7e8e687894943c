package policy_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// A policy that panics takes no task down: the default policy decides instead.
func ExampleGuard() {
	delays := []time.Duration{time.Second, time.Minute}
	careless := policy.Func(func(h policy.History) policy.Decision {
		return policy.Decision{Delay: delays[h.Streak()-1]} // and after the third crash?
	})
	p := policy.Guard(careless, func(panicked any) { fmt.Println("the policy panics:", panicked) })

	fails := policy.Run{Err: errors.New("connection refused")}
	for _, step := range policy.Simulate(p, slices.Repeat([]policy.Run{fails}, 3)) {
		fmt.Println(step.Hold.Round(time.Second))
	}
	// Output:
	// the policy panics: runtime error: index out of range [2] with length 2
	// 1s
	// 1m0s
	// 2s
}
