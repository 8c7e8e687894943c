package gate

import (
	"fmt"
	"strings"
	"time"
)

// State is what a gate shows: its phase, and until when it is held. The zero
// value is an open gate. States of one gate that compare equal with == are the same
// hold; [State.Equal] compares those of different gates.
type State struct {
	// The end of the hold is computed when somebody asks, since a quarter of the
	// time that a crash takes would go into it. Four words are the most that Go keeps
	// in registers: another field would double the time.
	word   word
	origin time.Time
}

// never is the Until of a hold without an end: far away, and fit for JSON.
var never = time.Date(9999, time.December, 31, 23, 59, 59, 999999999, time.UTC)

// Held returns the state of a gate that is held in phase until an instant, for
// tests and for those who show states that they were sent. It is the zero value for
// Idle. GaveUp and Paused have no end, whatever until is; a zero until means none,
// too.
func Held(phase Phase, until time.Time) State {
	switch {
	case phase == Idle:
		return State{}
	case phase >= GaveUp || until.IsZero() || until.Equal(never):
		return State{word: pack(min(phase, Phase(ask)), forever)}
	}
	return State{pack(phase, 0), until}
}

// Phase returns where the gate stands.
func (s State) Phase() Phase { return Phase(s.word.Phase()) }

// Until returns when the hold ends; the gate is open at that very instant. It is the
// zero time while Idle, and the last nanosecond of the year 9999 for a hold without
// an end, for which [State.ReleaseAt] returns false.
func (s State) Until() time.Time {
	switch {
	case s.word == 0:
		return time.Time{}
	case s.word.Endless():
		return never
	}
	return s.origin.Add(s.word.Until())
}

// ReleaseAt returns the instant at which the hold ends. It returns false if
// the gate is Idle, or held without an end.
func (s State) ReleaseAt() (time.Time, bool) {
	if s.word == 0 || s.word.Endless() {
		return time.Time{}, false
	}
	return s.origin.Add(s.word.Until()), true
}

// Admissible reports whether the task may start at now: the gate is Idle, or
// the hold is over.
func (s State) Admissible(now time.Time) bool { return s.word.Admissible(s.origin, now) }

// Equal reports whether both are in the same phase until the same instant, whatever
// clock that was read from.
func (s State) Equal(other State) bool {
	until, ends := s.ReleaseAt()
	otherUntil, otherEnds := other.ReleaseAt()
	return s.Phase() == other.Phase() && ends == otherEnds && until.Equal(otherUntil)
}

// String returns the state in words: "idle", "gave up", "backing off until
// 2006-01-02T15:04:05.5Z" or "crash looping for ever".
func (s State) String() string {
	phase := s.Phase()
	if phase != BackingOff && phase != CrashLooping {
		return phase.String()
	}
	until, ends := s.ReleaseAt()
	if !ends {
		return phase.String() + endless
	}
	return phase.String() + untilWord + until.Format(time.RFC3339Nano)
}

const (
	endless   = " for ever"
	untilWord = " until "
)

// MarshalText returns the words of String.
func (s State) MarshalText() ([]byte, error) {
	if _, err := s.Phase().MarshalText(); err != nil {
		return nil, err
	}
	return []byte(s.String()), nil
}

// UnmarshalText reads the words of MarshalText; s is unchanged on an error.
// Until then has no monotonic clock reading.
func (s *State) UnmarshalText(text []byte) error {
	words, until, timed := strings.Cut(string(text), untilWord)
	words, ending := strings.CutSuffix(words, endless)
	var phase Phase
	if err := phase.UnmarshalText([]byte(words)); err != nil {
		return err
	}
	held := phase == BackingOff || phase == CrashLooping
	if held != (timed != ending) || timed && ending {
		return fmt.Errorf(`gate: state %q is malformed; write it as "backing off until 2006-01-02T15:04:05Z"`, text)
	}
	var at time.Time
	if timed {
		var err error
		if at, err = time.Parse(time.RFC3339Nano, until); err != nil {
			return fmt.Errorf(`gate: state %q has no instant; write it as "backing off until 2006-01-02T15:04:05Z"`, text)
		}
		if at.IsZero() {
			at = at.Add(1) // the zero time stands for no end
		}
	}
	*s = Held(phase, at)
	return nil
}
