package filestore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
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
func (s *Store) commit(batch []*request) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("bbolt panicked: %v", v)
		}
	}()
	now := s.totals
	err = s.db.Update(func(tx *bbolt.Tx) error {
		gates, written := tx.Bucket(gatesBucket), false
		for _, r := range batch {
			wrote, err := r.apply(gates, &now)
			if err != nil {
				return err
			}
			written = written || wrote
		}
		if !written {
			return errNothing
		}
		return tx.Bucket(aboutBucket).Put(totalsKey, now.encode())
	})
	switch {
	case err == nil:
		s.totals = now
	case errors.Is(err, errNothing):
		return nil
	}
	return err
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
