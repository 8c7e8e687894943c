package gate

import (
	"errors"
	"fmt"
	"iter"
	"time"
)

// Snapshot returns the gate of key as data that can be saved, see [Tracker.Snapshot];
// false if there is none.
func (s *Set[K]) Snapshot(key K) (Snapshot, bool) {
	h, e := s.find(key)
	if e == nil {
		h.mu.Unlock()
		return Snapshot{}, false
	}
	return h.snapshot(e), true
}

// snapshot unlocks the shard before it takes the snapshot, of a copy: that calls the
// Error method of the last error, which is a user's.
func (h *shard[K]) snapshot(e *entry[K]) Snapshot {
	t := Tracker{log: *e.tracker.log.Clone(), word: e.tracker.word, runs: e.tracker.runs}
	h.mu.Unlock()
	return t.Snapshot()
}

// SnapshotAll returns the snapshots of all gates to which something has happened that
// matters still, in no order. Each is that of the moment at which it is yielded. Gates that come or go meanwhile may be among them or
// not. The loop may use the Set.
func (s *Set[K]) SnapshotAll() iter.Seq2[K, Snapshot] {
	return func(yield func(K, Snapshot) bool) {
		for h, e := range s.entries() {
			saved := h.snapshot(e)
			if saved.Phase == Idle && saved.History.Start.IsZero() {
				continue // it is as a new one
			}
			if !yield(e.key, saved) {
				return
			}
		}
	}
}

// Restore replaces the states of gates by saved ones, as a process does that takes
// over at now from one that has ended: see [Snapshot.Resume]. Missing gates are made.
// A snapshot that cannot be restored leaves its key as it was; the error joins all that
// are wrong, with their keys, and the others are restored all the same.
func (s *Set[K]) Restore(now time.Time, saved iter.Seq2[K, Snapshot]) error {
	var faults []error
	for key, snapshot := range saved {
		if err := s.restore(key, now, snapshot.Resume(now)); err != nil {
			faults = append(faults, fmt.Errorf("gate of %v: %w", key, err))
		}
	}
	return errors.Join(faults...)
}

func (s *Set[K]) restore(key K, now time.Time, snapshot Snapshot) error {
	ev := s.begin(key)
	if err := ev.e.tracker.Restore(snapshot); err != nil {
		if ev.made {
			ev.shard.remove(ev.e)
		}
		ev.shard.mu.Unlock()
		return err
	}
	ev.settle(now, CauseRestore, By{})
	return nil
}
