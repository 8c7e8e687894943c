package feed

import (
	"sync"
)

// The room of a feed: a number of values, and some more for each task that the feed
// serves, so that a crash which many tasks have in common is kept.
const (
	least   = 1024
	perTask = 8
	// mostTasks bounds the room, so that it cannot overflow.
	mostTasks = 1 << 27
)

// Config says what a feed is to do with its values.
type Config[E any] struct {
	// Receive gets the values, in order, one at a time. dropped is how many were lost
	// immediately before e. Receive may block, panic and call [runtime.Goexit], and it
	// may use the feed. It must not be nil.
	Receive func(e E, dropped uint64)

	// Ends reports whether e ends a story, and so is kept rather than others. It must
	// depend on e alone, and not block or panic: Put calls it, under its caller's locks.
	// If it is nil no value ends one.
	Ends func(e E) bool

	// Panicked gets the value of the first panic of Receive, and of no other. It is
	// called on the stack of the panic, before the next value is received. It may
	// misbehave in the ways in which Receive may; its own panic is ignored. It may be nil.
	Panicked func(v any)
}

// Feed hands values to one receiver. Make one with [New]. A Feed must not be copied.
// Safe for concurrent use.
type Feed[E any] struct {
	config  Config[E]
	deliver func() // f.hand, made once, so that starting a goroutine allocates nothing

	// mu is a leaf: it is taken under any lock of the caller's, and nothing is taken and
	// no code of a user's is called under it.
	mu sync.Mutex
	// The values that are pending: those that end a story, and all others. Each queue is
	// in the order of the values' numbers.
	ending, others queue[E]
	spare          *piece[E] // saves an allocation; nil if there is none

	tasks    int64  // that the feed serves
	room     int    // what may be pending; it does not shrink while something is
	put      uint64 // how many values were put, lost ones included: the number of the next
	received uint64 // the number after that of the last value taken out for Receive

	// delivering is set while there is a goroutine that delivers. Only one does, so
	// Receive is called by one goroutine at a time.
	delivering bool
	panicked   bool // owned by the goroutine that delivers

	// drained is closed when all values up to the number drainedAt have been handed
	// over, and later when all have been that were pending at that time or since. Both
	// are nil if nobody asked. With two channels, what callers of Drained leave behind is
	// bounded, and none of them waits forever where values keep coming.
	drained, later chan struct{}
	drainedAt      uint64
}

// New returns a feed without values.
func New[E any](c Config[E]) *Feed[E] {
	f := &Feed[E]{config: c}
	f.deliver = f.hand
	return f
}

// Put has e handed over after all that was put before it. It never blocks, and may be
// called under any lock.
func (f *Feed[E]) Put(e E) {
	ends := f.config.Ends != nil && f.config.Ends(e)
	f.mu.Lock()
	number := f.put
	f.put++
	if !f.makeRoom(ends) {
		f.mu.Unlock()
		return
	}
	q := &f.others
	if ends {
		q = &f.ending
	}
	slot := q.push(&f.spare)
	slot.number = number
	slot.value = e
	start := !f.delivering
	f.delivering = true
	f.mu.Unlock()
	if start {
		go f.deliver()
	}
}

// makeRoom makes room for a value, and reports whether there is any. It is called with mu.
func (f *Feed[E]) makeRoom(ends bool) bool {
	pending := f.others.len + f.ending.len
	room := least + perTask*int(min(max(f.tasks, 0), mostTasks))
	if pending > 0 {
		// Tasks that end have put their last values just before.
		room = max(room, f.room)
	}
	f.room = room
	switch {
	case pending < room:
	case !ends:
		return false
	case f.others.len > 0:
		f.others.drop(&f.spare)
	default:
		f.ending.drop(&f.spare)
	}
	return true
}

// Grow records that the feed serves so many tasks more, or less if tasks is negative.
// There is room for 1024 values and for 8 more per task. The value that Receive has is
// not counted. The room that tasks leave behind stays until all is handed over.
func (f *Feed[E]) Grow(tasks int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tasks += tasks
}
