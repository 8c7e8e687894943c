package supervise_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// A supervisor's Run is a function for a task, so supervisors form trees. When the
// policy gives up on a task, its supervisor stops the others and ends, and the
// supervisor above decides what then.
func ExampleSupervisor() {
	giveUp := supervise.WithPolicy(policy.Compose(policy.Constant(0), policy.PermanentErrors(errDisk)))
	db := supervise.New("db", supervise.WithStrategy(supervise.RestForOne), giveUp)
	db.Add("pool", func(ctx context.Context) error {
		<-ctx.Done()
		fmt.Println("pool stops")
		return nil
	})
	db.Add("log", func(context.Context) error { return errDisk })
	root := supervise.New("root", noLog, giveUp)
	root.Add("db", db.Run)
	fmt.Println(root.Run(context.Background()))
	// Output:
	// pool stops
	// supervise: gave up on task "root/db" after 1 crash: supervise: gave up on task "root/db/log" after 1 crash: the disk is gone
}

var errDisk = errors.New("the disk is gone")

// Under RestForOne those that were started after a task are restarted with it.
func ExampleWithStrategy() {
	s := supervise.New("db", noDelay, noLog, supervise.WithStrategy(supervise.RestForOne))
	crash := make(chan struct{})
	serve := func(name string) func(context.Context) error {
		return func(ctx context.Context) error {
			fmt.Println(name, "starts")
			supervise.Ready(ctx)
			select {
			case <-ctx.Done():
				fmt.Println(name, "stops")
				return nil
			case <-crash:
				return errors.New("lost the connection")
			}
		}
	}
	inOrder := supervise.WithReadyTimeout(1 << 40)
	s.Add("disk", func(ctx context.Context) error {
		fmt.Println("disk starts")
		supervise.Ready(ctx)
		<-ctx.Done()
		return nil
	}, inOrder)
	s.Add("pool", serve("pool"), inOrder)
	s.Add("cache", func(ctx context.Context) error {
		fmt.Println("cache starts")
		info, _ := supervise.FromContext(ctx)
		if info.Run == 2 {
			return nil // enough
		}
		crash <- struct{}{}
		<-ctx.Done()
		fmt.Println("cache stops")
		return nil
	}, supervise.Significant())
	fmt.Println(s.Run(context.Background()))
	// Output:
	// disk starts
	// pool starts
	// cache starts
	// cache stops
	// pool starts
	// cache starts
	// pool stops
	// <nil>
}

// A task can be looked at, stopped, restarted and released while it runs.
func ExampleTask() {
	s := supervise.New("root", noLog, supervise.WithPolicy(policy.Constant(1<<40)))
	task := s.Add("poll", func(ctx context.Context) error {
		if info, _ := supervise.FromContext(ctx); info.Run == 1 {
			return errors.New("no route")
		}
		return nil
	}, supervise.Significant(), supervise.WithObserver(nil))
	go func() {
		for task.Status().Crashes == 0 || !task.Release() { // as an operator would, but faster
		}
	}()
	err := s.Run(context.Background())
	status := task.Status()
	fmt.Println(err, status.Task, "run", status.Run, "crashes", status.Crashes)
	// Output:
	// <nil> root/poll run 2 crashes 1
}
