package policy_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// Three crashes within ten seconds trip the gate for five minutes. After that the
// slate is clean.
func ExampleCrashLoop() {
	p := policy.Compose(
		policy.Constant(time.Second),
		policy.CrashLoop(3, 10*time.Second, 5*time.Minute),
	)

	fails := policy.Run{For: time.Second, Err: errors.New("no such table")}
	fmt.Print(policy.Simulate(p, slices.Repeat([]policy.Run{fails}, 5)))
	// Output:
	// run  start  end   ended by       streak  decision              next start
	// 1    0s     1s    no such table  1       restart after 1s      2s
	// 2    2s     3s    no such table  2       restart after 1s      4s
	// 3    4s     5s    no such table  3       crash looping for 5m  5m5s
	// 4    5m5s   5m6s  no such table  1       restart after 1s      5m7s
	// 5    5m7s   5m8s  no such table  2       restart after 1s      5m9s
}
