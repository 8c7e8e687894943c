package policy_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/holdfast-go/holdfast/policy"
)

// What you retry with the backoff package can wait as a policy says.
func ExampleToBackOff() {
	p := policy.Compose(
		policy.Exponential(time.Millisecond, 2, time.Second),
		policy.MaxCrashes(3, time.Minute),
	)

	err := backoff.RetryNotify(func() error {
		return errors.New("connection refused")
	}, policy.ToBackOff(p), func(err error, delay time.Duration) {
		fmt.Printf("%v, again in %v\n", err, delay)
	})
	fmt.Println("gave up:", err)
	// Output:
	// connection refused, again in 1ms
	// connection refused, again in 2ms
	// connection refused, again in 4ms
	// gave up: connection refused
}
