package gate

import (
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
)

// word is a state in 64 bits: see history.Word.
type word = history.Word

// forever is the end of a hold that has none.
const forever = history.Forever

// ask is what a gate publishes in place of a state that readers cannot make without
// its lock: a phase that there is not.
const ask = word(7)

// timed reports whether a published word is that of a hold with an end, which readers
// can compute without the lock. The few that end at the log's base are left out, for
// the sake of a single comparison.
func timed(w word) bool {
	const least, endless = ask + 1, word(forever) << 3
	return uint64(w-least) < uint64(endless-least)
}

// pack makes a word; until must be within ±forever.
func pack(phase Phase, until time.Duration) word { return history.Pack(uint8(phase), until) }

// stateOf returns the state of a word, for an origin of time. Where that says nothing
// it is left out, so that the state is the same at all gates.
func stateOf(w word, origin time.Time) State {
	if w == 0 || w.Endless() {
		return State{word: w}
	}
	return State{w, origin}
}
