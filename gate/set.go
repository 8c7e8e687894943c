package gate

import (
	"hash/maphash"
	"iter"
	"sync/atomic"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// Set keeps a gate for each key, for a loop that looks after very many tasks.
// What it hands out are ordinary gates, used by their own methods; the Set
// learns of what happens to them, so that [Set.Tick] costs as much as there are
// gates whose hold is over, however many there are.
//
//	for name, g := range daemons.Tick(now) { // released, each once
//		g.ObserveStart(now)
//		start(name)
//	}
//	next, ok := daemons.NextDeadline()
//
// At any time there is one gate for a key, as long as someone holds on to it.
// Gates stay until [Set.Delete], unless [WithMaxIdle] bounds those that nothing
// happens to. The instants that its gates are told should come from one clock.
//
// Make one with [NewSet]. A policy, which is asked while a gate is locked, must
// use neither that gate nor its Set. Keys should equal themselves: a NaN is not
// found again. A Set must not be copied. Safe for concurrent use.
type Set[K comparable] struct {
	// What belongs to a gate is owned by the gate's own lock; what belongs to its
	// place in the Set, by its shard's mu; its place among the idle ones by
	// idle.mu. A goroutine that wants more than one of them takes the shard's
	// first, then the gate's, then idle.mu; the gate's only by tryLock, since a
	// policy may hold that for long. No event holds its gate's lock while it takes
	// another: see entry.settle for how the Set learns of it all the same.
	policy    policy.Policy // guarded
	policyFor func(K) policy.Policy
	observers []func(K, Transition)
	idle      idle[K]
	base      atomic.Pointer[time.Time] // the instant that deadlines count from
	policies  report
	watchers  report
	seed      maphash.Seed
	next      [shardCount]atomic.Int64 // the first deadline of each shard, or earlier; none if it has none
	shards    [shardCount]shard[K]
}

// report is a panic of a user's code that is to be told, once.
type report struct {
	panicked atomic.Pointer[any]
	told     atomic.Bool
}

func (r *report) take(v any)    { r.panicked.CompareAndSwap(nil, &v) }
func (r *report) pending() bool { return r.panicked.Load() != nil && !r.told.Load() }

// tell calls with the panic, if it is there and has not been told.
func (r *report) tell(with func(panicked any)) {
	if v := r.panicked.Load(); v != nil && r.told.CompareAndSwap(false, true) {
		with(*v)
	}
}

// shardCount is a power of two. The array of first deadlines, which Tick looks
// through, is eight cache lines.
const shardCount = 64

// SetOption is an option of [NewSet]. Safe for concurrent use.
type SetOption[K comparable] func(*Set[K])

// WithPolicyFor has f choose the policy of each new gate by its key. Where it
// returns nil, or panics, the Set's policy serves; a panic is reported once
// through slog. A nil f counts as no option.
func WithPolicyFor[K comparable](f func(key K) policy.Policy) SetOption[K] {
	return func(s *Set[K]) { s.policyFor = f }
}

// OnKeyTransition has fn called at each transition of a gate that is in the Set,
// as [Gate.OnTransition] has it: in order for each gate, one at a time for each
// gate, but concurrently for several. Given more than once, all are called. It
// costs some 300 bytes for each gate that was ever held. A nil fn panics.
func OnKeyTransition[K comparable](fn func(key K, t Transition)) SetOption[K] {
	if fn == nil {
		panic("gate: OnKeyTransition: fn is nil; give the function to call")
	}
	return func(s *Set[K]) { s.observers = append(s.observers, fn) }
}

// NewSet returns an empty set of gates under p; a nil p is [policy.Default].
func NewSet[K comparable](p policy.Policy, opts ...SetOption[K]) *Set[K] {
	s := &Set[K]{seed: maphash.MakeSeed()}
	s.policy = policy.Guard(p, s.policies.take)
	s.idle.max = -1
	s.idle.order.place = placeIdle
	for i := range s.shards {
		s.shards[i].set, s.shards[i].number = s, i
		s.shards[i].deadlines.place = placeDeadline
		s.next[i].Store(none)
	}
	for _, opt := range opts {
		opt(s)
	}
	return s
}

func (s *Set[K]) shardOf(key K) *shard[K] {
	return &s.shards[maphash.Comparable(s.seed, key)%shardCount]
}

// Get returns the gate of key, and makes an open one if there is none.
func (s *Set[K]) Get(key K) *Gate {
	home := s.shardOf(key)
	e, entered := home.find(key)
	if e == nil {
		e, entered = home.add(s.fresh(home, key))
	}
	if s.idle.bounded() {
		s.idle.use(e)
		if entered {
			e.touch()
		}
	}
	return &e.gate
}

// Lookup returns the gate of key; false if there is none. It is not a use.
func (s *Set[K]) Lookup(key K) (*Gate, bool) {
	e, entered := s.shardOf(key).find(key)
	if e == nil {
		return nil, false
	}
	if entered {
		e.touch()
	}
	return &e.gate, true
}

// fresh returns an entry that nobody knows of yet.
func (s *Set[K]) fresh(home *shard[K], key K) *entry[K] {
	e := &entry[K]{home: home, key: key}
	e.audience.member = e
	e.gate.audience = &e.audience
	e.gate.tracker.policy = s.policy
	e.due.Store(none)
	if s.policyFor != nil {
		if p := s.chosen(key); p != nil {
			e.gate.tracker.policy = policy.Guard(p, s.policies.take)
		}
	}
	return e
}

// chosen is policyFor(key), contained.
func (s *Set[K]) chosen(key K) (p policy.Policy) {
	defer func() {
		if v := recover(); v != nil {
			p = nil
			s.policies.take(v)
			s.policies.tell(reportPolicyPanic)
		}
	}()
	return s.policyFor(key)
}

// Delete removes the gate of key, whatever its state, and reports whether there
// was one. Its holds and crashes are forgotten with it: the next Get makes an
// open one. The deleted gate goes on working for those who still hold it, but
// the Set has no part in it any more.
func (s *Set[K]) Delete(key K) bool {
	e, was := s.shardOf(key).remove(key)
	if e != nil && s.idle.bounded() {
		e.touch() // so that it is no longer counted
		s.idle.remove(e)
	}
	return was
}

// Len returns the number of gates in the Set.
func (s *Set[K]) Len() int {
	n := 0
	for i := range s.shards {
		n += s.shards[i].len()
	}
	return n
}

// All returns all gates with their keys, in any state and in no order. Those
// that come or go meanwhile may be among them or not. The loop may use the Set.
func (s *Set[K]) All() iter.Seq2[K, *Gate] {
	return func(yield func(K, *Gate) bool) {
		for i := range s.shards {
			for _, e := range s.shards[i].all() {
				if !yield(e.key, &e.gate) {
					return
				}
			}
		}
	}
}

// notify tells observers of a transition, one by one, those after one that
// panics or calls Goexit included.
func (s *Set[K]) notify(observers []func(K, Transition), key K, t Transition) {
	if len(observers) == 0 {
		return
	}
	defer s.notify(observers[1:], key, t)
	defer func() {
		if v := recover(); v != nil {
			s.watchers.take(v)
			s.watchers.tell(reportObserverPanic)
		}
	}()
	observers[0](key, t)
}
