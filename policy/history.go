package policy

import (
	"errors"
	"math"
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
)

// ErrUnknown stands for the error of a crash whose error is not known.
var ErrUnknown = errors.New("policy: crashed, the error is not known")

// History is what has happened to one task: its crashes since the slate was last
// clean, and how its last run ended. A gate records what it observes; a [Policy]
// can only read. It is a small value that refers to the gate's record: it is
// valid until the gate's next event, and gate.Gate.History returns one that
// stays as it is.
//
// Instants are those that the gate was given; one up to a day before the last counts as
// that one. The zero value is the history of a task of which nothing has been seen.
// Not safe for concurrent use.
type History history.View

// Err returns the error that ended the last run; nil after a clean exit, and
// before any run has ended.
func (h History) Err() error { return history.View(h).Err() }

// Ran returns how long the last run lasted, from its start to its end. It is 0
// if the start was not seen. Time spent held is never part of it.
func (h History) Ran() time.Duration { return history.View(h).Ran() }

// Running reports whether a run is under way. While a policy decides none is.
func (h History) Running() bool { return history.View(h).Running() }

// Streak returns the number of crashes since the slate was last clean, the one
// at hand included.
func (h History) Streak() int { return history.View(h).Streak() }

// Crashes returns the number of crashes ever seen. Nothing resets it.
func (h History) Crashes() uint64 { return history.View(h).Crashes() }

// Now returns the last instant seen: while a policy decides, the end of the
// run it decides on. It is the zero time if nothing has been seen.
func (h History) Now() time.Time { return history.View(h).Now() }

// Since returns the time since the k-th most recent crash of the streak; the
// crash at hand is the first, so that Since(1) is 0 while deciding on it. It
// returns false if there were fewer, or k < 1. It takes constant time.
//
// Crash times are kept as far back as a policy has asked for, at least 8 and at
// most 1,048,576. A policy should therefore ask for the same k at every crash: a
// k larger than any before finds what is still kept, and false beyond it.
func (h History) Since(k int) (time.Duration, bool) { return known(history.View(h).Span(k)) }

// SinceAny is Since for crashes of any streak: a clean slate does not hide those
// before it, and nothing but a force release does. [MaxCrashes] counts by it.
func (h History) SinceAny(k int) (time.Duration, bool) { return known(history.View(h).SpanAny(k)) }

func known(span time.Duration) (time.Duration, bool) {
	if span == math.MaxInt64 {
		return 0, false
	}
	return span, true
}

// longest is the longest span between two crashes that are known.
const longest = math.MaxInt64 - 1

// LastDelay returns how long the previous crash of the streak was held; 0 at
// its first.
func (h History) LastDelay() time.Duration { return history.View(h).LastDelay() }

// Looping reports whether the crash at hand came before the hold of a crash
// loop was over: someone started the task anyway, by hand or as a probe. Such a
// crash never shortens that hold, whatever the policy decides short of giving up.
func (h History) Looping() bool { return history.View(h).Looping() }

// Trips returns the number of crash loops since the slate was last clean. A crash
// that is Looping belongs to the last one and adds none.
func (h History) Trips() int { return history.View(h).Trips() }

// Rand returns a number in [0, 1) that is drawn from the task's random seed and
// the number of the crash at hand (after a clean exit, from its instant too):
// the same however often it is asked, another for each crash and each task.
// With it a policy can be random and still a function of the history, which
// can be replayed. It is not fit for cryptography.
func (h History) Rand() float64 { return history.View(h).Rand(0) }

// Fresh returns the same history with a clean slate, on which the crash at hand is
// the first: Streak is 1 (0 after a clean exit), LastDelay 0, and no crash loop has
// tripped. A policy that decides by it says so in [Decision.Fresh], or the gate's
// slate stays as it is.
func (h History) Fresh() History { return History(history.View(h).Fresh()) }
