package main

import (
	"context"
	"math"
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

// The limiter fits by its methods alone: Holdfast does not know Kubernetes.
var _ workqueue.TypedRateLimiter[string] = (*gate.RateLimiter[string])(nil)

// controller reconciles objects by name, as those of client-go and
// controller-runtime do. Its work queue never has one object in two hands.
type controller struct {
	queue     workqueue.TypedRateLimitingInterface[string]
	limiter   *gate.RateLimiter[string]
	reconcile func(object string) error
	observe   func(object string, err error, retry time.Duration)
}

func newController(p policy.Policy, reconcile func(object string) error, observe func(string, error, time.Duration)) *controller {
	limiter := gate.NewRateLimiter[string](p)
	return &controller{workqueue.NewTypedRateLimitingQueue(limiter), limiter, reconcile, observe}
}

// run works with so many hands until ctx is done, and returns when the last
// object that was in work is done.
func (c *controller) run(ctx context.Context, hands int) {
	var working sync.WaitGroup
	for range hands {
		working.Go(func() {
			for c.next() {
			}
		})
	}
	<-ctx.Done()
	c.queue.ShutDown()
	working.Wait()
}

// next reconciles one object, and reports false when the queue has been shut
// down.
func (c *controller) next() bool {
	object, shutdown := c.queue.Get()
	if shutdown {
		return false
	}
	defer c.queue.Done(object)
	err := c.reconcile(object)
	if err == nil {
		c.queue.Forget(object)
		c.observe(object, nil, 0)
		return true
	}
	// AddRateLimited would do, but cannot tell the policy what went wrong.
	retry := c.limiter.Failed(object, err)
	c.observe(object, err, retry)
	if retry != math.MaxInt64 {
		c.queue.AddAfter(object, retry)
	}
	return true
}
