package policy_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// A run of an hour earns a clean slate: the crash that ends it counts as the first,
// and is held for no longer than that.
func ExampleStableRun() {
	p := policy.Compose(
		policy.Exponential(time.Second, 2, time.Minute),
		policy.StableRun(time.Hour),
	)

	lost := errors.New("connection lost")
	fmt.Print(policy.Simulate(p, []policy.Run{
		{For: time.Second, Err: lost},
		{For: time.Second, Err: lost},
		{For: time.Second, Err: lost},
		{For: 2 * time.Hour, Err: lost},
	}))
	// Output:
	// run  start  end      ended by         streak  decision          next start
	// 1    0s     1s       connection lost  1       restart after 1s  2s
	// 2    2s     3s       connection lost  2       restart after 2s  5s
	// 3    5s     6s       connection lost  3       restart after 4s  10s
	// 4    10s    2h0m10s  connection lost  1       restart after 1s  2h0m11s
}
