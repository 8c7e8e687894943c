package policy_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// A poller that runs, ends, and starts again a minute later, whether it has
// failed or not.
func ExampleConstant() {
	p := policy.Constant(time.Minute)

	fmt.Print(policy.Simulate(p, []policy.Run{
		{For: 2 * time.Second},
		{For: 10 * time.Second, Err: errors.New("timeout")},
		{For: 2 * time.Second},
	}))
	// Output:
	// run  start  end    ended by    streak  decision          next start
	// 1    0s     2s     clean exit  0       restart after 1m  1m2s
	// 2    1m2s   1m12s  timeout     1       restart after 1m  2m12s
	// 3    2m12s  2m14s  clean exit  1       restart after 1m  3m14s
}
