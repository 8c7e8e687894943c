package gate

import (
	"context"
	"errors"
)

// ErrConflict is returned by [Store.Save] where somebody else has saved or
// deleted since.
var ErrConflict = errors.New("gate: somebody else has saved or deleted this gate since; load it and decide anew")

// Store keeps the snapshots of gates beyond the death of the process. A key is
// any string that is not empty, up to 1024 bytes at least, such as the path of a
// task. That a task was running when its process died is in the snapshot, as
// History.Running.
//
//	saved, revision, err := store.Load(ctx, key)
//	g.Restore(saved.Resume(time.Now())) // if revision is not 0
//	…
//	revision, err = store.Save(ctx, key, g.Snapshot(), revision)
//
// A revision is that of one Save: never 0, and never that of another Save under the
// same key, even after a Delete. It fences: a process that was thought dead, or a run
// that was abandoned, gets ErrConflict once another has taken over, and overwrites
// nothing.
//
// A method that returns an error other than [ErrConflict] may or may not have
// done what it was asked to. Package gatetest checks an implementation. Safe for
// concurrent use, as implementations must be.
type Store interface {
	// Load returns what is saved under key, with its revision, or a zero Snapshot
	// and revision 0 if nothing is.
	Load(ctx context.Context, key string) (s Snapshot, revision uint64, err error)

	// Save replaces what is saved under key, if that is still of the given
	// revision, 0 standing for nothing; if not the error is ErrConflict, to
	// errors.Is. It returns the new revision once s would survive the death of the
	// process. s is saved as it is: whether it can be restored is for Restore to
	// say. It keeps no part of s.
	Save(ctx context.Context, key string, s Snapshot, revision uint64) (uint64, error)

	// Delete deletes what is saved under key, of whatever revision. If that is
	// nothing it does nothing and returns nil.
	Delete(ctx context.Context, key string) error
}
