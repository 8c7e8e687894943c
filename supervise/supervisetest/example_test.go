package supervisetest_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
	"github.com/holdfast-go/holdfast/supervise/supervisetest"
)

// A test strikes a task of one's own with faults, and looks at what its supervisor makes
// of them: after a panic it runs again, and when it hangs the supervisor stops without
// it. Such a test can also run in a bubble of testing/synctest, where no hold and no
// timeout takes time.
func Example() {
	const seed = 1
	faults := supervisetest.NewFaults(seed,
		supervisetest.Fault{Kind: supervisetest.Panic, Path: "shop/stock", Run: 1},
		supervisetest.Fault{Kind: supervisetest.Hang, Path: "shop/stock", Run: 2})
	defer faults.Close() // t.Cleanup(faults.Close) in a test
	recorder := supervisetest.NewRecorder(supervisetest.Keep(1000))
	checker := supervisetest.NewChecker(supervisetest.StopTimeout(0, time.Minute))

	shop := supervise.New("shop", noLog, supervise.WithPolicy(policy.Constant(time.Millisecond)), supervise.WithStopTimeout(0),
		supervise.WithObserver(recorder), supervise.WithObserver(checker))
	shop.Add("stock", faults.Wrap(countStock))
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- shop.Run(ctx) }()
	_ = faults.Wait(ctx, 2)
	fmt.Println("it runs again, and hangs")

	checker.Stopped(time.Now())
	stop()
	fmt.Println("it is left behind:", errors.Is(<-done, supervise.ErrAbandoned))
	fmt.Printf("%v\n", recorder.Kinds("shop/stock"))
	for _, i := range faults.Injected() {
		fmt.Println("injected:", i.Task, "run", i.Run, i.Kind)
	}
	if err := checker.Finish(); err != nil {
		fmt.Printf("seed %d: %v\n%v", seed, err, recorder)
	}
	// Output:
	// it runs again, and hangs
	// it is left behind: true
	// [start crash release start abandon stop]
	// injected: shop/stock run 1 panic
	// injected: shop/stock run 2 hang
}

// A Recorder waits for what is to happen, and keeps the whole story.
func ExampleRecorder() {
	var recorder supervisetest.Recorder
	faults := supervisetest.NewFaults(1, supervisetest.Fault{Kind: supervisetest.Error, Run: 1})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() {
		done <- supervise.Run(ctx, faults.Wrap(countStock), noLog, supervise.WithName("stock"),
			supervise.WithPolicy(policy.Constant(0)), supervise.WithObserver(&recorder))
	}()
	second, err := recorder.WaitForN(ctx, 2, supervise.KindStart, "stock")
	fmt.Println("run", second.Run, "has begun,", err)
	cancel()
	<-done
	fmt.Printf("%v\n", recorder.Kinds("stock"))
	// Output:
	// run 2 has begun, <nil>
	// [start crash start stop]
}

// Check is for events that were kept, such as those of a program that has ended.
func ExampleCheck() {
	noon := time.Date(2026, time.January, 2, 12, 0, 0, 0, time.UTC)
	fmt.Println(supervisetest.Check([]supervise.Event{
		{Kind: supervise.KindStart, Task: "shop/stock", Run: 1, At: noon},
		{Kind: supervise.KindStart, Task: "shop/stock", Run: 2, At: noon.Add(time.Second)},
		{Kind: supervise.KindStop, Task: "shop/stock", Run: 2, At: noon.Add(2 * time.Second)},
	}))
	// Output:
	// supervisetest: rule "double" is broken: task "shop/stock", run 2, at 12:00:01: it begins while run 1 is under way (12:00:00); two runs of a task get in each other's way: they hold the same port, and write the same file
}

// The plan of a seed can be looked at before anything runs.
func ExampleFaults_Plan() {
	faults := supervisetest.NewFaults(42, supervisetest.Fault{Kind: supervisetest.Panic, Path: "shop/*", Rate: 0.25})
	for run := range uint64(12) {
		if fault, ok := faults.Plan("shop/stock", run+1); ok {
			fmt.Println("run", run+1, fault.Kind)
		}
	}
	// Output:
	// run 1 panic
	// run 5 panic
	// run 11 panic
}
