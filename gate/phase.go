package gate

import "fmt"

// Phase is where a gate stands.
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
	// Paused is held by an operator, who alone opens it again: by a force release, a
	// probe or a start. No end of a run changes it, nor does the death of the process
	// where the gate is saved.
	Paused
)

var phases = [...]string{"idle", "backing off", "crash looping", "gave up", "paused"}

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
