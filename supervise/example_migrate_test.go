package supervise_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/holdfast-go/holdfast/supervise"
)

// counter and printer are a small tree of services, which the examples run in the
// ways of other packages: the one counts and crashes once, the other prints what
// it is sent, and ends all when it has enough.
type counter struct {
	crashed atomic.Bool
	out     chan int
}

func (c *counter) Serve(ctx context.Context) error {
	for n := 1; ; n++ {
		if n == 3 && c.crashed.CompareAndSwap(false, true) {
			return errors.New("lost count")
		}
		select {
		case c.out <- n:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

type printer struct{ in chan int }

func (p *printer) Serve(ctx context.Context) error {
	for range 5 {
		select {
		case n := <-p.in:
			fmt.Println(n)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Services with a method Serve(ctx) error, as thejerf/suture has them, need no
// change: the method is the function.
func ExampleSupervisor_suture() {
	numbers := make(chan int)
	s := supervise.New("services", noDelay, noLog)
	s.Add("counter", (&counter{out: numbers}).Serve)
	s.Add("printer", (&printer{in: numbers}).Serve, supervise.Significant())
	fmt.Println(s.Run(context.Background()))
	// Output:
	// 1
	// 2
	// 1
	// 2
	// 3
	// <nil>
}

// In an errgroup each function is wrapped in Run: it comes back when it crashes,
// and the group ends when the policy of one gives up.
func ExampleRun_errgroup() {
	numbers := make(chan int)
	ctx, cancel := context.WithCancel(context.Background())
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		return supervise.Run(ctx, (&counter{out: numbers}).Serve, noDelay, noLog)
	})
	g.Go(func() error {
		defer cancel()
		return supervise.Run(ctx, (&printer{in: numbers}).Serve, noDelay, noLog)
	})
	fmt.Println(g.Wait())
	// Output:
	// 1
	// 2
	// 1
	// 2
	// 3
	// context canceled
}
