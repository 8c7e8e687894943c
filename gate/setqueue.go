package gate

import "iter"

// queue is a heap of entries, the least first. It knows where each entry is, so
// that one can be moved or taken out. Each has four below it, and not two: moving
// one writes to it, wherever it is in memory, and that is what costs, so that fewer
// levels are worth more comparisons, of slots in one line of the cache.
type queue[K comparable] struct{ slots []slot[K] }

type slot[K comparable] struct {
	at int64
	e  *entry[K]
}

// below is how many slots are below each one.
const below = 4

// first returns the least deadline, none if the queue is empty.
func (q *queue[K]) first() int64 {
	if len(q.slots) == 0 {
		return none
	}
	return q.slots[0].at
}

// put moves e to at, or adds it there.
func (q *queue[K]) put(e *entry[K], at int64) {
	i := int(e.place) - 1
	if i < 0 {
		i = len(q.slots)
		q.slots = append(q.slots, slot[K]{})
	}
	q.sift(i, slot[K]{at, e})
}

// remove takes e out, which must be in.
func (q *queue[K]) remove(e *entry[K]) {
	i := int(e.place) - 1
	e.place = nowhere
	last := len(q.slots) - 1
	moved := q.slots[last]
	q.slots[last] = slot[K]{}
	q.slots = q.slots[:last]
	if i < last {
		q.sift(i, moved)
	}
	q.shrink()
}

// minSlots is the capacity below which a queue is not worth shrinking.
const minSlots = 16

// shrink gives back memory that a flood has left behind.
func (q *queue[K]) shrink() {
	if n := len(q.slots); cap(q.slots) > minSlots && n < cap(q.slots)/4 {
		q.slots = append(make([]slot[K], 0, cap(q.slots)/2), q.slots...)
	}
}

// sift puts s, whose place is to be i, up or down to where it belongs.
func (q *queue[K]) sift(i int, s slot[K]) {
	for i > 0 {
		parent := (i - 1) / below
		if q.slots[parent].at <= s.at {
			break
		}
		q.set(i, q.slots[parent])
		i = parent
	}
	for {
		least := q.leastBelow(i)
		if least == 0 || q.slots[least].at >= s.at {
			break
		}
		q.set(i, q.slots[least])
		i = least
	}
	q.set(i, s)
}

// leastBelow returns which of those below i comes first, 0 if there are none.
func (q *queue[K]) leastBelow(i int) int {
	first := below*i + 1
	if first >= len(q.slots) {
		return 0
	}
	least := first
	for c := first + 1; c < min(first+below, len(q.slots)); c++ {
		if q.slots[c].at < q.slots[least].at {
			least = c
		}
	}
	return least
}

func (q *queue[K]) set(i int, s slot[K]) {
	q.slots[i] = s
	s.e.place = int32(i + 1)
}

// until returns the entries whose deadline is not after limit, in no order. It takes
// time in proportion to their number.
func (q *queue[K]) until(limit int64) iter.Seq[*entry[K]] {
	return func(yield func(*entry[K]) bool) { q.walk(0, limit, yield) }
}

func (q *queue[K]) walk(i int, limit int64, yield func(*entry[K]) bool) bool {
	if i >= len(q.slots) || q.slots[i].at > limit {
		return true
	}
	if !yield(q.slots[i].e) {
		return false
	}
	for c := below*i + 1; c <= below*i+below; c++ {
		if !q.walk(c, limit, yield) {
			return false
		}
	}
	return true
}
