package policy_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"

	"github.com/holdfast-go/holdfast/policy"
)

// What a file does not mention keeps its default.
func ExampleConfig() {
	config := policy.DefaultConfig()
	if err := json.Unmarshal([]byte(`{"initial": "2s", "threshold": 4, "cooldown": "10m", "cooldowns": [], "spread": 0}`), &config); err != nil {
		fmt.Println(err)
		return
	}
	p, err := config.Policy()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p)

	fails := policy.Run{Err: errors.New("connection refused")}
	fmt.Print(policy.Simulate(p, slices.Repeat([]policy.Run{fails}, 5)))
	// Output:
	// StableRun(1m) ─► CrashLoop(4 in 1m: 10m) ─► Exponential(2s ×2 ≤ 1m)
	// run  start   end     ended by            streak  decision               next start
	// 1    0s      0s      connection refused  1       restart after 2s       2s
	// 2    2s      2s      connection refused  2       restart after 4s       6s
	// 3    6s      6s      connection refused  3       restart after 8s       14s
	// 4    14s     14s     connection refused  4       crash looping for 10m  10m14s
	// 5    10m14s  10m14s  connection refused  1       restart after 2s       10m16s
}

// All that is wrong is reported at once, with what to do about it.
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
	// policy: initial: 500 is not a duration; write a number with its unit in quotes, such as "1m30s"
	// policy: treshold: there is no such field; did you mean threshold?
}

// A Config is a flag, in the short form.
func ExampleConfig_Set() {
	config := policy.DefaultConfig()
	flags := flag.NewFlagSet("program", flag.ContinueOnError)
	flags.Var(&config, "policy", "how crashing tasks are restarted")

	fmt.Println(flags.Parse([]string{"-policy", "initial=1s,max=30s,cooldowns=1m/5m/15m,max_crashes=20/6h"}))
	fmt.Println(config)
	fmt.Println(config.Policy())
	// Output:
	// <nil>
	// default,initial=1s,max=30s,cooldowns=1m/5m/15m,max_crashes=20/6h
	// Spread(10%) ─► StableRun(1m) ─► MaxCrashes(20 in 6h) ─► Probation(1m, 5m, 15m) ─► CrashLoop(5 in 1m: 30s) ─► Exponential(1s ×2 ≤ 30s) <nil>
}

// An environment variable has the same forms, and an error names it.
func ExampleConfigFromEnv() {
	_ = os.Setenv("EXAMPLE_POLICY", "classic,initial=5s,max=1s")
	defer func() { _ = os.Unsetenv("EXAMPLE_POLICY") }()

	_, err := policy.ConfigFromEnv("EXAMPLE_POLICY")
	fmt.Println(err)
	config, err := policy.ConfigFromEnv("EXAMPLE_POLICY_THAT_IS_NOT_SET")
	fmt.Println(config, err)
	// Output:
	// policy: EXAMPLE_POLICY: max (1s) is below initial (5s); raise max
	// default <nil>
}
