package gate_test

import (
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

// The limiter of a controller's work queue: with client-go it goes to
// workqueue.NewTypedRateLimitingQueue, with controller-runtime into
// controller.Options.
func ExampleRateLimiter() {
	limiter := gate.NewRateLimiter[string](policy.Steps(time.Second, 10*time.Second, time.Minute))
	for range 4 {
		fmt.Println(limiter.When("default/web").Round(time.Second)) // failed
	}
	fmt.Println("requeues:", limiter.NumRequeues("default/web"))
	limiter.Forget("default/web") // succeeded
	fmt.Println(limiter.When("default/web").Round(time.Second))
	// Output:
	// 1s
	// 10s
	// 1m0s
	// 1m0s
	// requeues: 4
	// 1s
}
