package policy_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// Twenty crashes in an hour never come together beside the holds of a crash loop, and
// a spread inside it does not reach them.
func ExampleVet() {
	p := policy.Compose(
		policy.Exponential(500*time.Millisecond, 2, time.Minute),
		policy.Spread(0.1),
		policy.CrashLoop(5, time.Minute, 30*time.Second),
		policy.Probation(time.Minute, 5*time.Minute),
		policy.MaxCrashes(20, time.Hour),
		policy.StableRun(time.Minute),
	)
	for _, warning := range policy.Vet(p) {
		fmt.Println(strings.ReplaceAll(warning, "; ", ";\n\t"))
	}
	fmt.Println(len(policy.Vet(policy.Default())))
	// Output:
	// MaxCrashes(20 in 1h) never gives up on a task that fails at once: 21 crashes take 1h11m37.703s at least;
	// 	raise its window above that, or lower its n
	// Spread(10%) is inside Probation(1m, 5m), whose holds it does not spread;
	// 	put Spread outside it
	// 0
}
