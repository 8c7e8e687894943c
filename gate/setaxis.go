package gate

import (
	"math"
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
)

// Each gate counts time from an origin of its own, by the rules of its history. The
// Set has an axis beside these, to know which gates to ask: the distance from base, an
// instant that never changes, held at the ends of what an int64 can express, 292 years
// before and after. A gate's deadline is where its hold ends on that axis. It depends
// on base and on the gate, and on nothing that other keys were told: so no instant,
// however odd, can change what happens to another key.
//
// A deadline is never late: where a hold is over at an instant, it has ended at that
// or before, and the axis keeps the order of instants. There is one exception, an
// instant more than history.Reach before the gate's origin, by which the clock was
// set. Tick learns of it from Set.latest.
//
// A deadline may be early, and then the gate itself, which Tick asks, says that its
// hold is not over:
//
//   - The ends of the axis hold all that is beyond, such as the zero time.
//   - A gate that was used by a clock that is set takes no end of its hold from an
//     instant that no such clock shows: the year 9999 releases nothing.
//   - Instants with and without a monotonic clock reading are as far apart as the
//     wall clock says, which may have been set meanwhile.
//
// base is the one instant that the Set reads from the clock by itself. It does not
// matter which it is, but it has a monotonic reading, as the instants of events should
// have: without, a wall clock that is set would put off the ends of holds.
func (s *Set[K]) axis(at time.Time) int64 { return min(int64(at.Sub(s.base)), none-1) }

const (
	// none is a deadline that never comes.
	none = math.MaxInt64
	// earliest is the deadline that comes before all others.
	earliest = math.MinInt64
)

// deadline returns where the hold of e ends on the axis, none if it has no end.
func (s *Set[K]) deadline(e *entry[K]) int64 {
	t := &e.tracker
	if t.word == 0 || t.word.Endless() {
		return none
	}
	return ending(s.axis(t.log.Origin()), t.word)
}

func ending(origin int64, w word) int64 {
	if origin == earliest {
		return earliest // it may be anywhere before
	}
	return min(int64(addSaturating(time.Duration(origin), w.Until())), none-1)
}

// expect has e found by Tick when its hold ends, after an event. What the queue has of
// a gate is its deadline or earlier, and the gate may be open by now: most events put
// a deadline off, or open the gate, and to move it each time would cost a third of
// what an event does. Who finds it at the head of the queue puts it right.
func (s *Set[K]) expect(h *shard[K], e *entry[K], before State) {
	w, origin := e.tracker.word, e.tracker.log.Origin()
	if w == 0 || w.Endless() {
		return
	}
	if e.place > nowhere && before.word != 0 && before.word.Until() <= w.Until() && before.origin == origin { //nolint:staticcheck // the same origin, not only the same instant
		return // the queue need not be looked at, which is elsewhere in memory
	}
	from := s.axis(origin)
	s.sawOrigin(from)
	if at := ending(from, w); e.place <= nowhere || at < h.deadlines.slots[e.place-1].at {
		h.schedule(e, at)
	}
}

// firstDue returns the gate with the first deadline, nil if that is after limit.
func (s *Set[K]) firstDue(h *shard[K], limit int64) *entry[K] {
	for h.deadlines.first() <= limit {
		head := h.deadlines.slots[0]
		at := s.deadline(head.e)
		if at <= head.at {
			return head.e
		}
		h.schedule(head.e, at)
	}
	return nil
}

// sawOrigin sees to it that latest is not before the origin of a gate that is held. It
// goes a little ahead, so that it is seldom written: all processors look at it.
func (s *Set[K]) sawOrigin(origin int64) {
	for {
		latest := s.latest.Load()
		if origin <= latest {
			return
		}
		ahead := int64(addSaturating(time.Duration(origin), time.Hour))
		if s.latest.CompareAndSwap(latest, ahead) {
			return
		}
	}
}

// settleLatest makes latest what it should be once gates with a late origin are
// open. While it does, latest is too early for a moment, in which another Tick may fail
// to find a gate by it. The next one does. A gate that comes in meanwhile sees to it by
// itself.
func (s *Set[K]) settleLatest() {
	s.latest.Store(earliest)
	for i := range s.shards {
		h := &s.shards[i]
		h.mu.Lock()
		for _, slot := range h.deadlines.slots {
			if s.deadline(slot.e) != none {
				s.sawOrigin(s.axis(slot.e.tracker.log.Origin()))
			}
		}
		h.mu.Unlock()
	}
}

// setBack reports whether there may be a gate at which a clock that shows now was set
// back, since it counts from an instant far later.
func (s *Set[K]) setBack(now time.Time, limit int64) bool {
	latest := addSaturating(time.Duration(s.latest.Load()), -history.Reach)
	return int64(latest) > limit && history.Believable(now)
}
