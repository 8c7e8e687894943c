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
