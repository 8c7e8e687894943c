package gate

import "time"

// word is a state in 64 bits, so that a gate can publish it with one store: the
// phase, a bit that locks a Gate, and the end of the hold as a distance from
// the history's first instant. Idle without a lock is zero.
//
//	63                                   3      2      1 0
//	[ end of the hold, signed, 61 bits ] [ locked ] [ phase ]
type word int64

const (
	locked     word = 1 << 2
	phaseMask  word = 1<<2 - 1
	untilShift      = 3

	// forever is the end of a hold that has none. A hold that would end later,
	// 36 years from the first instant, never ends.
	forever time.Duration = 1<<60 - 1
)

// pack makes a word; until must be within ±forever.
func pack(phase Phase, until time.Duration) word {
	return word(until)<<untilShift | word(phase)
}

func (w word) phase() Phase         { return Phase(w & phaseMask) }
func (w word) until() time.Duration { return time.Duration(w >> untilShift) }

// over reports whether a held w is to be released at now.
func (w word) over(now time.Duration) bool {
	until := w.until()
	return now >= until && until != forever
}
