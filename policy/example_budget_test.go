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
	fmt.Println(p)

	lost := []policy.Run{{Err: errors.New("connection lost")}}
	for task := range 6 {
		fmt.Printf("task %d: held for %v\n", task, policy.Simulate(p, lost)[0].Hold)
	}
	// Output:
	// Budget(2 a second, 2 at once) ─► Constant(1s)
	// task 0: held for 1s
	// task 1: held for 1s
	// task 2: held for 1.5s
	// task 3: held for 2s
	// task 4: held for 2.5s
	// task 5: held for 3s
}
