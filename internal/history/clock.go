package history

import (
	"math"
	"time"
)

// A log counts time from an origin, at first the first instant seen. Instants
// come from whoever calls, so they may be odd: a zero time, a clock that is not
// set, one that jumps. These rules keep one odd instant from spoiling all that
// follow:
//
//   - An instant before the last one seen counts as that one.
//   - So does one that no real clock shows (Believable), where the origin is one
//     that a real clock shows.
//   - Any other that is further than Reach from the origin moves the origin. If it
//     is further than Reach from the last instant, too, the clock was set to
//     another time: none has passed since.
//
// The base never changes, since readers without a lock use it. Where the origin
// has moved, the log is not plain, and they must not.

// Reach is how far instants may be from the origin, about 18 years. Twice as far
// is what a gate can express.
const Reach time.Duration = 1 << 59

// Within reports whether an offset is within Reach.
func Within(offset time.Duration) bool { return uint64(offset)+uint64(Reach) <= 2*uint64(Reach) }

var (
	earliest = time.Date(1990, time.January, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2200, time.January, 1, 0, 0, 0, 0, time.UTC)
)

// Believable reports whether a clock that is set may show t: it is from 1990 up
// to 2199. Clocks that are not set show a zero time, 1970 or 1980.
func Believable(t time.Time) bool { return !t.Before(earliest) && t.Before(latest) }

func (h *Log) see(now time.Time) {
	if h.plain {
		if at := now.Sub(h.base); Within(at) {
			h.last = max(h.last, at)
			return
		}
	}
	h.seeOdd(now)
}

// SeeFrom is for a caller that has computed how far now is from Base. It reports false
// where that is not enough to see now; then See must follow.
func (h *Log) SeeFrom(at time.Duration) bool {
	if !h.plain || !Within(at) {
		return false
	}
	h.last = max(h.last, at)
	return true
}

// See records an instant.
func (h *Log) See(now time.Time) { h.see(now) }

// seeOdd is see, for the first instant, one far from the origin, and all that
// follow once the origin has moved.
func (h *Log) seeOdd(now time.Time) {
	if !h.seen {
		h.base, h.seen, h.plain = now, true, true
		return
	}
	origin := h.Origin()
	if at := now.Sub(origin); Within(at) {
		h.last = max(h.last, at)
		return
	}
	if !Believable(now) && Believable(origin) {
		return
	}
	present := origin.Add(h.last)
	h.shift(-h.last)
	if step := now.Sub(present); Within(step) {
		h.moveOrigin(present)
		h.last = max(step, 0)
	} else {
		h.moveOrigin(now)
	}
}

// Origin returns where time counts from.
func (h *Log) Origin() time.Time {
	if h.plain {
		return h.base
	}
	return *h.more.origin
}

func (h *Log) moveOrigin(to time.Time) {
	h.needMore().origin = &to
	h.plain = false
}

// shift moves all instants by d; what has no end still has none.
func (h *Log) shift(d time.Duration) {
	move := func(at *time.Duration) {
		if *at != Never {
			*at = max(min(addSaturating(*at, d), Never-1), -2*Reach)
		}
	}
	move(&h.last)
	move(&h.started)
	move(&h.loopEnd)
	if h.more != nil {
		for i, at := range h.more.all() {
			if at != lost {
				move(&h.more.all()[i])
			}
		}
	}
}

// Plain reports whether Base may be used in place of the log, for good or until
// an event moves the origin.
func (h *Log) Plain() bool { return h.plain }

// Base returns the first instant seen.
func (h *Log) Base() time.Time { return h.base }

// Offset returns where now is on the log's axis; before all else if it counts as
// the last instant seen for being odd. It is meaningless if nothing has been seen.
func (h *Log) Offset(now time.Time) time.Duration { return Offset(h.Origin(), now) }

// Offset returns where now is on the axis that begins at origin, as Log.Offset.
func Offset(origin, now time.Time) time.Duration {
	at := now.Sub(origin)
	if !Within(at) && !Believable(now) && Believable(origin) {
		return math.MinInt64
	}
	return at
}

// Time is the inverse of Offset.
func (h *Log) Time(offset time.Duration) time.Time { return h.Origin().Add(offset) }

func addSaturating(a, b time.Duration) time.Duration {
	switch sum := a + b; {
	case b > 0 && sum < a:
		return math.MaxInt64
	case b < 0 && sum > a:
		return math.MinInt64
	default:
		return sum
	}
}
