package policy_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// An outage that is over within the first cool-down costs 30 s. A task that stays
// broken is tried once per cool-down, each longer than the one before. A stable run
// ends the probation.
func ExampleProbation() {
	p := policy.Compose(
		policy.Constant(time.Second),
		policy.CrashLoop(3, time.Minute, 30*time.Second),
		policy.Probation(time.Minute, 5*time.Minute),
		policy.StableRun(time.Minute),
	)
	fmt.Println(p)

	refused := errors.New("connection refused")
	runs := slices.Repeat([]policy.Run{{Err: refused}}, 6)
	runs = append(runs, policy.Run{For: 2 * time.Minute, Err: refused})
	fmt.Print(policy.Simulate(p, runs))
	// Output:
	// StableRun(1m) ─► Probation(1m, 5m) ─► CrashLoop(3 in 1m: 30s) ─► Constant(1s)
	// run  start   end     ended by            streak  decision               next start
	// 1    0s      0s      connection refused  1       restart after 1s       1s
	// 2    1s      1s      connection refused  2       restart after 1s       2s
	// 3    2s      2s      connection refused  3       crash looping for 30s  32s
	// 4    32s     32s     connection refused  4       crash looping for 1m   1m32s
	// 5    1m32s   1m32s   connection refused  5       crash looping for 5m   6m32s
	// 6    6m32s   6m32s   connection refused  6       crash looping for 5m   11m32s
	// 7    11m32s  13m32s  connection refused  1       restart after 1s       13m33s
}
