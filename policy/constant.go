package policy

import (
	"fmt"
	"time"
)

// Constant is a policy that holds a task for d whenever its run has ended. Zero
// restarts at once, so a task that fails at once spins. Constant panics if d is
// negative.
func Constant(d time.Duration) Policy {
	if d < 0 {
		panic(fmt.Sprintf("policy: Constant: d (%v) is negative; use 0 to restart at once", d))
	}
	return &steps{[]time.Duration{d}}
}
