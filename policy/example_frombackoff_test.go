package policy_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/holdfast-go/holdfast/policy"
)

// A BackOff that is there already serves as a policy, its end included.
func ExampleFromBackOff() {
	p := policy.FromBackOff(func() backoff.BackOff {
		b := backoff.NewExponentialBackOff(
			backoff.WithInitialInterval(time.Second),
			backoff.WithRandomizationFactor(0), // see Jitter
			backoff.WithMaxElapsedTime(0),      // see MaxCrashes
		)
		return backoff.WithMaxRetries(b, 3)
	})

	fails := policy.Run{Err: errors.New("connection refused")}
	fmt.Print(policy.Simulate(p, slices.Repeat([]policy.Run{fails}, 10)))
	// Output:
	// run  start  end    ended by            streak  decision             next start
	// 1    0s     0s     connection refused  1       restart after 1s     1s
	// 2    1s     1s     connection refused  2       restart after 1.5s   2.5s
	// 3    2.5s   2.5s   connection refused  3       restart after 2.25s  4.75s
	// 4    4.75s  4.75s  connection refused  4       give up              never
}
