package gate

import (
	"errors"
	"fmt"
	"iter"
	"time"
)

// SnapshotAll returns the snapshots of all gates to which something has
// happened, in no order: of the others a gate that is made anew is as good. Each
// is taken when it is yielded. The loop may use the Set.
func (s *Set[K]) SnapshotAll() iter.Seq2[K, Snapshot] {
	return func(yield func(K, Snapshot) bool) {
		for key, g := range s.All() {
			if saved := g.Snapshot(); !saved.History.Start.IsZero() && !yield(key, saved) {
				return
			}
		}
	}
}

// Restore replaces the states of the gates by saved ones, as a process begins
// that takes over at now from one that has ended: see [Snapshot.Resume]. Gates
// that there are not are made. A snapshot that cannot be restored leaves its
// gate as it was; the error joins all that are wrong, with their keys, and the
// others are restored all the same.
func (s *Set[K]) Restore(now time.Time, saved iter.Seq2[K, Snapshot]) error {
	var faults []error
	for key, snapshot := range saved {
		if err := s.Get(key).restore(now, snapshot.Resume(now)); err != nil {
			faults = append(faults, fmt.Errorf("gate of %v: %w", key, err))
		}
	}
	return errors.Join(faults...)
}
