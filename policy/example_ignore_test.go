package policy_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// A task that ends to be started with a new configuration has not crashed: it starts
// again at once, and the streak and the delays stay what they were.
func ExampleIgnore() {
	errReload := errors.New("the configuration has changed")
	p := policy.Compose(
		policy.Exponential(time.Second, 2, time.Minute),
		policy.Ignore(func(err error) bool { return errors.Is(err, errReload) }),
	)
	fmt.Println(p)

	refused := errors.New("connection refused")
	fmt.Print(policy.Simulate(p, []policy.Run{{Err: refused}, {Err: errReload}, {Err: errReload}, {Err: refused}}))
	// Output:
	// Ignore ─► Exponential(1s ×2 ≤ 1m)
	// run  start  end  ended by                       streak  decision          next start
	// 1    0s     0s   connection refused             1       restart after 1s  1s
	// 2    1s     1s   the configuration has changed  1       restart now       1s
	// 3    1s     1s   the configuration has changed  1       restart now       1s
	// 4    1s     1s   connection refused             2       restart after 2s  3s
}
