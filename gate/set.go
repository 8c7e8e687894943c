package gate

import (
	"hash/maphash"
	"iter"
	"sync/atomic"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// Set keeps a gate for each key, for a loop that looks after very many tasks. Its
// methods are those of [Tracker] and [Gate] with a key, and [Set.Tick] releases the
// gates whose hold is over. That costs as much as there are such gates, however many
// there are in all.
//
//	for name := range daemons.Tick(now) { // released, each once
//		daemons.ObserveStart(name, now)
//		start(name)
//	}
//	next, ok := daemons.NextDeadline()
//
// A key without a gate is one with an open gate and a clean slate. An event makes the
// gate: a start, the end of a run, or a pause. Questions do not, nor does what opens
// gates. Gates stay until [Set.Delete], unless [WithMaxIdle] bounds those to which
// nothing happens.
//
// What happens to one key never changes what happens to another, however odd the
// instants. Those of one key should come from one clock, and those of Tick from the
// same.
//
// Make one with [NewSet]. A policy is asked while a part of the Set is locked, with
// the keys that are in it: it must not use the Set, and while it takes long, others
// wait. Keys should equal themselves: a NaN is not found again. A Set must not be
// copied. Safe for concurrent use.
type Set[K comparable] struct {
	// Each key belongs to a shard, whose mu guards all there is of it. Nobody ever
	// holds the mu of two shards, nor takes any other lock under it.
	//
	// Under mu run policies, and no other code of a user's. Outside of it run:
	// WithPolicyFor's function, observers, OnKeyPanic's function, the Error methods of
	// errors, the bodies of the loops over a Set, and the sequence that is restored.
	//
	// The fields are set by NewSet, and only what is atomic changes.
	policy    policy.Policy
	policyFor func(K) policy.Policy
	maxIdle   int
	observers []*keyObserver[K]
	onPanic   func(K, Panic)
	had       struct{ policy, chosen, choice atomic.Bool } // panics of these were handed over
	seed      maphash.Seed
	shards    []shard[K]
	first     []atomic.Int64 // the first deadline of each shard, or earlier
	latest    atomic.Int64   // the last origin of the held gates, or later
	base      time.Time      // see axis
}

// SetOption is an option of [NewSet]. A nil one is ignored.
type SetOption[K comparable] func(*Set[K])

// WithPolicyFor has f choose the policy of each new gate by its key. Where it returns
// nil, or panics, the Set's policy serves; see [OnKeyPanic]. It is called outside of
// all locks, concurrently for several keys, and once more for a key that was forgotten
// or that several goroutines bring along at once. A nil f counts as no option.
func WithPolicyFor[K comparable](f func(key K) policy.Policy) SetOption[K] {
	return func(s *Set[K]) { s.policyFor = f }
}

// OnKeyTransition has fn called at each transition of a gate: in order for each key
// and one at a time, but concurrently for several keys. Given more than once, all are
// called. fn runs on the goroutine whose event caused the transition, or on one that
// is just delivering an earlier one of the same key, outside of all locks: it may use
// the Set. While it takes its time up to 1024 transitions are kept for each key;
// further ones are dropped, which leaves a gap in Seq. Seq begins anew with each gate,
// also of a key that had one before. A panic in fn is contained, see [OnKeyPanic]. A
// nil fn panics here.
func OnKeyTransition[K comparable](fn func(key K, t Transition)) SetOption[K] {
	if fn == nil {
		panic("gate: OnKeyTransition: fn is nil; give the function to call")
	}
	return func(s *Set[K]) { s.observers = append(s.observers, &keyObserver[K]{call: fn}) }
}

// OnKeyPanic has fn called when a function of the user has panicked for the first
// time, with the key at which it did: the Set's policy, the policies that
// [WithPolicyFor] has chosen, taken together, its function, and each observer of
// transitions. The Set contains these panics: the default policy has decided, the
// Set's policy serves, the observer stays. Without OnKeyPanic nobody learns of them.
// fn runs where observers do, on the goroutine whose event it was and outside of all
// locks; a panic in it is contained. The last one counts. OnKeyPanic panics if fn is
// nil.
func OnKeyPanic[K comparable](fn func(key K, p Panic)) SetOption[K] {
	if fn == nil {
		panic("gate: OnKeyPanic: fn is nil; give the function to call")
	}
	return func(s *Set[K]) { s.onPanic = fn }
}

// NewSet returns an empty set of gates under p; a nil p is [policy.Default].
func NewSet[K comparable](p policy.Policy, opts ...SetOption[K]) *Set[K] {
	s := &Set[K]{policy: p, maxIdle: -1, base: time.Now(), seed: maphash.MakeSeed()}
	if p == nil {
		s.policy = policy.Default()
	}
	for _, opt := range opts {
		if opt != nil {
			opt(s)
		}
	}
	s.latest.Store(earliest)
	n := shardsFor(s.maxIdle)
	s.shards, s.first = make([]shard[K], n), make([]atomic.Int64, n)
	for i := range s.shards {
		h := &s.shards[i]
		h.first = &s.first[i]
		h.first.Store(none)
		h.policy = policy.Guard(s.policy, func(v any) { h.policyPanicked(&s.had.policy, v) })
		if s.maxIdle >= 0 {
			share := s.maxIdle / n
			if i < s.maxIdle%n {
				share++
			}
			h.idle = newIdle[K](share)
		}
	}
	return s
}

// locate returns the shard of a key, and the key's hash in its table.
func (s *Set[K]) locate(key K) (*shard[K], uint32) {
	hash := maphash.Comparable(s.seed, key)
	return &s.shards[hash&uint64(len(s.shards)-1)], uint32(hash>>32) | hashed
}

// find locks the shard of key and returns the gate, nil if there is none.
func (s *Set[K]) find(key K) (*shard[K], *entry[K]) {
	h, hash := s.locate(key)
	h.mu.Lock()
	return h, h.gates.get(hash, key)
}

// State returns the state of key's gate as it stands; see [Tracker.State].
func (s *Set[K]) State(key K) State {
	h, e := s.find(key)
	defer h.mu.Unlock()
	if e == nil {
		return State{}
	}
	return e.tracker.State()
}

// Admissible reports whether the task of key may start at now; see
// [Tracker.Admissible]. Of several that ask, more than one may be told so: see
// [Set.TryStart].
func (s *Set[K]) Admissible(key K, now time.Time) bool {
	h, e := s.find(key)
	defer h.mu.Unlock()
	return e == nil || e.tracker.Admissible(now)
}

// PausedBy returns who paused key's gate, and why; false if it is not paused.
func (s *Set[K]) PausedBy(key K) (By, bool) {
	h, e := s.find(key)
	defer h.mu.Unlock()
	if e == nil {
		return By{}, false
	}
	return e.tracker.PausedBy()
}

// History returns a copy of the history of key's gate, which stays as it is; false if
// there is no gate.
func (s *Set[K]) History(key K) (policy.History, bool) {
	h, e := s.find(key)
	defer h.mu.Unlock()
	if e == nil {
		return policy.History{}, false
	}
	return policy.History(e.tracker.log.Clone().View()), true
}

// Delete removes the gate of key, whatever its state, and reports whether there was
// one. Its holds, crashes and run are forgotten: the key is like a new one. Observers
// are not told of that, and still get what happened before.
func (s *Set[K]) Delete(key K) bool {
	h, e := s.find(key)
	defer h.mu.Unlock()
	if e == nil {
		return false
	}
	h.remove(e)
	return true
}

// Len returns the number of gates in the Set.
func (s *Set[K]) Len() int {
	n := 0
	for i := range s.shards {
		n += s.shards[i].len()
	}
	return n
}

func (h *shard[K]) len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.gates.count
}

// All returns the keys of all gates with their states, whatever these are, in no
// order. Each state is that of the moment at which it is yielded. Gates that come or
// go meanwhile may be among them or not. The loop may use the Set.
func (s *Set[K]) All() iter.Seq2[K, State] {
	return func(yield func(K, State) bool) {
		for h, e := range s.entries() {
			state := e.tracker.State()
			h.mu.Unlock()
			if !yield(e.key, state) {
				return
			}
		}
	}
}

// entries yields the entries of all shards, with the shard locked, which the loop
// must unlock.
func (s *Set[K]) entries() iter.Seq2[*shard[K], *entry[K]] {
	return func(yield func(*shard[K], *entry[K]) bool) {
		for i := range s.shards {
			h := &s.shards[i]
			for _, e := range h.all() {
				h.mu.Lock()
				if e.place == removed {
					h.mu.Unlock()
				} else if !yield(h, e) {
					return
				}
			}
		}
	}
}
