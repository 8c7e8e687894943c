//go:build unix

package supervise_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/holdfast-go/holdfast/supervise"
)

// A supervisor stops on a signal when its context does: in order, the last started
// first.
func ExampleSupervisor_signals() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	s := supervise.New("services", noLog)
	s.Add("database", func(ctx context.Context) error {
		<-ctx.Done()
		fmt.Println("the database stops")
		return nil
	})
	s.Add("web", func(ctx context.Context) error {
		_ = syscall.Kill(os.Getpid(), syscall.SIGTERM) // as an operator does
		<-ctx.Done()
		fmt.Println("the web server stops")
		return nil
	})
	err := s.Run(ctx)
	fmt.Println("stopped by", context.Cause(ctx), errors.Is(err, context.Canceled))
	// Output:
	// the web server stops
	// the database stops
	// stopped by terminated signal received true
}
