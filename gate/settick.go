package gate

import (
	"iter"
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
)

// Tick releases the gates whose hold is over at now, and yields the key of each with
// the state that it was released from. It releases those for which [Set.MaybeRelease]
// would; of many goroutines that tick, one gets each. Those that a loop which ends
// early has not seen are still held.
//
// It looks at nothing but the gates that are due: k of n held gates take O(k log n),
// and none takes some 50 ns. Only after odd instants, from before 1990, after 2199 or
// many years apart, may it look at more. In each of the 64 parts of the Set the first
// deadline comes first; otherwise there is no order. The loop may use the Set.
func (s *Set[K]) Tick(now time.Time) iter.Seq2[K, State] {
	return func(yield func(K, State) bool) {
		limit := s.axis(now)
		if s.setBack(now, limit) && !s.tickBack(now, yield) {
			return
		}
		for i := range s.first {
			if s.first[i].Load() <= limit && !s.tick(&s.shards[i], now, limit, yield) {
				return
			}
		}
	}
}

// tick is Tick for a shard. A gate stays in the queue until it is released, so that
// nothing is lost when the loop ends.
func (s *Set[K]) tick(h *shard[K], now time.Time, limit int64, yield func(K, State) bool) bool {
	for {
		h.mu.Lock()
		e := s.firstDue(h, limit)
		if e == nil {
			h.mu.Unlock()
			return true
		}
		before := e.tracker.State()
		switch {
		case before.Admissible(now):
			s.maybeRelease(h, e, now)
			if !yield(e.key, before) {
				return false
			}
		case history.Believable(now):
			// By its own clock it has this long to wait, and so it is past limit now
			// and not found here again.
			left := max(e.tracker.left(now), 1)
			h.schedule(e, min(int64(addSaturating(time.Duration(limit), left)), none-1))
			h.mu.Unlock()
		default:
			// Such an instant says nothing about when the hold is over. So the gate
			// stays where it is, and others are looked for behind it.
			h.mu.Unlock()
			return s.tickAll(h, now, limit, yield)
		}
	}
}

// tickAll is tick for a shard of which it must ask each gate with a deadline up to
// limit.
func (s *Set[K]) tickAll(h *shard[K], now time.Time, limit int64, yield func(K, State) bool) bool {
	for _, e := range h.over(now, limit) {
		h.mu.Lock()
		before := e.tracker.State()
		if e.place <= nowhere {
			h.mu.Unlock()
		} else if s.maybeRelease(h, e, now) && !yield(e.key, before) {
			return false
		}
	}
	return true
}

// tickBack is Tick after the clock was set back, far before where some gates count
// from. These have deadlines far ahead, and are open all the same.
func (s *Set[K]) tickBack(now time.Time, yield func(K, State) bool) bool {
	for i := range s.shards {
		if !s.tickAll(&s.shards[i], now, none, yield) {
			return false
		}
	}
	s.settleLatest()
	return true
}

// over returns the gates with a deadline up to limit whose hold is over at now.
func (h *shard[K]) over(now time.Time, limit int64) (all []*entry[K]) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for e := range h.deadlines.until(limit) {
		if e.tracker.word != 0 && e.tracker.Admissible(now) {
			all = append(all, e)
		}
	}
	return all
}

// NextDeadline returns when the next hold ends, so that a loop knows when to tick
// again; false if no gate is held until an instant. It may be in the past.
func (s *Set[K]) NextDeadline() (next time.Time, ok bool) {
	for !ok {
		first := int64(none)
		for i := range s.first {
			first = min(first, s.first[i].Load())
		}
		if first == none {
			return time.Time{}, false
		}
		for i := range s.first {
			if s.first[i].Load() != first {
				continue
			}
			if at, there := s.endAt(&s.shards[i], first); there && (!ok || at.Before(next)) {
				next, ok = at, true
			}
		}
	}
	return next, true
}

// endAt returns when the first hold ends of those whose deadline is the first of the
// shard; false if that is another, after all. At the ends of the axis there may be many.
func (s *Set[K]) endAt(h *shard[K], first int64) (end time.Time, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.firstDue(h, first) == nil || h.deadlines.first() != first {
		return end, false
	}
	for e := range h.deadlines.until(first) {
		at := s.deadline(e)
		if at > first {
			continue
		}
		until := e.tracker.State().Until()
		if at < first {
			until = s.base.Add(time.Duration(first)) // Tick has put it off
		}
		if !ok || until.Before(end) {
			end, ok = until, true
		}
	}
	return end, ok
}
