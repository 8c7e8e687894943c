package gate

import (
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
)

// word is a state in 64 bits, so that a gate can publish it with one store: the
// phase, and the end of the hold as a distance from the history's origin. Idle is
// zero.
//
//	63                                   3      0
//	[ end of the hold, signed, 61 bits ] [ phase ]
type word int64

const (
	phaseBits      = 3
	phaseMask word = 1<<phaseBits - 1

	// forever is the end of a hold that has none. A hold that would end later,
	// 36 years from the origin, never ends.
	forever time.Duration = 1<<(63-phaseBits) - 1

	// ask is what a gate publishes in place of a state that readers cannot make
	// without its lock.
	ask word = phaseMask
)

// pack makes a word; until must be within ±forever.
func pack(phase Phase, until time.Duration) word {
	return word(until)<<phaseBits | word(phase)
}

func (w word) phase() Phase         { return Phase(w & phaseMask) }
func (w word) until() time.Duration { return time.Duration(w >> phaseBits) }

// endless reports whether a hold has no end.
func (w word) endless() bool { return w >= word(forever)<<phaseBits }

// state makes a State of the word, for an origin of time. Where that says nothing it
// is left out, so that the state is the same at all gates.
func (w word) state(origin time.Time) State {
	if w == 0 || w.endless() {
		return State{word: w}
	}
	return State{w, origin}
}

// over reports whether a hold that is not Idle is over at an offset.
func (w word) over(now time.Duration) bool { return now >= w.until() && !w.endless() }

// admissible reports whether the gate is open at now, for an origin of time.
func (w word) admissible(origin, now time.Time) bool {
	if w == 0 {
		return true
	}
	at := now.Sub(origin)
	if !history.Within(at) {
		at = history.Offset(origin, now)
	}
	return w.over(at)
}
