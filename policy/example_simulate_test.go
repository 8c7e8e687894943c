package policy_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// What the default policy does to a task that fails after a second, six times,
// and then runs for two minutes before it fails again. It takes no time.
func ExampleSimulate() {
	refused := errors.New("connection refused")
	runs := slices.Repeat([]policy.Run{{For: time.Second, Err: refused}}, 6)
	runs = append(runs, policy.Run{For: 2 * time.Minute, Err: refused})

	fmt.Print(policy.Simulate(policy.Default(), runs))
	// Output:
	// run  start    end      ended by            streak  decision                next start
	// 1    0s       1s       connection refused  1       restart after 500ms     1.5s
	// 2    1.5s     2.5s     connection refused  2       restart after 1s        3.5s
	// 3    3.5s     4.5s     connection refused  3       restart after 2s        6.5s
	// 4    6.5s     7.5s     connection refused  4       restart after 4s        11.5s
	// 5    11.5s    12.5s    connection refused  5       crash looping for 5m0s  5m12.5s
	// 6    5m12.5s  5m13.5s  connection refused  1       restart after 500ms     5m14s
	// 7    5m14s    7m14s    connection refused  1       restart after 500ms     7m14.5s
}
