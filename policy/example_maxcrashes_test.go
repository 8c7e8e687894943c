package policy_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// Three crashes in an hour are tolerated, as Erlang's supervisors would with an
// intensity of 3 and a period of 3600. The fourth is the last.
func ExampleMaxCrashes() {
	p := policy.Compose(
		policy.Constant(time.Second),
		policy.MaxCrashes(3, time.Hour),
	)

	fails := policy.Run{For: time.Minute, Err: errors.New("segmentation fault")}
	fmt.Print(policy.Simulate(p, slices.Repeat([]policy.Run{fails}, 10)))
	// Output:
	// run  start  end   ended by            streak  decision          next start
	// 1    0s     1m0s  segmentation fault  1       restart after 1s  1m1s
	// 2    1m1s   2m1s  segmentation fault  2       restart after 1s  2m2s
	// 3    2m2s   3m2s  segmentation fault  3       restart after 1s  3m3s
	// 4    3m3s   4m3s  segmentation fault  4       give up           never
}

// Beside a crash loop it counts on, whatever the slate: the third crash of a second
// crash loop is the last.
func ExampleMaxCrashes_crashLoop() {
	p := policy.Compose(
		policy.Constant(time.Second),
		policy.CrashLoop(3, time.Minute, 5*time.Minute),
		policy.MaxCrashes(5, time.Hour),
	)
	fmt.Println(p)

	fails := policy.Run{Err: errors.New("segmentation fault")}
	fmt.Print(policy.Simulate(p, slices.Repeat([]policy.Run{fails}, 10)))
	// Output:
	// MaxCrashes(5 in 1h) ─► CrashLoop(3 in 1m: 5m) ─► Constant(1s)
	// run  start  end   ended by            streak  decision              next start
	// 1    0s     0s    segmentation fault  1       restart after 1s      1s
	// 2    1s     1s    segmentation fault  2       restart after 1s      2s
	// 3    2s     2s    segmentation fault  3       crash looping for 5m  5m2s
	// 4    5m2s   5m2s  segmentation fault  1       restart after 1s      5m3s
	// 5    5m3s   5m3s  segmentation fault  2       restart after 1s      5m4s
	// 6    5m4s   5m4s  segmentation fault  3       give up               never
}
