package gate_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

// A reconcile step looks at the world and brings it a little closer to what it
// should be. It must not wait: if the gate is held it says when to come back.
func ExampleGate() {
	g := gate.New(policy.Classic())
	running, exited := false, errors.New("exit status 1")

	reconcile := func(now time.Time) (requeue time.Time) {
		switch {
		case !running && g.Admissible(now):
			g.ObserveStart(now)
			running = true
			fmt.Println("started")
		case !running:
			requeue, _ = g.State().ReleaseAt()
			fmt.Println(g.State())
		case exited != nil:
			running = false
			requeue, _ = g.ObserveCrash(now, exited).ReleaseAt()
			fmt.Println("crashed:", g.State())
		}
		return requeue
	}

	reconcile(noon)
	next := reconcile(noon.Add(time.Second))
	reconcile(noon.Add(1200 * time.Millisecond)) // woken by something else
	reconcile(next)
	// Output:
	// started
	// crashed: backing off until 2026-01-02T12:00:01.5Z
	// backing off until 2026-01-02T12:00:01.5Z
	// started
}
