package policy_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// A policy that panics takes no task down: the default policy decides instead.
func ExampleGuard() {
	delays := []time.Duration{time.Second, time.Minute}
	careless := policy.Func(func(h *policy.History) policy.Decision {
		return policy.Decision{Delay: delays[h.Streak()-1]} // and after the third crash?
	})
	p := policy.Guard(careless, func(panicked any) { fmt.Println("the policy panics:", panicked) })

	var task policy.History
	for range 3 {
		task.ObserveCrash(time.Now(), errors.New("connection refused"))
		fmt.Println(p.Decide(&task))
	}
	// Output:
	// restart after 1s
	// restart after 1m0s
	// the policy panics: runtime error: index out of range [2] with length 2
	// restart after 2s
}
