package gate

import (
	"hash/maphash"
	"math"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
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
// It reads the real clock. Items are kept until they are forgotten; then their memory
// is free again. Make one with [NewRateLimiter]. Safe for concurrent use.
type RateLimiter[K comparable] struct {
	seed   maphash.Seed
	shards [mostShards]limiterShard[K]
}

// limiterShard is a part of a RateLimiter, by the hash of the item.
type limiterShard[K comparable] struct {
	mu      sync.Mutex // guards what follows; the policy runs under it
	items   table[K, *item[K]]
	tracker Tracker // what an item is put into while something happens to it
}

// item is what a Tracker holds, but for what is the same for all items.
type item[K comparable] struct {
	key  K
	word word
	log  history.Log
}

func (i *item[K]) id() K { return i.key }

// NewRateLimiter returns a limiter under p; a nil p is [policy.Default]. A p that
// panics counts as policy.Default for that decision.
func NewRateLimiter[K comparable](p policy.Policy) *RateLimiter[K] {
	l := &RateLimiter[K]{seed: maphash.MakeSeed()}
	var t Tracker
	t.use(p, nil)
	for i := range l.shards {
		l.shards[i].tracker = Tracker{policy: t.policy, rules: t.rules}
	}
	return l
}

// find locks the shard of an item and returns that, nil if it is not known.
func (l *RateLimiter[K]) find(key K) (*limiterShard[K], uint32, *item[K]) {
	hash := maphash.Comparable(l.seed, key)
	s, inTable := &l.shards[hash%mostShards], uint32(hash>>32)|hashed
	s.mu.Lock()
	return s, inTable, s.items.get(inTable, key)
}

// When returns how long the item, which has just failed, is to wait. A hold
// without an end, as when the policy gives up, is [math.MaxInt64]: the queue will
// not try the item again unless something else adds it.
func (l *RateLimiter[K]) When(item K) time.Duration { return l.Failed(item, policy.ErrUnknown) }

// Failed is When for those who can tell the error, of which a work queue is not
// told: rules such as [policy.PermanentErrors] and [policy.RetryAfter] look at
// it. Hand the result to the queue's AddAfter. A nil err is [ErrNil].
func (l *RateLimiter[K]) Failed(key K, err error) time.Duration {
	now := time.Now()
	s, hash, i := l.find(key)
	defer s.mu.Unlock()
	known := i != nil
	if !known {
		i = &item[K]{key: key}
		s.items.add(hash, i)
	}
	t := &s.tracker
	t.log, t.word = i.log, i.word
	defer func() { // also where the policy ends the goroutine
		i.log, i.word = t.log, t.word
		t.log, t.word = history.Log{}, 0
	}()
	if known {
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
	s, hash, i := l.find(item)
	defer s.mu.Unlock()
	if i != nil {
		s.items.remove(hash, i)
	}
}

// NumRequeues returns how often the item has failed since it was last forgotten.
func (l *RateLimiter[K]) NumRequeues(item K) int {
	s, _, i := l.find(item)
	defer s.mu.Unlock()
	if i == nil {
		return 0
	}
	return int(i.log.Crashes())
}
