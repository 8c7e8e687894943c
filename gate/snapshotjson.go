package gate

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/jsonobj"
)

// UnmarshalJSON reads what encoding/json wrote of a snapshot, in this version or an
// older one; s is unchanged on an error. An unknown field is ignored; one that is null
// or given twice is an error. What a newer version wrote can be read as far as it is
// the same, for [Tracker.Restore] to refuse; otherwise the error names the version.
func (s *Snapshot) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil // the convention of encoding/json
	}
	var read Snapshot
	fields, err := jsonobj.Fields(data)
	for _, f := range fields {
		if fault := read.readField(f); fault != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", f.Name, fault))
		}
	}
	if err != nil && read.Version > SnapshotVersion {
		return read.wrongVersion()
	}
	if err != nil {
		return fmt.Errorf("gate: snapshot: %w", err)
	}
	*s = read
	return nil
}

func (s *Snapshot) readField(f jsonobj.Field) (err error) {
	switch f.Name {
	case "version":
		s.Version, err = jsonobj.Number[int](f.Value, "a version, which is a whole number")
	case "phase":
		var words string
		if words, err = jsonobj.String(f.Value); err == nil {
			err = s.Phase.UnmarshalText([]byte(words))
		}
	case "until":
		if json.Unmarshal(f.Value, &s.Until) != nil {
			err = fmt.Errorf("%s is not an instant; write it as %q", jsonobj.Quote(f.Value), time.RFC3339)
		}
	case "paused_by":
		s.PausedBy = new(By)
		err = s.PausedBy.UnmarshalJSON(f.Value)
	case "runs":
		s.Runs, err = jsonobj.Number[uint64](f.Value, "a number of runs, which is a whole one")
	case "history":
		err = json.Unmarshal(f.Value, &s.History)
	}
	return err
}

func (s Snapshot) wrongVersion() error {
	return fmt.Errorf("gate: snapshot version (%d) is not one that this program reads, 1 to %d; "+
		"restore it with the program that wrote it, or start from a fresh gate", s.Version, SnapshotVersion)
}
