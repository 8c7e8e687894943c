package policytest_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/policy/policytest"
)

// A delay that doubles forever wraps around: the task that has crashed for longest is
// restarted at once.
func ExampleCheck() {
	doubling := policy.Func(func(h policy.History) policy.Decision {
		return policy.Decision{Delay: time.Millisecond << h.Streak()}
	})
	err := policytest.Check(doubling)
	fmt.Println(strings.ReplaceAll(err.Error(), "; ", ";\n"))
	// Output:
	// policytest: rule "overflow" is broken: crash 44, the last run of 0s, the last hold of 0s, crashes within 0s: restart with a delay of -237377h13m49.293551616s;
	// what wraps around becomes a restart at once, just when a task has crashed for longest
}
