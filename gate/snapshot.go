package gate

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
	"github.com/holdfast-go/holdfast/internal/jsonobj"
	"github.com/holdfast-go/holdfast/policy"
)

// SnapshotVersion is the version that [Tracker.Snapshot] writes, and the newest
// that [Tracker.Restore] reads. It reads all older ones.
const SnapshotVersion = 2

// Snapshot is a gate as data: its state and its history, of which the last
// error is kept as text. It goes to JSON and back without loss.
type Snapshot struct {
	Version  int           `json:"version"`
	Phase    Phase         `json:"phase"`
	Until    time.Time     `json:"until,omitzero"`     // of State, by the wall clock
	PausedBy *By           `json:"paused_by,omitzero"` // with Paused
	History  policy.Record `json:"history"`
}

// Snapshot returns what t holds, but for its policy.
func (t *Tracker) Snapshot() Snapshot {
	r := t.log.Record()
	s := Snapshot{Version: SnapshotVersion, Phase: Phase(t.word.Phase()), History: policy.Record(r)}
	switch {
	case t.word == 0:
	case t.word.Until() == forever:
		s.Until = never
	default:
		// The record may count from another instant than the log, for the sake of
		// JSON; it differs by as much as its present does.
		s.Until = r.Start.Add(r.Now + t.word.Until() - t.log.Last())
	}
	if t.pausedBy != nil {
		s.PausedBy = new(*t.pausedBy)
	}
	return s
}

// Restore replaces what t holds by s; the policy stays. Instants are taken by
// the wall clock, so that a hold goes on where it would be by now. A snapshot
// that is corrupt, or of a newer version, is an error that joins all that is
// wrong with it, and t is unchanged.
func (t *Tracker) Restore(s Snapshot) error {
	if s.Version < 1 || s.Version > SnapshotVersion {
		return fmt.Errorf("gate: snapshot version (%d) is not one that this program reads, 1 to %d; "+
			"restore it with the program that wrote it, or start from a fresh gate", s.Version, SnapshotVersion)
	}
	s = s.upgraded()
	if err := errors.Join(s.checkState(), s.History.Validate()); err != nil {
		return fmt.Errorf("gate: snapshot is corrupt: %w", err)
	}
	if err := t.log.Load(history.Record(s.History)); err != nil {
		return err
	}
	t.open()
	switch {
	case s.Phase == Idle:
	case s.Until.Equal(never):
		t.word = pack(s.Phase, forever)
	default:
		left := s.Until.Sub(s.History.Start.Add(s.History.Now))
		t.word = pack(s.Phase, max(min(t.log.Last()+min(left, forever), forever), -forever))
	}
	if s.Phase == Paused {
		t.pausedBy = new(By)
		if s.PausedBy != nil {
			*t.pausedBy = *s.PausedBy
		}
	}
	return nil
}

// mostOfFirst is how many crashes are taken over from the first version, which could
// keep more at each life than any policy had looked at.
const mostOfFirst = 64

// upgraded returns a snapshot of any version as one of the newest.
func (s Snapshot) upgraded() Snapshot {
	if s.Version == 1 {
		keep := max(int(s.History.Depth), mostOfFirst)
		if n := len(s.History.Crashes); n > keep {
			s.History.Crashes = s.History.Crashes[n-keep:]
		}
	}
	return s
}

func (s Snapshot) checkState() error {
	switch endless := s.Phase == GaveUp || s.Phase == Paused; {
	case s.Phase > Paused:
		return fmt.Errorf("phase (%d) is unknown", uint8(s.Phase))
	case s.Phase == Idle && !s.Until.IsZero():
		return fmt.Errorf("until (%v) is set, though the gate is idle", s.Until)
	case s.Phase != Idle && s.Until.IsZero():
		return fmt.Errorf("until is missing, though the gate is %v", s.Phase)
	case endless && !s.Until.Equal(never):
		return fmt.Errorf("until (%v) is set, though the gate is %v", s.Until, s.Phase)
	case s.Phase == CrashLooping && s.History.Trips == 0:
		return fmt.Errorf("the history knows of no crash loop, though the gate is %v", s.Phase)
	case s.Phase != Idle && s.Phase != Paused && s.History.Start.IsZero():
		return fmt.Errorf("the history is empty, though the gate is %v", s.Phase)
	case s.Phase != Paused && s.PausedBy != nil:
		return fmt.Errorf("paused_by is set, though the gate is %v", s.Phase)
	}
	return nil
}

// UnmarshalJSON reads what encoding/json wrote of a snapshot, in this version or an
// older one. An unknown field is ignored; one that is null or given twice is an error.
func (s *Snapshot) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil // the convention of encoding/json
	}
	type plain Snapshot
	var read plain
	_, err := jsonobj.Fields(data)
	if err == nil {
		err = json.Unmarshal(data, &read)
	}
	if err != nil {
		return fmt.Errorf("gate: snapshot: %w", err)
	}
	*s = Snapshot(read)
	return nil
}
