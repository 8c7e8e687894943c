package filestore

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/holdfast-go/holdfast/gate"
)

// request is a Save or Delete that waits for its turn.
type request struct {
	key      []byte
	value    []byte // with room for its revision in front; nil to delete
	revision uint64 // that it is based on

	given uint64 // of a Save that was done
	err   error
	turn  chan bool // has room for one: true to commit what is queued, false when it is done
}

// submit has r committed, along with what else is queued by then.
//
// There is no goroutine for it. Who finds nobody committing does it, for all
// that is in the queue; what comes in meanwhile is for the first of those who
// came. So nobody works for others more than once, a lone Save waits for nothing,
// and the slower the disk is the more saves share a sync.
func (s *Store) submit(ctx context.Context, r *request) error {
	if s.enqueue(r) || s.await(ctx, r) {
		s.lead(r)
	}
	return r.err
}

// enqueue reports whether it is for r to commit.
func (s *Store) enqueue(r *request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, r)
	lead := !s.busy
	s.busy = true
	return lead
}

// await waits until r is done, or is to commit, which it reports.
func (s *Store) await(ctx context.Context, r *request) bool {
	select {
	case lead := <-r.turn:
		return lead
	case <-ctx.Done():
	}
	if s.withdraw(r) {
		r.err = context.Cause(ctx)
		return false
	}
	return <-r.turn
}

// withdraw takes r back, unless it is being committed or has been told to do
// that itself.
func (s *Store) withdraw(r *request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.queue, r)
	if i < 0 || len(r.turn) > 0 {
		return false
	}
	s.queue = slices.Delete(s.queue, i, i+1)
	return true
}

// lead commits what is queued, r being the first of it.
func (s *Store) lead(r *request) {
	batch := s.take()
	defer s.pass(r, batch)
	if err := s.commit(batch); err != nil {
		for _, other := range batch {
			other.given, other.err = 0, err
		}
	}
}

func (s *Store) take() []*request {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(len(s.queue), s.maxBatch)
	batch := slices.Clone(s.queue[:n])
	s.queue = slices.Delete(s.queue, 0, n)
	return batch
}

// pass hands over to the first of those who came meanwhile, and tells the others
// of the batch that they are done.
func (s *Store) pass(r *request, batch []*request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy = len(s.queue) > 0; s.busy {
		s.queue[0].turn <- true
	}
	for _, other := range batch {
		if other != r {
			other.turn <- false
		}
	}
}

// errNothing has a transaction rolled back in which nothing was to be done.
var errNothing = errors.New("nothing to write")

// commit does the batch in one transaction. A conflict is the fault of the one
// who has it; an error is returned for all.
//
// What the totals are is read in the transaction, as what counts is what it sees: one
// that has failed may count all the same. bbolt writes its data, syncs, writes the
// page that makes it count, and syncs again. If that second sync fails the page stands
// in the file as this process reads it, and nobody knows what the disk has. So the
// store is in doubt until a transaction without changes has written that page anew and
// synced it. Before that it gives no page of the tree before away, and nobody loads what
// may be lost again: of a revision that somebody has seen no other Save is given the
// number. [Open] begins in doubt, since the process before may have died there.
func (s *Store) commit(batch []*request) error {
	if err := s.settle(); err != nil {
		return err
	}
	err := s.update(func(tx *bbolt.Tx) error { return s.apply(tx, batch) })
	switch {
	case errors.Is(err, errNothing):
		return nil
	case err != nil:
		s.doubt.Store(true)
		_ = s.settle() // or the next one does
	}
	return err
}

// settle ends the doubt about what the disk has.
func (s *Store) settle() error {
	if !s.doubt.Load() {
		return nil
	}
	if err := s.update(func(*bbolt.Tx) error { return nil }); err != nil {
		return err
	}
	s.doubt.Store(false)
	return nil
}

func (s *Store) apply(tx *bbolt.Tx, batch []*request) error {
	gates, about := tx.Bucket(gatesBucket), tx.Bucket(aboutBucket)
	now, ok := decodeTotals(about.Get(totalsKey))
	if !ok {
		return ErrCorrupt
	}
	now.revision = max(now.revision, s.given)
	written := false
	for _, r := range batch {
		r.given, r.err = 0, nil
		wrote, err := r.apply(gates, &now)
		if err != nil {
			return err
		}
		written = written || wrote
	}
	if !written {
		return errNothing
	}
	s.given = now.revision
	return errors.Join(about.Put(formatKey, formatValue()), about.Put(totalsKey, now.encode()))
}

// apply reports whether it has written something.
func (r *request) apply(gates *bbolt.Bucket, now *totals) (bool, error) {
	old := gates.Get(r.key)
	if r.value == nil {
		if old == nil {
			return false, nil
		}
		now.remove(r.key, old)
		return true, gates.Delete(r.key)
	}
	if revisionOf(old) != r.revision {
		r.err = gate.ErrConflict
		return false, nil
	}
	if old != nil {
		now.remove(r.key, old)
	}
	now.revision++
	r.given = now.revision
	binary.BigEndian.PutUint64(r.value, r.given)
	now.add(r.key, r.value)
	return true, gates.Put(r.key, r.value)
}
