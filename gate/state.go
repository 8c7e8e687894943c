package gate

import (
	"fmt"
	"strings"
	"time"
)

// Phase is where a gate stands. Safe for concurrent use.
type Phase uint8

const (
	// Idle is open: the task may start, or runs.
	Idle Phase = iota
	// BackingOff is held after a crash, for the delay the policy chose.
	BackingOff
	// CrashLooping is held because the crashes have become a crash loop.
	CrashLooping
	// GaveUp is held for good: no time opens it, only an event such as a start or
	// a force release.
	GaveUp
)

var phases = [...]string{"idle", "backing off", "crash looping", "gave up"}

// String returns the phase in words, such as "backing off".
func (p Phase) String() string {
	if int(p) < len(phases) {
		return phases[p]
	}
	return fmt.Sprintf("phase(%d)", uint8(p))
}

// MarshalText returns the phase in words. An unknown phase is an error.
func (p Phase) MarshalText() ([]byte, error) {
	if int(p) >= len(phases) {
		return nil, fmt.Errorf("gate: phase (%d) is unknown; use one of the constants", uint8(p))
	}
	return []byte(phases[p]), nil
}

// UnmarshalText reads the words of MarshalText; p is unchanged on an error.
func (p *Phase) UnmarshalText(text []byte) error {
	for i, name := range phases {
		if name == string(text) {
			*p = Phase(i)
			return nil
		}
	}
	return fmt.Errorf("gate: phase %q is unknown; use one of %q", text, phases)
}

// State is what a gate shows: its phase, and until when it is held. The zero
// value is an open gate. States are comparable with ==, and states of one gate
// that compare equal are the same hold. Safe for concurrent use.
type State struct {
	Phase Phase
	// Until is when the hold ends; it is admissible at that very instant. It is
	// the zero time while Idle. A hold without an end, as in GaveUp, has the last
	// nanosecond of the year 9999, which ReleaseAt tells apart.
	Until time.Time
}

// never is the Until of a hold without an end: far away, and fit for JSON.
var never = time.Date(9999, time.December, 31, 23, 59, 59, 999999999, time.UTC)

// Admissible reports whether the task may start at now: the gate is Idle, or
// the hold is over.
func (s State) Admissible(now time.Time) bool {
	if s.Phase == Idle {
		return true
	}
	until, ends := s.ReleaseAt()
	return ends && !now.Before(until)
}

// ReleaseAt returns the instant at which the hold ends. It returns false if
// the gate is Idle, or held without an end.
func (s State) ReleaseAt() (time.Time, bool) {
	if s.Phase == Idle || s.Phase == GaveUp || s.Until.Equal(never) {
		return time.Time{}, false
	}
	return s.Until, true
}

// String returns the state in words: "idle", "gave up", "backing off until
// 2006-01-02T15:04:05.5Z" or "crash looping for ever".
func (s State) String() string {
	if s.Phase == Idle || s.Phase == GaveUp {
		return s.Phase.String()
	}
	until, ends := s.ReleaseAt()
	if !ends {
		return s.Phase.String() + forEver
	}
	return s.Phase.String() + untilWord + until.Format(time.RFC3339Nano)
}

const (
	forEver   = " for ever"
	untilWord = " until "
)

// MarshalText returns the words of String. An unknown phase is an error.
func (s State) MarshalText() ([]byte, error) {
	if _, err := s.Phase.MarshalText(); err != nil {
		return nil, err
	}
	return []byte(s.String()), nil
}

// UnmarshalText reads the words of MarshalText; s is unchanged on an error.
// Until then has no monotonic clock reading.
func (s *State) UnmarshalText(text []byte) error {
	words, until, timed := strings.Cut(string(text), untilWord)
	words, endless := strings.CutSuffix(words, forEver)
	var read State
	if err := read.Phase.UnmarshalText([]byte(words)); err != nil {
		return err
	}
	held := read.Phase == BackingOff || read.Phase == CrashLooping
	if held != (timed != endless) || timed && endless {
		return fmt.Errorf(`gate: state %q is malformed; write it as "backing off until 2006-01-02T15:04:05Z"`, text)
	}
	switch {
	case timed:
		at, err := time.Parse(time.RFC3339Nano, until)
		if err != nil {
			return fmt.Errorf("gate: state %q: %w", text, err)
		}
		read.Until = at
	case endless || read.Phase == GaveUp:
		read.Until = never
	}
	*s = read
	return nil
}
