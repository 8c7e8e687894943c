package gate

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
	"github.com/holdfast-go/holdfast/policy"
)

// SnapshotVersion is the version that [Tracker.Snapshot] writes, and the newest
// that [Tracker.Restore] reads. It reads all older ones.
const SnapshotVersion = 2

// Snapshot is a gate as data: its state and its history, of which the last
// error is kept as text. It goes to JSON and back without loss.
type Snapshot struct {
	Version  int       `json:"version"`
	Phase    Phase     `json:"phase"`
	Until    time.Time `json:"until,omitzero"`     // of State, by the wall clock
	PausedBy *By       `json:"paused_by,omitzero"` // with Paused
	// Runs is how many runs the gate has seen start, before it was restored, too. A
	// force release does not change it. A program that did not count them yet has left 0.
	Runs    uint64        `json:"runs,omitzero"`
	History policy.Record `json:"history"`
}

// Snapshot returns what t holds, but for its policy.
func (t *Tracker) Snapshot() Snapshot {
	r := t.log.Record()
	s := Snapshot{Version: SnapshotVersion, Phase: Phase(t.word.Phase()), Runs: min(t.runs, mostRuns), History: policy.Record(r)}
	switch {
	case t.word == 0:
	case t.word.Endless():
		s.Until = never
	default:
		// The record may count from another instant than the log, for the sake of
		// JSON; it differs by as much as its present does.
		s.Until = asEnd(r.Start.Add(r.Now + t.word.Until() - t.log.Last()))
	}
	if by, ok := t.PausedBy(); ok {
		s.PausedBy = &by
	}
	return s
}

// mostRuns leaves room for the runs to come, as a record does for crashes.
const mostRuns = math.MaxInt64

// asEnd returns t, or the instant after it if t stands for something else in a
// snapshot than the end of a hold: the zero time and never.
func asEnd(t time.Time) time.Time {
	if t.IsZero() || t.Equal(never) {
		return t.Add(1)
	}
	return t
}

// Restore replaces what t holds by s; the policy stays. Instants are taken by
// the wall clock, so that a hold goes on where it would be by now. A snapshot
// that is corrupt, or of a newer version, is an error that joins all that is
// wrong with it, and t is unchanged.
func (t *Tracker) Restore(s Snapshot) error {
	if s.Version < 1 || s.Version > SnapshotVersion {
		return s.wrongVersion()
	}
	s = s.upgraded()
	if err := errors.Join(s.checkState(), s.History.Validate()); err != nil {
		return fmt.Errorf("gate: snapshot is corrupt: %w", err)
	}
	if err := t.log.Load(history.Record(s.History)); err != nil {
		return err
	}
	t.open()
	t.runs = s.Runs
	switch {
	case s.Phase == Idle:
	case s.Until.Equal(never):
		t.word = pack(s.Phase, forever)
	default:
		left := max(s.Until.Sub(s.History.Start.Add(s.History.Now)), 0)
		t.word = pack(s.Phase, min(t.log.Last()+min(left, forever), forever))
	}
	if s.Phase == Paused {
		by := By{}
		if s.PausedBy != nil {
			by = *s.PausedBy
		}
		t.pause(by)
	}
	return nil
}

// The first version could keep more crashes at each life than any policy had looked
// at, and instants up to 146 years apart; a hold that ended more than 36 years from the
// first one had no end.
const (
	mostOfFirst     = 64 // crashes that are taken over
	farthestOfFirst = math.MaxInt64 / 2
)

// upgraded returns a snapshot of any version as one of the newest.
func (s Snapshot) upgraded() Snapshot {
	if s.Version != 1 {
		return s
	}
	s.Version = SnapshotVersion
	r := &s.History
	if n, keep := len(r.Crashes), max(min(int(r.Depth), history.MaxLookBack), mostOfFirst); n > keep {
		r.Crashes = r.Crashes[n-keep:]
	}
	if !r.Start.IsZero() && -farthestOfFirst <= r.Now && r.Now <= farthestOfFirst {
		*r = countedFrom(*r, r.Start.Add(r.Now), 0)
		if s.Phase != GaveUp && s.Until.Equal(never) && r.LastDelay < forever {
			s.Until = r.Start.Add(r.LastDelay)
		}
	}
	return s
}

// checkState returns what is wrong with the state, or between it and the history.
func (s Snapshot) checkState() error {
	switch {
	case s.Phase > Paused:
		return fmt.Errorf("phase (%d) is unknown", uint8(s.Phase))
	case s.Phase == CrashLooping && s.History.Trips == 0:
		return fmt.Errorf("the history has no crash loop, though the phase is %v", s.Phase)
	case s.Phase != Idle && s.Phase != Paused && s.History.Start.IsZero():
		return fmt.Errorf("the history is empty, though the phase is %v", s.Phase)
	case s.Phase != Paused && s.PausedBy != nil:
		return fmt.Errorf("paused_by is set, though the phase is %v", s.Phase)
	case s.Runs > mostRuns:
		return fmt.Errorf("runs (%d) is above %d", s.Runs, uint64(mostRuns))
	}
	return s.checkUntil()
}

func (s Snapshot) checkUntil() error {
	switch endless := s.Phase == GaveUp || s.Phase == Paused; {
	case s.Phase == Idle && !s.Until.IsZero():
		return fmt.Errorf("until (%v) is set, though the phase is idle; leave it out", s.Until)
	case s.Phase != Idle && s.Until.IsZero():
		return fmt.Errorf("until is missing, though the phase is %v", s.Phase)
	case endless && !s.Until.Equal(never):
		return fmt.Errorf("until (%v) is not %v, though the phase is %v", s.Until, never, s.Phase)
	}
	return nil
}
