package gate

// The places that an entry has in queues.
const (
	placeDeadline = iota
	placeIdle
	placeCount
)

// queue is a heap of entries, the least first. It knows where each entry is, so
// that one can be moved or taken out. Each has four below it, and not two: moving
// one writes to it, wherever it is in memory, and that is what costs, so that fewer
// levels are worth more comparisons, of slots in one line of the cache.
type queue[K comparable] struct {
	slots []slot[K]
	place int // of the entries' places, the one that is this queue's
}

type slot[K comparable] struct {
	at int64
	e  *entry[K]
}

// below is how many slots are below each one.
const below = 4

// put moves e to at, or adds it there.
func (q *queue[K]) put(e *entry[K], at int64) {
	i := int(e.places[q.place]) - 1
	if i < 0 {
		i = len(q.slots)
		q.slots = append(q.slots, slot[K]{})
	}
	q.sift(i, slot[K]{at, e})
}

// remove takes e out, if it is in.
func (q *queue[K]) remove(e *entry[K]) {
	i := int(e.places[q.place]) - 1
	if i < 0 {
		return
	}
	e.places[q.place] = 0
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
const minSlots = 64

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
		first := below*i + 1
		if first >= len(q.slots) {
			break
		}
		least := first
		for c := first + 1; c < min(first+below, len(q.slots)); c++ {
			if q.slots[c].at < q.slots[least].at {
				least = c
			}
		}
		if q.slots[least].at >= s.at {
			break
		}
		q.set(i, q.slots[least])
		i = least
	}
	q.set(i, s)
}

func (q *queue[K]) set(i int, s slot[K]) {
	q.slots[i] = s
	s.e.places[q.place] = int32(i + 1)
}
