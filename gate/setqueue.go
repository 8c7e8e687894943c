package gate

// The places that an entry has in queues.
const (
	placeDeadline = iota
	placeIdle
	placeCount
)

// queue is a binary heap of entries, the least first. It knows where each entry
// is, so that one can be moved or taken out.
type queue[K comparable] struct {
	slots []slot[K]
	place int // of the entries' places, the one that is this queue's
}

type slot[K comparable] struct {
	at int64
	e  *entry[K]
}

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
		parent := (i - 1) / 2
		if q.slots[parent].at <= s.at {
			break
		}
		q.set(i, q.slots[parent])
		i = parent
	}
	for {
		child := 2*i + 1
		if child >= len(q.slots) {
			break
		}
		if right := child + 1; right < len(q.slots) && q.slots[right].at < q.slots[child].at {
			child = right
		}
		if q.slots[child].at >= s.at {
			break
		}
		q.set(i, q.slots[child])
		i = child
	}
	q.set(i, s)
}

func (q *queue[K]) set(i int, s slot[K]) {
	q.slots[i] = s
	s.e.places[q.place] = int32(i + 1)
}
