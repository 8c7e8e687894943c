package gate

import (
	"iter"
	"time"
)

// Tick releases the gates whose hold is over at now, and yields each of them
// with its key. Of many goroutines that tick, one gets each. A gate that was
// opened otherwise in the meantime is not among them. Those that a loop which
// ends early has not seen are still due.
//
// It looks at nothing but the gates that are due: k of n held gates take
// O(k log n), and none takes less than a microsecond. In each shard of the Set
// the first deadline comes first; otherwise there is no order. The loop may use
// the Set.
func (s *Set[K]) Tick(now time.Time) iter.Seq2[K, *Gate] {
	return func(yield func(K, *Gate) bool) {
		base := s.base.Load()
		if base == nil {
			return
		}
		limit := min(int64(now.Sub(*base)), none-1)
		for i := range s.shards {
			if s.next[i].Load() <= limit && !s.shards[i].tick(now, limit, yield) {
				return
			}
		}
	}
}

func (s *shard[K]) tick(now time.Time, limit int64, yield func(K, *Gate) bool) bool {
	for e := s.popDue(limit); e != nil; e = s.popDue(limit) {
		if e.gate.MaybeRelease(now) {
			if !yield(e.key, &e.gate) {
				return false
			}
			continue
		}
		s.postpone(e, now, limit)
	}
	return true
}

// popDue takes out an entry whose deadline is not after limit, nil if there is
// none.
func (s *shard[K]) popDue(limit int64) *entry[K] {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.deadlines.slots) > 0 && s.deadlines.slots[0].at <= limit {
		e := s.deadlines.slots[0].e
		if s.unhold(e); e.deadline() <= limit {
			return e
		}
		s.holdLocked(e) // it is for later, or not held
	}
	return nil
}

// postpone puts e back, which was due by the Set's time but not by its own: an
// event has prolonged the hold meanwhile, or its instants come from another
// clock. Then its own time says how long it is to wait.
func (s *shard[K]) postpone(e *entry[K], now time.Time, limit int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := e.gate.load()
	if w.phase() == Idle || w.until() == forever || e.is(evicted|deleted) {
		return
	}
	left := max(w.until()-max(e.gate.tracker.history.Offset(now), -forever), 1)
	later := max(e.deadline(), min(limit, none-1-int64(left))+int64(left))
	if later < e.due.Load() {
		s.enqueue(e, later)
	}
}

// NextDeadline returns when the next hold ends, so that a loop knows when to
// tick again; false if no gate is held until an instant.
func (s *Set[K]) NextDeadline() (time.Time, bool) {
	for {
		first, at := 0, int64(none)
		for i := range s.next {
			if next := s.next[i].Load(); next < at {
				first, at = i, next
			}
		}
		if at == none {
			return time.Time{}, false
		}
		if s.shards[first].headIs(at) {
			return s.base.Load().Add(time.Duration(at)), true
		}
	}
}

// headIs reports whether the first deadline is at, and not only early. If it is
// early it puts it right.
func (s *shard[K]) headIs(at int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.deadlines.slots) == 0 || s.deadlines.slots[0].at != at {
		return false
	}
	e := s.deadlines.slots[0].e
	if e.deadline() <= at {
		return true
	}
	s.unhold(e)
	s.holdLocked(e)
	return false
}
