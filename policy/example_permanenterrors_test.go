package policy_test

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/holdfast-go/holdfast/policy"
)

// Some errors no restart can cure: those that the task marks as such, with Permanent
// or with the function of that name of the backoff package, and those named here.
func ExamplePermanentErrors() {
	p := policy.Compose(
		policy.Constant(time.Second),
		policy.PermanentErrors(fs.ErrNotExist),
	)
	fmt.Println(p)

	for _, err := range []error{
		errors.New("connection refused"),
		fmt.Errorf("read the config: %w", fs.ErrNotExist),
		policy.Permanent(errors.New("the password is wrong")),
		backoff.Permanent(errors.New("the password is wrong")),
	} {
		fmt.Printf("%v: %v\n", err, policy.Simulate(p, []policy.Run{{Err: err}})[0].Verdict)
	}
	// Output:
	// PermanentErrors ─► Constant(1s)
	// connection refused: restart
	// read the config: file does not exist: give up
	// the password is wrong: give up
	// the password is wrong: give up
}
