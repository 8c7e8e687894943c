package gate

import (
	"math"
	"sync/atomic"
)

// entry is a gate in a Set. The Set's users hold pointers into it.
type entry[K comparable] struct {
	gate     Gate
	audience audience // of gate
	home     *shard[K]
	key      K
	due      atomic.Int64      // what home.deadlines has it under; none if it does not
	places   [placeCount]int32 // in home.deadlines and set.idle.order, counted from 1; owned by them
	used     atomic.Int64      // when by set.idle.clock; only where idle gates are bounded
	marks    atomic.Uint32
}

// What an entry is marked with, and whose lock it takes to change it.
const (
	evicted     uint32 = 1 << iota // home.mu: not in the Set, but still somebody's
	deleted                        // home.mu: not in the Set, for good
	observed                       // gate: the Set's observers are told of its transitions
	isIdle                         // gate: counted as idle
	isClean                        // gate: and nothing is lost with it
	queued                         // set.idle.mu: in set.idle.order
	queuedClean                    // set.idle.mu: among those that go first
)

// none is a deadline that never comes.
const none = math.MaxInt64

func (e *entry[K]) is(marks uint32) bool { return e.marks.Load()&marks != 0 }

func (e *entry[K]) mark(marks uint32, on bool) {
	if on {
		e.marks.Or(marks)
	} else {
		e.marks.And(^marks)
	}
}

// deadline returns when the hold of the gate ends, none if that is not known to
// come. It is never ahead of the gate: it tells of an event once that has
// unlocked the gate.
func (e *entry[K]) deadline() int64 {
	w := e.gate.load()
	if w.phase() == Idle || w.until() == forever {
		return none
	}
	s, h := e.home.set, &e.gate.tracker.history
	base := s.base.Load()
	if base == nil {
		first := h.Time(0)
		s.base.CompareAndSwap(nil, &first)
		base = s.base.Load()
	}
	return min(int64(h.Time(w.until()).Sub(*base)), none-1)
}

// enter is called with the gate locked; see member.
func (e *entry[K]) enter(changed bool) {
	s := e.home.set
	if changed && len(s.observers) > 0 && !e.is(observed) {
		e.observe()
	}
	if s.idle.bounded() {
		s.idle.enter(e)
	}
}

// observe makes the Set's observers listeners of the gate, which is locked. It
// is put off until the first transition, since most gates never have one.
func (e *entry[K]) observe() {
	e.mark(observed, true)
	l := e.gate.listening()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.observers = append(l.observers, &observer{after: l.seq, call: func(t Transition) {
		if !e.is(deleted) {
			s := e.home.set
			s.notify(s.observers, e.key, t)
		}
	}})
}

// settle brings the Set in line with the gate after an event; see member. The
// gate may be at later events by now. That the Set ends up in line with the last
// one nevertheless rests on two orders, of atomic operations all:
//
//   - An event first publishes its state (as it unlocks the gate), then looks at
//     what the Set has: due, and the marks evicted and queued.
//   - Who takes an entry out of a queue first stores that it is out, then looks
//     at the gate, and puts it back if it should be in.
//
// So of the two at least one sees the other. Where an event sees that the queue
// has the entry already, and not too late, it leaves it there and takes no lock:
// what a queue has of an entry may be early, or the entry may not belong there
// any more. Whoever finds it at the head puts that right, once for each time an
// event has put it off.
func (e *entry[K]) settle() {
	s := e.home.set
	if e.is(evicted) {
		e.home.readmit(e)
	}
	if e.deadline() < e.due.Load() {
		e.home.hold(e)
	}
	if s.idle.bounded() {
		s.idle.settle(e)
	}
	if s.policies.pending() {
		s.policies.tell(reportPolicyPanic)
	}
}

// touch is an event by which nothing happens to the gate.
func (e *entry[K]) touch() {
	e.gate.lock()
	e.enter(false)
	e.gate.unlock()
	e.settle()
}
