package policy_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// unavailable is the error of a client whose server has answered 503, with a
// Retry-After header.
type unavailable struct{ after time.Duration }

func (e unavailable) Error() string             { return "503, retry after " + e.after.String() }
func (e unavailable) RetryAfter() time.Duration { return e.after }

// The server says when to come back. It is believed, within reason.
func ExampleRetryAfter() {
	p := policy.Compose(
		policy.Constant(time.Second),
		policy.RetryAfter(10*time.Minute),
	)
	fmt.Println(p)

	for _, err := range []error{
		errors.New("connection refused"),
		fmt.Errorf("poll: %w", unavailable{2 * time.Minute}),
		unavailable{24 * time.Hour},
	} {
		fmt.Printf("%v: held for %v\n", err, policy.Simulate(p, []policy.Run{{Err: err}})[0].Hold)
	}
	// Output:
	// RetryAfter(≤ 10m) ─► Constant(1s)
	// connection refused: held for 1s
	// poll: 503, retry after 2m0s: held for 2m0s
	// 503, retry after 24h0m0s: held for 10m0s
}
