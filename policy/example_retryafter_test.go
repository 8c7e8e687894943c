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

	for _, err := range []error{
		errors.New("connection refused"),
		fmt.Errorf("poll: %w", unavailable{2 * time.Minute}),
		unavailable{24 * time.Hour},
	} {
		var task policy.History
		task.ObserveCrash(time.Now(), err)
		fmt.Printf("%v: %v\n", err, p.Decide(&task))
	}
	// Output:
	// connection refused: restart after 1s
	// poll: 503, retry after 2m0s: restart after 2m0s
	// 503, retry after 24h0m0s: restart after 10m0s
}
