package policy_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// Six tasks lose their database at the same time. Two may come back at once, as
// a burst, the others one after another, two a second.
func ExampleBudget() {
	p := policy.Compose(
		policy.Constant(time.Second),
		policy.Budget(2, 2),
	)

	lost, now := errors.New("connection lost"), time.Now()
	for task := range 6 {
		var history policy.History
		history.ObserveCrash(now, lost)
		fmt.Printf("task %d: %v\n", task, p.Decide(&history))
	}
	// Output:
	// task 0: restart after 1s
	// task 1: restart after 1s
	// task 2: restart after 1.5s
	// task 3: restart after 2s
	// task 4: restart after 2.5s
	// task 5: restart after 3s
}
