package gate_test

import (
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

// A loop looks after many daemons. It sleeps until the next hold is over, and then
// looks at those that are due and at no others.
func ExampleSet() {
	daemons := gate.NewSet[string](policy.Steps(time.Second, time.Minute))
	now := time.Date(2026, time.January, 2, 12, 0, 0, 0, time.UTC)

	daemons.ObserveCrash("web", now, errCrash)
	daemons.ObserveCrash("mail", now, errCrash)
	daemons.ObserveCrash("mail", now, errCrash)

	for {
		next, ok := daemons.NextDeadline()
		if !ok {
			break
		}
		for name, was := range daemons.Tick(next) {
			daemons.ObserveStart(name, next)
			fmt.Println(name, "starts, was", was)
		}
	}
	// Output:
	// web starts, was backing off until 2026-01-02T12:00:01Z
	// mail starts, was backing off until 2026-01-02T12:01:00Z
}

// Of many who want to start the same task one may.
func ExampleSet_TryStart() {
	daemons := gate.NewSet[string](nil)
	now := time.Date(2026, time.January, 2, 12, 0, 0, 0, time.UTC)
	fmt.Println(daemons.TryStart("web", now), daemons.TryStart("web", now))
	// Output: true false
}
