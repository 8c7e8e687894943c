package policy_test

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/holdfast-go/holdfast/policy"
)

// Some errors no restart can cure: those that the task marks with
// backoff.Permanent, and those named here.
func ExamplePermanentErrors() {
	p := policy.Compose(
		policy.Constant(time.Second),
		policy.PermanentErrors(fs.ErrNotExist),
	)

	for _, err := range []error{
		errors.New("connection refused"),
		fmt.Errorf("read the config: %w", fs.ErrNotExist),
		backoff.Permanent(errors.New("the password is wrong")),
	} {
		var task policy.History
		task.ObserveCrash(time.Now(), err)
		fmt.Printf("%v: %v\n", err, p.Decide(&task))
	}
	// Output:
	// connection refused: restart after 1s
	// read the config: file does not exist: give up
	// the password is wrong: give up
}
