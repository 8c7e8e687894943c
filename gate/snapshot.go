package gate

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// SnapshotVersion is the version that [Tracker.Snapshot] writes, and the newest
// that [Tracker.Restore] reads.
const SnapshotVersion = 1

// Snapshot is a gate as data: its state and its history, of which the last
// error is kept as text. It goes to JSON and back without loss. Safe for
// concurrent use.
type Snapshot struct {
	Version int           `json:"version"`
	Phase   Phase         `json:"phase"`
	Until   time.Time     `json:"until,omitzero"` // as in State
	History policy.Record `json:"history"`
}

// Snapshot returns what t holds, but for its policy.
func (t *Tracker) Snapshot() Snapshot {
	s := t.State()
	return Snapshot{SnapshotVersion, s.Phase, s.Until.Round(0), t.history.Record()}
}

// Restore replaces what t holds by s; the policy stays. Instants are taken by
// the wall clock, so that a hold goes on where it would be by now. A snapshot
// that is corrupt, or of a newer version, is an error that joins all that is
// wrong with it, and t is unchanged.
func (t *Tracker) Restore(s Snapshot) error {
	if s.Version != SnapshotVersion {
		return fmt.Errorf("gate: snapshot version (%d) is not %d, the one this program reads; "+
			"restore it with the program that wrote it, or start from a fresh gate", s.Version, SnapshotVersion)
	}
	if err := errors.Join(s.checkState(), s.History.Validate(), t.checkNear(s.History)); err != nil {
		return fmt.Errorf("gate: snapshot is corrupt: %w", err)
	}
	if err := t.history.Load(s.History); err != nil {
		return err
	}
	t.word = 0
	switch {
	case s.Until.Equal(never):
		t.word = pack(s.Phase, forever)
	case s.Phase != Idle:
		t.word = pack(s.Phase, max(min(t.history.Offset(s.Until), forever), -forever))
	}
	return nil
}

// checkNear refuses a history whose present is so far from the first instant
// that the end of the next hold could not be represented. A fresh t takes the
// history's first instant for its own, and has it as it was.
func (t *Tracker) checkNear(r policy.Record) error {
	now, latest := r.Now, time.Duration(math.MaxInt64)
	if used := !t.history.Now().IsZero(); used && !r.Start.IsZero() {
		now, latest = t.history.Offset(r.Start.Add(r.Now)), forever
	}
	if now < -forever || now > latest {
		return errors.New("the history ends more than 36 years from the first instant seen here; restore it into a fresh gate")
	}
	return nil
}

func (s Snapshot) checkState() error {
	switch {
	case s.Phase > GaveUp:
		return fmt.Errorf("phase (%d) is unknown", uint8(s.Phase))
	case s.Phase == Idle && !s.Until.IsZero():
		return fmt.Errorf("until (%v) is set, though the gate is idle", s.Until)
	case s.Phase == GaveUp && !s.Until.Equal(never):
		return fmt.Errorf("until (%v) is set, though the gate gave up", s.Until)
	case s.Phase != Idle && s.Until.IsZero():
		return fmt.Errorf("until is missing, though the gate is %v", s.Phase)
	case s.Phase == CrashLooping && !s.History.Looped:
		return fmt.Errorf("the history knows of no crash loop, though the gate is %v", s.Phase)
	case s.Phase != Idle && s.History.Start.IsZero():
		return fmt.Errorf("the history is empty, though the gate is %v", s.Phase)
	}
	return nil
}
