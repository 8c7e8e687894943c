package policy_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// A rule of your own: the delay grows by the same amount each time. All that it needs
// to know is in the history.
func ExampleFunc() {
	linear := policy.Func(func(h policy.History) policy.Decision {
		return policy.Decision{Delay: time.Duration(min(h.Streak(), 10)) * 5 * time.Second}
	})
	p := policy.Compose(linear, policy.CrashLoop(4, time.Minute, time.Hour))

	fails := policy.Run{Err: errors.New("connection refused")}
	fmt.Print(policy.Simulate(p, slices.Repeat([]policy.Run{fails}, 4)))
	// Output:
	// run  start  end  ended by            streak  decision              next start
	// 1    0s     0s   connection refused  1       restart after 5s      5s
	// 2    5s     5s   connection refused  2       restart after 10s     15s
	// 3    15s    15s  connection refused  3       restart after 15s     30s
	// 4    30s    30s  connection refused  4       crash looping for 1h  1h0m30s
}

// A decorator of your own: at night there is nobody to look, so the task is held for
// at least ten minutes. It looks at the history's time, not at a clock.
func ExampleDecorator() {
	atNight := func(inner policy.Policy) policy.Policy {
		return policy.Func(func(h policy.History) policy.Decision {
			d := inner.Decide(h)
			if hour := h.Now().Hour(); hour < 6 && d.Verdict == policy.Restart {
				d.Delay = max(d.Delay, 10*time.Minute)
			}
			return d
		})
	}
	p := policy.Compose(policy.Constant(time.Second), atNight)

	fails := []policy.Run{{Err: errors.New("connection refused")}}
	for _, hour := range []int{3, 14} {
		from := time.Date(2026, time.May, 1, hour, 0, 0, 0, time.UTC)
		fmt.Println(hour, policy.Simulate(p, fails, policy.From(from))[0].Hold)
	}
	// Output:
	// 3 10m0s
	// 14 1s
}
