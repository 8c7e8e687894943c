package policy_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// Three tasks lose the same server at the same time, and do not come back to it
// at the same time. Each draws from a seed of its own, which a replay can set.
func ExampleJitter() {
	p := policy.Compose(
		policy.Constant(10*time.Second),
		policy.Jitter(policy.EqualJitter, time.Minute), // half of it fixed, half of it drawn
	)
	fmt.Println(p)

	lost := []policy.Run{{Err: errors.New("connection lost")}}
	for seed := range uint64(3) {
		step := policy.Simulate(p, lost, policy.WithSeed(seed+1))[0]
		fmt.Println(step.Hold.Round(time.Millisecond))
	}
	// Output:
	// Jitter(equal ≤ 1m) ─► Constant(10s)
	// 7.833s
	// 7.956s
	// 5.567s
}
