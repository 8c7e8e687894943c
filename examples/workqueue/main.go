// Command workqueue runs a real work queue of client-go under a policy of
// Holdfast's. One object fails three times and then works, one is in a crash
// loop, one fails for good: of each the policy decides when it is tried again. It
// ends by itself after three seconds.
package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

var errForbidden = errors.New("forbidden: the service account may not list pods")

func main() {
	p := policy.Compose(
		policy.Exponential(100*time.Millisecond, 2, time.Second),
		policy.CrashLoop(5, 10*time.Second, 5*time.Minute),
		policy.PermanentErrors(errForbidden),
	)
	var mu sync.Mutex
	begun, failures := time.Now(), 0
	reconcile := func(object string) error {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case object == "default/forbidden":
			return errForbidden
		case object == "default/slow-start" && failures < 3:
			failures++
			return errors.New("the database is not up yet")
		case object == "default/broken":
			return errors.New("the image does not exist")
		}
		return nil
	}
	observe := func(object string, err error, retry time.Duration) {
		at := time.Since(begun).Round(10 * time.Millisecond)
		switch {
		case err == nil:
			fmt.Printf("%6v  %s: reconciled\n", at, object)
		case retry == math.MaxInt64:
			fmt.Printf("%6v  %s: %v; given up\n", at, object, err)
		default:
			fmt.Printf("%6v  %s: %v; again in %v\n", at, object, err, retry)
		}
	}
	c := newController(p, reconcile, observe)
	for _, object := range []string{"default/web", "default/slow-start", "default/broken", "default/forbidden"} {
		c.queue.Add(object)
	}
	ctx, stop := context.WithTimeout(context.Background(), 3*time.Second)
	defer stop()
	c.run(ctx, 2)
}
