package gate

import (
	"math"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// RateLimiter has a policy decide when the items of a work queue are tried again.
// It has the methods that workqueue.TypedRateLimiter of k8s.io/client-go asks
// for, which controller-runtime takes too, and needs neither:
//
//	queue := workqueue.NewTypedRateLimitingQueue[string](gate.NewRateLimiter[string](p))
//
// For the policy each When is a crash of a run that began when the hold before
// it was over, or now if that is still to come. An item that is tried before its
// time, since something else has added it, is one that was started in spite of
// its hold: a crash loop is not made shorter by it. Forget is what a controller
// calls after a success. It wipes the slate, so that rules about how long a run
// lasted are of no use here.
//
// It reads the real clock. Items are kept until they are forgotten. Make one with
// [NewRateLimiter]. Safe for concurrent use.
type RateLimiter[K comparable] struct {
	policy policy.Policy

	mu    sync.Mutex // guards what follows, while the policy decides too
	items map[K]*Tracker
}

// NewRateLimiter returns a limiter under p; a nil p is [policy.Default]. A p that
// panics counts as policy.Default for that decision.
func NewRateLimiter[K comparable](p policy.Policy) *RateLimiter[K] {
	return &RateLimiter[K]{policy: policy.Guard(p, nil), items: make(map[K]*Tracker)}
}

// When returns how long the item, which has just failed, is to wait. A hold
// without an end, as when the policy gives up, is [math.MaxInt64]: the queue will
// not try the item again unless something else adds it.
func (l *RateLimiter[K]) When(item K) time.Duration { return l.Failed(item, policy.ErrUnknown) }

// Failed is When for those who can tell the error, of which a work queue is not
// told: rules such as [policy.PermanentErrors] and [policy.RetryAfter] look at
// it. Hand the result to the queue's AddAfter. A nil err is [ErrNil].
func (l *RateLimiter[K]) Failed(item K, err error) time.Duration {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.items[item]
	if t == nil {
		t = NewTracker(l.policy)
		l.items[item] = t
	} else {
		begun := now
		if until, ends := t.State().ReleaseAt(); ends && until.Before(now) {
			begun = until
		}
		t.ObserveStart(begun)
	}
	return left(t.ObserveCrash(now, err), now)
}

// left is how long the hold of s lasts from now.
func left(s State, now time.Time) time.Duration {
	if s.Phase() == Idle {
		return 0
	}
	until, ends := s.ReleaseAt()
	if !ends {
		return math.MaxInt64
	}
	return max(until.Sub(now), 0)
}

// Forget forgets the item's failures.
func (l *RateLimiter[K]) Forget(item K) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.items, item)
}

// NumRequeues returns how often the item has failed since it was last forgotten.
func (l *RateLimiter[K]) NumRequeues(item K) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.items[item]
	if t == nil {
		return 0
	}
	return int(t.log.Crashes())
}
