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
//   - An instant up to a day before the last one seen counts as that one: clocks are
//     corrected by seconds, and news comes late by minutes.
//   - So does one far away that no real clock shows (Believable), where the origin is
//     one that a real clock shows.
//   - Any other that is further back, or further ahead than Reach, means that the
//     clock was set: none has passed since the last instant, and from now on time
//     counts from this one.
//
// The first time that a real clock shows becomes the origin. The base never changes,
// since readers without a lock use it. Where it is not the origin, or not one that a
// real clock shows, the log is not plain, and they must not.

const (
	// Reach is how far ahead time may jump, about 18 years, and how far instants may
	// be from the origin. Twice as far is what a gate can express.
	Reach time.Duration = 1 << 59
	// setBack is how far back an instant is that means that the clock was set.
	setBack = 24 * time.Hour
)

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
	if !h.SeeFrom(now.Sub(h.base)) {
		h.seeOdd(now)
	}
}

// SeeFrom is for a caller that has computed how far now is from Base. It reports false
// where that is not enough to see now; then See must follow.
func (h *Log) SeeFrom(at time.Duration) bool {
	if !h.plain || at < h.last || at > Reach {
		return false
	}
	h.last = at
	return true
}

// See records an instant.
func (h *Log) See(now time.Time) { h.see(now) }

// seeOdd is see, for the first instant, one that is early or far from the origin,
// and all of them where the log is not plain.
func (h *Log) seeOdd(now time.Time) {
	if !h.seen {
		h.base, h.seen, h.plain = now, true, Believable(now)
		return
	}
	origin := h.Origin()
	passed := now.Sub(origin.Add(h.last))
	near := -setBack <= passed && passed <= Reach
	if !near {
		if Believable(origin) && !Believable(now) {
			return
		}
		passed = 0
	}
	h.last += max(passed, 0)
	if near && (Believable(origin) || !Believable(now)) && ahead(h.last) {
		return
	}
	h.moveOrigin(now)
}

// Origin returns where time counts from.
func (h *Log) Origin() time.Time {
	if h.plain || h.more == nil || h.more.origin == nil {
		return h.base
	}
	return *h.more.origin
}

// moveOrigin has time count from the last instant seen, as which to counts.
func (h *Log) moveOrigin(to time.Time) {
	h.shift(-h.last)
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

// Offset returns where now is on the log's axis; see [Offset]. It is meaningless if
// nothing has been seen.
func (h *Log) Offset(now time.Time) time.Duration { return Offset(h.Origin(), now) }

// Offset returns where now is on the axis that begins at origin, to tell whether a
// hold is over. An instant that no real clock shows is before all else, where the
// origin is one that a real clock shows. Any other that is far before the origin is
// after all else: the clock was set since, so that nothing is known of the hold, and a
// task must not wait for a year that may never come.
func Offset(origin, now time.Time) time.Duration {
	at := now.Sub(origin)
	switch {
	case Within(at):
		return at
	case Believable(now) && at < 0:
		return math.MaxInt64
	case !Believable(now) && Believable(origin):
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
