package policy_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// The last decorator sees a run first, and where it decides, those inside are not
// asked: an error that is permanent gives up, be it the fifth crash or the first.
func ExampleCompose() {
	errLicence := errors.New("the licence has expired")
	p := policy.Compose(
		policy.Exponential(time.Second, 2, 30*time.Second), // how long?
		policy.CrashLoop(3, time.Minute, 5*time.Minute),    // too many?
		policy.PermanentErrors(errLicence),                 // no use?
		policy.StableRun(10*time.Minute),                   // a clean slate?
	)
	fmt.Println(p)

	fmt.Print(policy.Simulate(p, []policy.Run{
		{For: time.Second, Err: context.DeadlineExceeded},
		{For: time.Second, Err: context.DeadlineExceeded},
		{For: time.Second, Err: context.DeadlineExceeded},
		{For: time.Hour, Err: context.DeadlineExceeded},
		{For: time.Second, Err: errLicence},
	}))
	// Output:
	// StableRun(10m) ─► PermanentErrors ─► CrashLoop(3 in 1m: 5m) ─► Exponential(1s ×2 ≤ 30s)
	// run  start   end     ended by                   streak  decision              next start
	// 1    0s      1s      context deadline exceeded  1       restart after 1s      2s
	// 2    2s      3s      context deadline exceeded  2       restart after 2s      5s
	// 3    5s      6s      context deadline exceeded  3       crash looping for 5m  5m6s
	// 4    5m6s    1h5m6s  context deadline exceeded  1       restart after 1s      1h5m7s
	// 5    1h5m7s  1h5m8s  the licence has expired    2       give up               never
}
