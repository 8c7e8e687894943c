package history

import (
	"math"
	"time"
)

// View is a log to be read, with the slate as it is or wiped. Its methods are
// those of policy.History, which has their contracts. The zero value is the view
// of a task of which nothing has been seen.
type View struct {
	log   *Log
	fresh bool
}

// nothing is never changed: a log without crashes does not remember how far back
// it was asked.
var nothing Log

func (v View) of() *Log {
	if v.log == nil {
		return &nothing
	}
	return v.log
}

// Fresh returns the view with a clean slate.
func (v View) Fresh() View { return View{v.log, true} }

// Err is policy.History.Err.
func (v View) Err() error { return v.of().err }

// Ran is policy.History.Ran.
func (v View) Ran() time.Duration { return v.of().ran }

// Running is policy.History.Running.
func (v View) Running() bool { return v.of().running }

// Rehearsed reports whether the log is marked so by Rehearse.
func (v View) Rehearsed() bool { return v.of().rehearsal }

// Crashes is policy.History.Crashes.
func (v View) Crashes() uint64 { return v.of().crashes }

// Streak is policy.History.Streak.
func (v View) Streak() int {
	h := v.of()
	if !v.fresh {
		return int(h.crashes - h.wiped)
	}
	if h.err != nil {
		return 1
	}
	return 0
}

// Now is policy.History.Now.
func (v View) Now() time.Time {
	h := v.of()
	if !h.seen {
		return time.Time{}
	}
	return h.Time(h.last)
}

// Span returns the time since the k-th most recent crash of the streak, and
// math.MaxInt64, longer than any, for a crash that is not there.
func (v View) Span(k int) time.Duration {
	h := v.of()
	if v.fresh {
		if k != 1 || h.err == nil {
			h.note(k)
			return math.MaxInt64
		}
	} else if uint64(k)-1 >= h.crashes-h.wiped {
		h.note(k)
		return math.MaxInt64
	}
	return h.span(k)
}

// SpanAny is Span, whichever streak the crash was of.
func (v View) SpanAny(k int) time.Duration {
	h := v.of()
	if uint64(k)-1 >= h.crashes {
		h.note(k)
		return math.MaxInt64
	}
	return h.span(k)
}

// span is for a k from 1 to the number of crashes.
func (h *Log) span(k int) time.Duration {
	m := h.more
	if uint64(k) > uint64(m.depth) {
		m.deepen(k, h.crashes)
	}
	if k > m.length() {
		return math.MaxInt64
	}
	at := m.at(h.crashes - uint64(k))
	if at == lost {
		return math.MaxInt64
	}
	return h.last - at
}

// note remembers how far back a policy looks, where there is nothing to see yet.
func (h *Log) note(k int) {
	if k > 0 && h.more != nil && uint64(k) > uint64(h.more.depth) {
		h.more.deepen(k, h.crashes)
	}
}

// LastDelay is policy.History.LastDelay.
func (v View) LastDelay() time.Duration {
	if v.fresh {
		return 0
	}
	return v.of().delay
}

// Looping is policy.History.Looping.
func (v View) Looping() bool { return !v.fresh && v.of().looping }

// Trips is policy.History.Trips.
func (v View) Trips() int {
	if v.fresh {
		return 0
	}
	return int(v.of().trips)
}

// Rand is policy.History.Rand; each salt but 0, which is that one's, makes
// another draw.
func (v View) Rand(salt uint64) float64 {
	h := v.of()
	x := h.seed + h.crashes*0x9e3779b97f4a7c15 + salt*0xd1342543de82ef95
	if h.err == nil {
		x ^= uint64(h.last)
	}
	return float64(mix(x)>>11) / (1 << 53)
}

// mix is the finalizer of SplitMix64 (Steele, Lea and Flood, 2014).
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
