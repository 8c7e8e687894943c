//go:build unix

package main

import (
	"context"
	"errors"

	"github.com/holdfast-go/holdfast/gate"
)

// saver saves gates, and remembers those of which it has failed to: the daemons
// go on, and their gates are saved when they can be.
type saver struct {
	store     gate.Store
	revisions map[string]uint64
	unsaved   map[string]bool
}

// save writes the gate as it is, and waits for the disk: a reconciler of very
// many daemons would leave that to a goroutine for each.
func (s *saver) save(ctx context.Context, r *reconciler, name string) {
	ctx = context.WithoutCancel(ctx)
	snapshot, _ := r.gates.Snapshot(name)
	revision, err := s.store.Save(ctx, name, snapshot, s.revisions[name])
	if err != nil {
		if len(s.unsaved) == 0 {
			r.say("state", "cannot be saved, tried again later: %v", err)
		}
		s.unsaved[name] = true
		return
	}
	s.revisions[name] = revision
	if s.unsaved[name] {
		if delete(s.unsaved, name); len(s.unsaved) == 0 {
			r.say("state", "is saved again")
		}
	}
}

// saveRest tries again what could not be saved.
func (s *saver) saveRest(ctx context.Context, r *reconciler) error {
	ctx = context.WithoutCancel(ctx)
	var faults []error
	for name := range s.unsaved {
		// After an error it may have been saved all the same.
		_, revision, err := s.store.Load(ctx, name)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		s.revisions[name] = revision
		s.save(ctx, r, name)
	}
	return errors.Join(faults...)
}

func (s *saver) remove(ctx context.Context, r *reconciler, name string) {
	delete(s.unsaved, name)
	delete(s.revisions, name)
	if err := s.store.Delete(context.WithoutCancel(ctx), name); err != nil {
		r.say("state", "of %s cannot be deleted, it will be at the next start: %v", name, err)
	}
}
