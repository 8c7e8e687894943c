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

	lost, now := errors.New("connection lost"), time.Now()
	for seed := range uint64(3) {
		var task policy.History
		task.Seed(seed + 1)
		task.ObserveCrash(now, lost)
		fmt.Println(p.Decide(&task).Delay.Round(time.Millisecond))
	}
	// Output:
	// 7.833s
	// 7.956s
	// 5.567s
}
