package feed

// queue is a queue in pieces: it grows without moving what is in it, which would take
// long while others wait for the lock, and gives memory back as it shrinks. The zero
// value is empty.
type queue[E any] struct {
	head, tail *piece[E]
	at, end    int // the index of the first slot in head, and the one after the last in tail
	len        int
}

// pieceLen is how many values a piece has: so many that few are allocated, and so few
// that an idle feed may keep one.
const pieceLen = 8

type piece[E any] struct {
	slots [pieceLen]slot[E]
	next  *piece[E]
}

type slot[E any] struct {
	number uint64
	value  E
}

// push adds a slot, and returns it to be filled. It uses up spare before it allocates.
func (q *queue[E]) push(spare **piece[E]) *slot[E] {
	if q.tail == nil || q.end == pieceLen {
		p := *spare
		if *spare = nil; p == nil {
			p = new(piece[E])
		}
		if q.tail == nil {
			q.head, q.at = p, 0
		} else {
			q.tail.next = p
		}
		q.tail, q.end = p, 0
	}
	q.end++
	q.len++
	return &q.tail.slots[q.end-1]
}

// first returns the oldest slot. The queue must not be empty.
func (q *queue[E]) first() *slot[E] { return &q.head.slots[q.at] }

// drop takes the oldest slot out, and keeps nothing of its value. The queue must not be
// empty. A piece that is used up becomes spare.
func (q *queue[E]) drop(spare **piece[E]) {
	*q.first() = slot[E]{}
	q.at++
	q.len--
	if q.at < pieceLen && q.len > 0 {
		return
	}
	p := q.head
	q.head, q.at = p.next, 0
	if q.len == 0 {
		q.tail = nil
	}
	p.next = nil
	*spare = p
}
