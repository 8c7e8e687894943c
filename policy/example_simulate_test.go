package policy_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// What the classic rules do to a task that fails after a second, six times, and then
// runs for two minutes before it fails again. It takes no time.
func ExampleSimulate() {
	refused := errors.New("connection refused")
	runs := slices.Repeat([]policy.Run{{For: time.Second, Err: refused}}, 6)
	runs = append(runs, policy.Run{For: 2 * time.Minute, Err: refused})

	fmt.Print(policy.Simulate(policy.Classic(), runs))
	// Output:
	// run  start    end      ended by            streak  decision              next start
	// 1    0s       1s       connection refused  1       restart after 500ms   1.5s
	// 2    1.5s     2.5s     connection refused  2       restart after 1s      3.5s
	// 3    3.5s     4.5s     connection refused  3       restart after 2s      6.5s
	// 4    6.5s     7.5s     connection refused  4       restart after 4s      11.5s
	// 5    11.5s    12.5s    connection refused  5       crash looping for 5m  5m12.5s
	// 6    5m12.5s  5m13.5s  connection refused  1       restart after 500ms   5m14s
	// 7    5m14s    7m14s    connection refused  1       restart after 500ms   7m14.5s
}

// A thousand tasks lose a server that is back after 20 s. Under the classic rules they
// all return in the same second, five minutes later.
func ExampleSimulateFleet() {
	down := errors.New("connection refused")
	run := func(task int, start time.Duration) policy.Run {
		if start < 20*time.Second {
			return policy.Run{Err: down}
		}
		return policy.Run{For: time.Hour}
	}
	for name, p := range map[string]policy.Policy{"classic": policy.Classic(), "default": policy.Default()} {
		starts := policy.SimulateFleet(p, 1000, 10*time.Minute, run)
		var seconds int
		for _, n := range starts[20:] {
			if n > 0 {
				seconds++
			}
		}
		fmt.Printf("%s: at most %d tasks return in one second, all within %d s\n", name, slices.Max(starts[20:]), seconds)
	}
	// Unordered output:
	// classic: at most 1000 tasks return in one second, all within 1 s
	// default: at most 342 tasks return in one second, all within 5 s
}
