package policy_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// Three tasks that fell together return one by one, from a back-off and from a crash
// loop: each hold is up to a tenth longer.
func ExampleSpread() {
	p := policy.Compose(
		policy.Constant(10*time.Second),
		policy.CrashLoop(3, time.Minute, 5*time.Minute),
		policy.Spread(0.1),
	)
	fmt.Println(p)

	lost := policy.Run{Err: errors.New("connection lost")}
	for seed := range uint64(3) {
		steps := policy.Simulate(p, slices.Repeat([]policy.Run{lost}, 3), policy.WithSeed(seed+1))
		fmt.Println(steps[0].Hold.Round(time.Second/10), steps[1].Hold.Round(time.Second/10), steps[2].Hold.Round(time.Second/10))
	}
	// Output:
	// Spread(10%) ─► CrashLoop(3 in 1m: 5m) ─► Constant(10s)
	// 10.4s 10.2s 5m22.6s
	// 10.5s 10.1s 5m21.8s
	// 10.7s 10.3s 5m19.4s
}
