package supervise_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// A function that is called every so often becomes a task. The first call that fails is
// a crash, after which the task starts again.
func ExampleEvery() {
	ctx, stop := context.WithCancelCause(context.Background())
	calls := 0
	refresh := func(context.Context) error {
		switch calls++; calls {
		case 3:
			return errors.New("the server is not there")
		case 5:
			stop(errors.New("that is enough"))
		}
		fmt.Println("call", calls)
		return nil
	}
	err := supervise.Run(ctx, supervise.Every(time.Millisecond, refresh),
		supervise.WithPolicy(policy.Constant(0)), supervise.WithLogger(slog.New(slog.DiscardHandler)))
	fmt.Println(err)
	// Output:
	// call 1
	// call 2
	// call 4
	// call 5
	// that is enough
}

// A task that waits in a loop stops at once when it is asked to.
func ExampleSleep() {
	ctx, stop := context.WithCancelCause(context.Background())
	err := supervise.Run(ctx, func(ctx context.Context) error {
		for try := 1; ; try++ {
			fmt.Println("try", try)
			if try == 2 {
				stop(errors.New("nobody needs it any more"))
			}
			if err := supervise.Sleep(ctx, time.Duration(try)*time.Millisecond); err != nil {
				return err
			}
		}
	})
	fmt.Println(err)
	// Output:
	// try 1
	// try 2
	// nobody needs it any more
}
