package gate_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

// Whoever starts the task waits at the gate. An operator who has removed the
// cause need not wait for a day to be over.
func ExampleGate_Wait() {
	g := gate.New(policy.Constant(24 * time.Hour))
	g.ObserveCrash(time.Now(), errors.New("bad configuration"))

	started := make(chan error)
	go func() {
		started <- g.Wait(context.Background())
	}()

	fmt.Println("force release:", g.ForceRelease())
	fmt.Println("waited:", <-started)
	fmt.Println(g.State())
	// Output:
	// force release: true
	// waited: <nil>
	// idle
}

// Wait returns why its own context ended.
func ExampleGate_Wait_cancelled() {
	g := gate.New(policy.Constant(24 * time.Hour))
	g.ObserveCrash(time.Now(), errors.New("bad configuration"))

	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("shutting down"))
	fmt.Println(g.Wait(ctx))
	// Output:
	// shutting down
}
