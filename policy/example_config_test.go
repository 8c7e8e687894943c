package policy_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/holdfast-go/holdfast/policy"
)

// What a file does not mention keeps its default.
func ExampleConfig() {
	config := policy.DefaultConfig()
	if err := json.Unmarshal([]byte(`{"initial": "2s", "threshold": 4, "cooldown": "10m"}`), &config); err != nil {
		fmt.Println(err)
		return
	}
	p, err := config.Policy()
	if err != nil {
		fmt.Println(err)
		return
	}

	fails := policy.Run{Err: errors.New("connection refused")}
	fmt.Print(policy.Simulate(p, slices.Repeat([]policy.Run{fails}, 5)))
	// Output:
	// run  start   end     ended by            streak  decision                 next start
	// 1    0s      0s      connection refused  1       restart after 2s         2s
	// 2    2s      2s      connection refused  2       restart after 4s         6s
	// 3    6s      6s      connection refused  3       restart after 8s         14s
	// 4    14s     14s     connection refused  4       crash looping for 10m0s  10m14s
	// 5    10m14s  10m14s  connection refused  1       restart after 2s         10m16s
}

// All that is wrong is told at once, with what to do about it.
func ExampleConfig_Validate() {
	config := policy.DefaultConfig()
	if err := json.Unmarshal([]byte(`{"initial": "5s", "max": "1s", "threshold": 0}`), &config); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(config.Validate())

	config = policy.DefaultConfig()
	config.Threshold = 10 // the delays alone take longer than the window
	fmt.Println(config.Validate())
	// Output:
	// policy: max (1s) is below initial (5s); raise max
	// policy: threshold (0) is below 1; 1 trips at the first crash
	// policy: window (1m0s) is below the sum of the first 9 delays (3m3.5s), so threshold (10) is never reached; raise window or lower threshold
}

// A typing error in a file is no silent default.
func ExampleConfig_UnmarshalJSON() {
	config := policy.DefaultConfig()
	fmt.Println(json.Unmarshal([]byte(`{"initial": 500, "treshold": 3}`), &config))
	// Output:
	// policy: initial: 500 is not a duration; write a string with a unit, such as "500ms"
	// policy: treshold: there is no such field; the fields are initial, factor, max, threshold, window, cooldown and stable_after
}
