package history

import "time"

// Word is a hold in 64 bits, so that a gate can publish it with one store: the phase,
// and the end of the hold as a distance from the log's origin. No hold is zero.
//
//	63                                   3      0
//	[ end of the hold, signed, 61 bits ] [ phase ]
//
// The phases are those of package gate: none, and after it one for each verdict in
// their order. What more there are is the gate's matter.
type Word int64

const (
	phaseBits      = 3
	phaseMask Word = 1<<phaseBits - 1

	// Forever is the end of a hold that has none. A hold that would end later,
	// 36 years from the origin, never ends.
	Forever time.Duration = 1<<(63-phaseBits) - 1
)

// Pack makes a word; until must be within ±Forever.
func Pack(phase uint8, until time.Duration) Word {
	return Word(until)<<phaseBits | Word(phase)
}

// held is the word of a verdict and the end of its hold.
func held(verdict uint8, end time.Duration) Word {
	return Pack(verdict+1, min(end, Forever))
}

// Phase returns the phase.
func (w Word) Phase() uint8 { return uint8(w & phaseMask) }

// Until returns the end of the hold.
func (w Word) Until() time.Duration { return time.Duration(w >> phaseBits) }

// Endless reports whether a hold has no end.
func (w Word) Endless() bool { return w >= Word(Forever)<<phaseBits }

// End returns when the hold of a word of Apply at the given instant ends, and Never
// if it does not: that instant if there is none.
func (w Word) End(now time.Duration) time.Duration {
	switch {
	case w == 0:
		return now
	case w.Endless():
		return Never
	default:
		return w.Until()
	}
}

// Verdict returns the verdict of a word of Apply.
func (w Word) Verdict() uint8 { return max(w.Phase(), 1) - 1 }

// Over reports whether a hold is over at an offset.
func (w Word) Over(now time.Duration) bool {
	return now >= w.Until() && !w.Endless()
}

// Admissible reports whether there is no hold at now, for an origin of time.
func (w Word) Admissible(origin, now time.Time) bool {
	if w == 0 {
		return true
	}
	at := now.Sub(origin)
	if !Within(at) {
		at = Offset(origin, now)
	}
	return w.Over(at)
}
