package gate_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

var noon = time.Date(2026, time.January, 2, 12, 0, 0, 0, time.UTC)

// A Tracker gets what happened and when, and returns what follows. It never looks at
// a clock, so that an incident can be replayed from a log.
func ExampleTracker() {
	tracker := gate.NewTracker(policy.Classic())
	for i := range 5 {
		crashed := noon.Add(time.Duration(i) * time.Second)
		fmt.Println(tracker.ObserveCrash(crashed, errors.New("exit status 1")))
	}
	fmt.Println("a minute later:", tracker.Admissible(noon.Add(time.Minute)))

	fmt.Println("force release:", tracker.ForceRelease())
	fmt.Println(tracker.ObserveCrash(noon.Add(time.Minute), errors.New("exit status 1")))
	// Output:
	// backing off until 2026-01-02T12:00:00.5Z
	// backing off until 2026-01-02T12:00:02Z
	// backing off until 2026-01-02T12:00:04Z
	// backing off until 2026-01-02T12:00:07Z
	// crash looping until 2026-01-02T12:05:04Z
	// a minute later: false
	// force release: true
	// backing off until 2026-01-02T12:01:00.5Z
}
