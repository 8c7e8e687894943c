package gate

import (
	"fmt"
	"sync"
	"sync/atomic"
)

// WithMaxIdle bounds the number of idle gates, those that are neither held nor
// in a run, so that a flood of keys cannot fill the memory. Where there are
// more, some are evicted: first those with a clean slate, from which a new gate
// differs in nothing but its count of crashes, then those with a streak; of each
// kind the least recently used first. A use is a Get, or an event on the gate.
// Held gates and those in a run are never evicted, so that a flood of keys frees
// no task that crashes; they do not count.
//
// An evicted gate stays what it is for as long as somebody holds on to it: Get
// returns the very same, and an event on it brings it back into the Set. One
// that nobody holds is forgotten, and Get makes a new one.
//
// A run whose end is never observed keeps its gate in the Set until Delete.
// WithMaxIdle panics if n is negative; 0 keeps no idle gate. Without it there is
// no bound.
func WithMaxIdle[K comparable](n int) SetOption[K] {
	if n < 0 {
		panic(fmt.Sprintf("gate: WithMaxIdle: n (%d) is negative; give the number of idle gates to keep", n))
	}
	return func(s *Set[K]) { s.idle.max = int64(n) }
}

// idle is the idle gates of a Set in the order in which they would be evicted.
// It is kept as deadlines are: what the queue has of an entry may be early, or
// the entry may not be idle any more.
type idle[K comparable] struct {
	max   int64        // negative for no bound
	count atomic.Int64 // of the entries marked isIdle, which are in the Set or about to be
	clock atomic.Int64 // counts uses

	mu    sync.Mutex // guards order
	order queue[K]
}

func (i *idle[K]) bounded() bool { return i.max >= 0 }

func (i *idle[K]) use(e *entry[K]) { e.used.Store(i.clock.Add(1)) }

// enter takes note of an event on the gate, which is locked.
func (i *idle[K]) enter(e *entry[K]) {
	i.use(e)
	t := &e.gate.tracker
	now, before := t.word == 0 && !t.history.Running() && !e.is(deleted), e.is(isIdle)
	if now {
		e.mark(isClean, t.history.Streak() == 0)
	}
	if now == before {
		return
	}
	e.mark(isIdle, now)
	if now {
		i.count.Add(1)
	} else {
		i.count.Add(-1)
	}
}

// discount has e no longer count as idle; its gate is locked.
func (i *idle[K]) discount(e *entry[K]) {
	e.mark(isIdle, false)
	i.count.Add(-1)
}

// settle enters e where it is not or in the wrong class, and evicts what is too
// much.
func (i *idle[K]) settle(e *entry[K]) {
	if m := e.marks.Load(); m&isIdle != 0 && (m&queued == 0 || m&isClean != 0 != (m&queuedClean != 0)) {
		i.requeue(e)
	}
	for i.count.Load() > i.max {
		victim, used := i.pop()
		if victim == nil {
			return // what is too much is about to be entered, by another goroutine
		}
		if !victim.home.evict(victim, used) {
			i.use(victim)
			i.requeue(victim)
			return // its event will see to it
		}
	}
}

// lastClass is added to the rank of a gate with a streak, so that these come
// after all others.
const lastClass = 1 << 62

func (e *entry[K]) rank() (rank int64, clean bool) {
	if e.is(isClean) {
		return e.used.Load(), true
	}
	return lastClass + e.used.Load(), false
}

func (i *idle[K]) requeue(e *entry[K]) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !e.is(deleted) {
		i.enqueue(e)
	}
}

// remove is called once e has been marked deleted.
func (i *idle[K]) remove(e *entry[K]) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.order.remove(e)
}

func (i *idle[K]) enqueue(e *entry[K]) {
	rank, clean := e.rank()
	e.mark(queued, true)
	e.mark(queuedClean, clean)
	i.order.put(e, rank)
}

// pop takes out the entry that is to go first, nil if there is none, and
// returns when it was last used.
func (i *idle[K]) pop() (e *entry[K], used int64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for len(i.order.slots) > 0 {
		head := i.order.slots[0]
		i.order.remove(head.e)
		head.e.mark(queued, false)
		if !head.e.is(isIdle) {
			continue
		}
		if rank, _ := head.e.rank(); rank > head.at {
			i.enqueue(head.e)
			continue
		}
		return head.e, head.at &^ lastClass
	}
	return nil, 0
}
