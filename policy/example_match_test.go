package policy_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// A timeout is tried again soon, whatever else has happened; all other errors
// are held for longer and longer.
func ExampleMatch() {
	isTimeout := func(err error) bool { return errors.Is(err, context.DeadlineExceeded) }
	p := policy.Compose(
		policy.Exponential(time.Minute, 2, time.Hour),
		policy.Match(isTimeout, policy.Constant(time.Second)),
	)

	refused := errors.New("connection refused")
	fmt.Print(policy.Simulate(p, []policy.Run{
		{Err: refused},
		{For: 30 * time.Second, Err: context.DeadlineExceeded},
		{Err: refused},
	}))
	// Output:
	// run  start  end    ended by                   streak  decision          next start
	// 1    0s     0s     connection refused         1       restart after 1m  1m0s
	// 2    1m0s   1m30s  context deadline exceeded  2       restart after 1s  1m31s
	// 3    1m31s  1m31s  connection refused         3       restart after 4m  5m31s
}
