package main

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"k8s.io/client-go/util/workqueue"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var p = policy.Compose(
	policy.Exponential(time.Second, 2, time.Minute),
	policy.CrashLoop(4, time.Minute, time.Hour),
	policy.PermanentErrors(errForbidden),
)

// tries has the controller work on the objects for a while, and returns when it
// tried each, from the beginning.
func tries(t *testing.T, while time.Duration, reconcile func(object string, try int) error, objects ...string) map[string][]time.Duration {
	t.Helper()
	begun := time.Now()
	var mu sync.Mutex
	tried := map[string][]time.Duration{}
	c := newController(p, func(object string) error {
		mu.Lock()
		defer mu.Unlock()
		tried[object] = append(tried[object], time.Since(begun))
		return reconcile(object, len(tried[object]))
	}, func(string, error, time.Duration) {})
	for _, object := range objects {
		c.queue.Add(object)
	}
	ctx, stop := context.WithTimeout(t.Context(), while)
	defer stop()
	c.run(ctx, 4)
	return tried
}

func seconds(at ...float64) (instants []time.Duration) {
	for _, s := range at {
		instants = append(instants, time.Duration(s*float64(time.Second)))
	}
	return instants
}

// The real queue, on virtual time, tries each object exactly when the policy
// says.
func TestQueueFollowsThePolicy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := tries(t, 70*time.Minute, func(object string, try int) error {
			switch {
			case object == "forbidden":
				return errForbidden
			case object == "broken", object == "slow" && try < 3:
				return errors.New("not now")
			}
			return nil
		}, "web", "slow", "broken", "forbidden")
		hour := 3600.0
		for object, want := range map[string][]time.Duration{
			"web":  seconds(0),
			"slow": seconds(0, 1, 3),
			// A crash loop of an hour, then from a fresh slate.
			"broken":    seconds(0, 1, 3, 7, hour+7, hour+8, hour+10, hour+14),
			"forbidden": seconds(0),
		} {
			if !slices.Equal(got[object], want) {
				t.Errorf("%s was tried at %v, want %v", object, got[object], want)
			}
		}
	})
}

// The queue's own AddRateLimited, Forget and NumRequeues go to the limiter, and
// it bears a wait without an end.
func TestAddRateLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		queue := workqueue.NewTypedRateLimitingQueue(gate.NewRateLimiter[string](policy.MaxCrashes(2, time.Hour)(policy.Constant(time.Minute))))
		defer func() {
			queue.ShutDown()
			synctest.Wait()
		}()
		next := func() time.Duration {
			begun := time.Now()
			item, _ := queue.Get()
			queue.Done(item)
			return time.Since(begun)
		}
		for i := range 2 {
			queue.AddRateLimited("a")
			if waited := next(); waited != time.Minute || queue.NumRequeues("a") != i+1 {
				t.Errorf("waited %v, %d requeues; want a minute, %d", waited, queue.NumRequeues("a"), i+1)
			}
		}
		queue.AddRateLimited("a") // gives up
		queue.Forget("b")
		queue.AddRateLimited("b")
		if waited := next(); waited != time.Minute || queue.Len() != 0 {
			t.Errorf("b waited %v, %d are ready; want a minute, and a never", waited, queue.Len())
		}
		queue.Forget("a")
		if queue.NumRequeues("a") != 0 {
			t.Error("a was not forgotten")
		}
	})
}

func TestGiveUpIsNeverTriedAgain(t *testing.T) {
	l := gate.NewRateLimiter[string](policy.PermanentErrors(errForbidden)(policy.Constant(0)))
	if wait := l.Failed("a", errForbidden); wait != math.MaxInt64 {
		t.Errorf("wait = %v, want no end", wait)
	}
}
